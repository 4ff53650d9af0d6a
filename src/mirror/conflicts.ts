/**
 * What the index shows otherwise than it is signed, as long as it is news: another content under a
 * signed name, or something else than the maintainers of a project have signed. What is signed stays.
 *
 * It is open for seven days after the index showed it, or until a person acknowledges it, or the
 * maintainers sign something new. What the index shows next is news again.
 */

import { formatUtcSeconds } from '../base/clock.ts'
import { ConfigError } from '../base/errors.ts'
import { readInteger, readText } from '../store/database.ts'
import { catchUp } from './catch-up.ts'
import { openMirror, type MirrorContext, type MirrorMemory } from './open-mirror.ts'
import { dayMs } from './settings.ts'

export interface OpenConflict {
  /** Normalized. */
  readonly project: string
  /** ms: when the index showed it last as something new. */
  readonly seenAt: number
}

type Memory = Pick<MirrorMemory, 'ledger'>

export const conflictDays = 7

/** The condition is that of the index `journal_conflict`. */
const openConflicts = `SELECT project, max(time) AS seen_at FROM journal AS seen
  WHERE substr(detail, 1, 13) = '{"act":"kept"' AND time >= ? AND project IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM journal AS later WHERE later.project = seen.project
      AND later.sequence > seen.sequence AND later.kind IN ('acknowledged', 'owner-signed'))
  GROUP BY project`

/** Names in order. */
export function listConflicts({ ledger }: Memory, now: number, limit: number): OpenConflict[] {
  const sql = `${openConflicts} ORDER BY project LIMIT ?`
  return ledger.database.all(sql, now - conflictDays * dayMs, limit).map((row) => ({
    project: readText(row, 'project'),
    seenAt: readInteger(row, 'seen_at'),
  }))
}

export function countConflicts({ ledger }: Memory, now: number): number {
  const sql = `SELECT count(*) AS n FROM (${openConflicts})`
  const row = ledger.database.get(sql, now - conflictDays * dayMs)
  return row === undefined ? 0 : readInteger(row, 'n')
}

export interface AcknowledgeOptions extends MirrorContext {
  readonly directory: string
  /** Normalized; left out, all of them. */
  readonly projects?: readonly string[]
}

/** What is signed stays as it is. The projects. */
export async function acknowledgeConflicts(options: AcknowledgeOptions): Promise<string[]> {
  const mirror = await openMirror(options.directory, options)
  try {
    await catchUp(mirror)
    const now = mirror.clock()
    const open = listConflicts(mirror, now, Number.MAX_SAFE_INTEGER)
    const chosen = chooseConflicts(open, options)
    const events = chosen.map(({ project, seenAt }) => {
      return { kind: 'acknowledged', project, detail: { since: formatUtcSeconds(seenAt) } } as const
    })
    mirror.ledger.database.transaction(() => mirror.journal.append(events, now))
    return chosen.map(({ project }) => project)
  } finally {
    await mirror.close()
  }
}

function chooseConflicts(
  open: readonly OpenConflict[],
  { projects, directory }: AcknowledgeOptions,
): readonly OpenConflict[] {
  if (projects === undefined) return open
  const byName = new Map(open.map((conflict) => [conflict.project, conflict]))
  return [...new Set(projects)].map((project) => {
    const conflict = byName.get(project)
    if (conflict !== undefined) return conflict
    throw new ConfigError('CONFIG_INVALID', `${project} is in no conflict that is open`, {
      next: `tufgate mirror health ${directory} says which are.`,
    })
  })
}
