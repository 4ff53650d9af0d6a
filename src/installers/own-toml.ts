/**
 * A uv.toml and a config.toml of pdm for one command: what the user's own files say, without what leads
 * past the proxy. uv reads one file that is named to it in place of all others, pdm in place of the user's.
 */

import { stringify } from 'smol-toml'
import { isTomlTable, parseToml, type TomlTable } from './parse-toml.ts'

export interface OwnToml {
  readonly text: string
  /** Names of the settings that are not in it. */
  readonly leftOut: readonly string[]
}

/** uv asks them for packages, or asks for packages by way of them. */
const pastUv: ReadonlySet<string> = new Set([
  'index',
  'index-url',
  'extra-index-url',
  'find-links',
  'no-index',
  'torch-backend',
  'http-proxy',
  'https-proxy',
  'no-proxy',
])

/** Of `[tool.uv]`; the others belong to the project, where uv reads them in any case. */
const uvSettings: ReadonlySet<string> = new Set([
  'resolution',
  'prerelease',
  'fork-strategy',
  'exclude-newer',
  'exclude-newer-package',
  'link-mode',
  'compile-bytecode',
  'no-build',
  'no-build-package',
  'no-binary',
  'no-binary-package',
  'no-build-isolation',
  'no-build-isolation-package',
  'no-sources',
  'config-settings',
  'dependency-metadata',
  'index-strategy',
  'keyring-provider',
  'cache-dir',
  'no-cache',
  'offline',
  'native-tls',
  'preview',
  'python-preference',
  'python-downloads',
  'concurrent-downloads',
  'concurrent-builds',
  'concurrent-installs',
  'required-version',
  'pip',
])

/** @param files uv.toml, or `[tool.uv]` of a project; the first says more than the next */
export function buildOwnUvToml(files: readonly { text: string; isProject: boolean }[]): OwnToml {
  let merged: TomlTable = {}
  const leftOut: string[] = []
  for (const { text, isProject } of files) {
    const whole = parseToml(text)
    const table = isProject ? toTable(toTable(whole['tool'])['uv']) : whole
    const kept = Object.entries(table).filter(([name]) => !isProject || uvSettings.has(name))
    leftOut.push(...Object.keys(table).filter((name) => pastUv.has(name)))
    const own = Object.fromEntries(kept.filter(([name]) => !pastUv.has(name)))
    const pip = Object.entries(toTable(own['pip']))
    leftOut.push(...pip.filter(([name]) => pastUv.has(name)).map(([name]) => `pip.${name}`))
    const clean = Object.fromEntries(pip.filter(([name]) => !pastUv.has(name)))
    merged = combine(merged, pip.length === 0 ? own : { ...own, pip: clean })
  }
  return { text: stringify(merged), leftOut }
}

/** @param text of the user's config.toml; empty where there is none */
export function buildOwnPdmToml(text: string): OwnToml {
  const { pypi, ...kept } = parseToml(text)
  const leftOut = Object.entries(toTable(pypi)).flatMap(([name, value]) =>
    name === 'url' || toTable(value)['url'] !== undefined ? [`pypi.${name}`] : [],
  )
  return { text: stringify(kept), leftOut }
}

/** As uv does it: lists one behind the other, tables by their members, else the first one counts. */
function combine(first: TomlTable, next: TomlTable): TomlTable {
  const combined: Record<string, unknown> = { ...next, ...first }
  for (const [name, value] of Object.entries(next)) {
    const own = first[name]
    if (Array.isArray(own) && Array.isArray(value)) {
      combined[name] = [...(own as unknown[]), ...(value as unknown[])]
    } else if (isTomlTable(own) && isTomlTable(value)) combined[name] = combine(own, value)
  }
  return combined
}

function toTable(value: unknown): TomlTable {
  return isTomlTable(value) ? value : {}
}
