/** Where the audit log is: in the folder that is given, or in the state of a root. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { formatUtcSeconds } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { findStateHome } from '../store/state-directory.ts'

export interface LogFlags {
  readonly log?: string
  readonly stateDir?: string
  readonly root?: string
}

const whereItIs =
  '--state-dir FOLDER as it was given to serve, with --root FILE where it has several; or --log FOLDER, the "audit" folder in the state that serve names when it starts.'

/** The log of a given folder, of a given root, or of the only root that there is a log of. */
export function findLogFolder({ log, stateDir, root }: LogFlags): string {
  if (log !== undefined) return requireFolder(log)
  const home = stateDir ?? findStateHome(process.env)
  if (root !== undefined) return requireFolder(join(home, sha256Hex(readFileSync(root)), 'audit'))
  const logs = listLogs(home)
  const [only] = logs
  if (only === undefined) throw refuseWithout(home)
  if (logs.length === 1) return only.folder
  const lines = logs.map(
    ({ folder, newestAt }) => `  --log ${folder}   (newest line ${formatUtcSeconds(newestAt)})`,
  )
  throw new ConfigError(
    'CONFIG_INVALID',
    [`There are several audit logs in ${home}:`, ...lines].join('\n'),
    {
      next: 'Say which one, as above; or, where serve was given a pinned root, with --root and that file.',
    },
  )
}

/** The same, but where nobody says which one it is, all that there are, the newest first. */
export function findLogFolders(flags: LogFlags): readonly string[] {
  if (flags.log !== undefined || flags.root !== undefined) return [findLogFolder(flags)]
  const home = flags.stateDir ?? findStateHome(process.env)
  const logs = listLogs(home)
  if (logs.length === 0) throw refuseWithout(home)
  return logs.map(({ folder }) => folder)
}

interface FoundLog {
  readonly folder: string
  /** ms */
  readonly newestAt: number
}

/** The newest first. A folder without a file is of a start that failed. */
function listLogs(home: string): FoundLog[] {
  if (!existsSync(home)) return []
  return readdirSync(home)
    .map((name) => join(home, name, 'audit'))
    .filter((folder) => existsSync(folder))
    .map((folder) => ({ folder, times: readdirSync(folder).map((name) => timeOf(folder, name)) }))
    .filter(({ times }) => times.length > 0)
    .map(({ folder, times }) => ({ folder, newestAt: Math.max(...times) }))
    .toSorted((left, right) => right.newestAt - left.newestAt)
}

/** Lines are only ever added, so that a file is as new as its last one. */
function timeOf(folder: string, name: string): number {
  return statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function requireFolder(path: string): string {
  if (existsSync(path)) return path
  throw refuseWithout(path)
}

function refuseWithout(folder: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `There is no audit log in ${folder}.`, {
    next: `Say where it is: ${whereItIs}`,
  })
}
