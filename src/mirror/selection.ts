/** Which projects a sync looks at: those that were named, all of the index, or what is signed. */

import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import type { IndexPort } from './index-port.ts'
import type { Mirror } from './open-mirror.ts'
import { walkNames } from './published-list.ts'
import { readRequirements, type RequirementsPort } from './requirements.ts'

export interface SelectionOptions {
  /** As written by the operator. */
  readonly projects?: readonly string[]
  readonly requirements?: { readonly paths: readonly string[]; readonly port: RequirementsPort }
  /** Everything that the index lists. */
  readonly all?: boolean
}

export interface Selection {
  readonly names: Iterable<string>
  readonly total: number
  /** Whether everything that is signed was looked at, asked once the sync is done. */
  isComplete(): boolean
}

export async function selectProjects(
  mirror: Mirror,
  options: SelectionOptions,
  index: IndexPort,
): Promise<Selection> {
  if (options.all === true) return selectAll(mirror, index)
  const named = await readNamed(mirror, options)
  if (named === undefined) {
    const total = mirror.ledger.countProjects()
    return { names: walkNames(mirror), total, isComplete: () => true }
  }
  return {
    names: named,
    total: named.size,
    isComplete: () => covers(named, walkNames(mirror)),
  }
}

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

/** What is signed and not on the list any more is looked at too: it may be gone. */
async function selectAll(mirror: Mirror, index: IndexPort): Promise<Selection> {
  const listed = new Set<string>()
  for (const raw of await index.fetchProjectNames()) {
    if (isProjectName(raw)) listed.add(normalizeName(raw))
  }
  for (const name of walkNames(mirror)) listed.add(name)
  return { names: listed, total: listed.size, isComplete: () => true }
}

function covers(selected: ReadonlySet<string>, signed: Iterable<string>): boolean {
  for (const name of signed) if (!selected.has(name)) return false
  return true
}
