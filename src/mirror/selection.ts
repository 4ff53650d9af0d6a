/** Which projects a sync looks at: those that were named, what is signed, or what the index lists. */

import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import type { IndexPort } from './index-port.ts'
import { selectListed } from './listed-selection.ts'
import type { Mirror } from './open-mirror.ts'
import { walkNames } from './published-list.ts'
import { readRequirements, type RequirementsPort } from './requirements.ts'

export interface SelectionOptions {
  /** As written by the operator. */
  readonly projects?: readonly string[]
  readonly requirements?: { readonly paths: readonly string[]; readonly port: RequirementsPort }
  /** Everything that the index lists. */
  readonly all?: boolean
  /**
   * What is on disk of each record is compared with what is signed, and made again where it differs.
   * With `all`: also of what has not changed by the serials of the index.
   */
  readonly full?: boolean
}

export interface Selection {
  readonly names: Iterable<string>
  /** How many `names` there are. */
  readonly total: number
  /** Projects that the index has spoken of: those to look at, and those that it says are unchanged. */
  readonly covered: number
  /** The index, as the projects of this selection are to be asked for. */
  readonly port: IndexPort
  /** Whether everything that is signed was seen, asked once the sync is done. */
  isComplete(): boolean
  /** Once every name was looked at; `isClean`: none of them failed or is held. */
  settle(isClean: boolean): void
}

export async function selectProjects(
  mirror: Mirror,
  options: SelectionOptions,
  port: IndexPort,
): Promise<Selection> {
  if (options.all === true) return selectListed(mirror, port, options.full === true)
  const named = await readNamed(mirror, options)
  if (named === undefined) {
    const total = mirror.ledger.countProjects()
    const names = walkNames(mirror)
    return { names, total, covered: total, port, settle: forget, isComplete: () => true }
  }
  return {
    names: named,
    total: named.size,
    covered: named.size,
    port,
    settle: forget,
    isComplete: () => covers(named, walkNames(mirror)),
  }
}

/** No list was read, so none is remembered. */
function forget(): void {}

/** `undefined` where nothing was named. */
async function readNamed(
  mirror: Mirror,
  { projects, requirements }: SelectionOptions,
): Promise<ReadonlySet<string> | undefined> {
  if (projects === undefined && requirements === undefined) return undefined
  const named = new Set<string>()
  for (const project of projects ?? []) named.add(requireName(project))
  if (requirements !== undefined) {
    const found = await readRequirements(requirements.paths, requirements.port)
    for (const project of found.projects) named.add(project)
    for (const { place, line } of found.uncovered)
      mirror.report({ kind: 'not-covered', place, line })
  }
  return named
}

function requireName(raw: string): string {
  if (isProjectName(raw)) return normalizeName(raw)
  throw new ConfigError('CONFIG_INVALID', `${raw} is not the name of a project`, {
    expected: 'letters, digits, and -_. between them',
    found: raw,
    next: 'Name the project as on the index, without a version.',
  })
}

function covers(selected: ReadonlySet<string>, signed: Iterable<string>): boolean {
  for (const name of signed) if (!selected.has(name)) return false
  return true
}
