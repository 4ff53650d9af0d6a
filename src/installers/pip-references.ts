/** What pip's settings say about sources, whichever section of which file they stand in. */

import { normalizePipKey, type PipSetting } from './pip-conf.ts'
import { isRemote } from './reference.ts'
import type { Include, ReadSettings, Reference, ReferenceKind } from './reference.ts'

/** With every other name that pip's option parser has for the same thing. */
const kinds: ReadonlyMap<string, ReferenceKind> = new Map([
  ['index-url', 'index'],
  ['pypi-url', 'index'],
  ['index', 'index'],
  ['extra-index-url', 'extra-index'],
  ['find-links', 'find-links'],
  ['no-index', 'no-index'],
  ['proxy', 'proxy'],
  ['trusted-host', 'trusted-host'],
  // Its older name.
  ['trusted-hosts', 'trusted-host'],
])

/** Their values are files. */
export const pipIncludeKeys: ReadonlySet<string> = new Set([
  'requirement',
  'constraint',
  'build-constraint',
])

export function readPipSettings(settings: readonly PipSetting[]): ReadSettings {
  const references: Reference[] = []
  const includes: Include[] = []
  for (const { section, key, value, line } of settings) {
    const kind = findPipKind(section, key)
    if (kind !== undefined) {
      const name = `${key} in [${section}]`
      references.push(
        ...splitPipValue(kind, value).map((one): Reference => ({
          kind,
          installer: 'pip',
          line,
          name,
          value: one,
          isDefault: true,
        })),
      )
    }
    if (!pipIncludeKeys.has(key)) continue
    for (const path of value.split(/\s+/).filter((one) => one !== '')) {
      const name = `${key} in [${section}]`
      if (isRemote(path))
        references.push({ kind: 'url', installer: 'pip', line, name, value: path })
      else includes.push({ line, path })
    }
  }
  return { references, includes }
}

/** `index` is what `pip search` alone asks; elsewhere pip does not know the key. */
function findPipKind(section: string, key: string): ReferenceKind | undefined {
  return key === 'index' && section !== 'search' ? undefined : kinds.get(key)
}

/** `PIP_EXTRA_INDEX_URL` -> `extra-index`. */
export function findPipVariableKind(name: string): ReferenceKind | undefined {
  const key = normalizePipKey(name.replace(/^PIP_/, ''))
  return findPipKind('', key)
}

/** Lists are split at white space; a switch counts where pip takes its word for yes. */
export function splitPipValue(kind: ReferenceKind, value: string): string[] {
  if (kind === 'no-index') return /^(?:y|yes|t|true|on|1)$/i.test(value.trim()) ? ['true'] : []
  const isList = kind === 'extra-index' || kind === 'find-links' || kind === 'trusted-host'
  return (isList ? value.split(/\s+/) : [value.trim()]).filter((one) => one !== '')
}
