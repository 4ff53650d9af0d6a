/** Which settings files pip reads: a later one overrides an earlier one for the same section and key. */

import type { Environment } from '../base/environment.ts'

/** `env`: the one that PIP_CONFIG_FILE names. `site`: of a virtual environment, or of Python itself. */
export type PipFileKind = 'global' | 'user' | 'site' | 'env'

export interface PipFile {
  readonly kind: PipFileKind
  readonly path: string
}

export interface PipFileContext {
  readonly environment: Environment
  readonly home: string
  /** `sys.prefix` of each Python that may run pip. */
  readonly prefixes: readonly string[]
  /** Default: any system but macOS. */
  readonly platform?: NodeJS.Platform
  readonly isThere: (path: string) => boolean
}

/** In the order in which they override each other; whether each is there is another question. */
export function listPipFiles(context: PipFileContext): readonly PipFile[] {
  const { environment, prefixes, isThere } = context
  const named = environment['PIP_CONFIG_FILE']
  // The very name: pip compares it with os.devnull, and then reads no file of any kind.
  if (named === '/dev/null') return []
  const isReplaced = named !== undefined && named !== '' && isThere(named)
  return [
    ...listGlobal(context).map((path): PipFile => ({ kind: 'global', path })),
    ...(isReplaced ? [] : listUser(context).map((path): PipFile => ({ kind: 'user', path }))),
    ...prefixes.map((prefix): PipFile => ({ kind: 'site', path: `${prefix}/pip.conf` })),
    ...(named ? [{ kind: 'env', path: named } as const] : []),
  ]
}

function listGlobal({ environment, home, platform }: PipFileContext): string[] {
  if (platform === 'darwin') return ['/Library/Application Support/pip/pip.conf']
  const folders = blankToUndefined(environment['XDG_CONFIG_DIRS']) ?? '/etc/xdg'
  const paths = folders.split(':').map((folder) => `${expandHome(folder, home)}/pip/pip.conf`)
  return [...paths, '/etc/pip.conf']
}

function listUser({ environment, home, platform, isThere }: PipFileContext): string[] {
  const legacy = `${home}/.pip/pip.conf`
  const library = `${home}/Library/Application Support/pip`
  if (platform === 'darwin') {
    return [legacy, isThere(library) ? `${library}/pip.conf` : `${home}/.config/pip/pip.conf`]
  }
  const folder = blankToUndefined(environment['XDG_CONFIG_HOME']) ?? `${home}/.config`
  return [legacy, `${expandHome(folder, home)}/pip/pip.conf`]
}

function blankToUndefined(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value
}

function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? `${home}${path.slice(1)}` : path
}
