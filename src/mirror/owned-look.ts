/**
 * A look at a project that its owners sign: what the index shows otherwise is told, and never signed.
 * One thing is followed: quarantine by the index (PEP 792) takes away, and nothing else does at once.
 */

import { encodeUtf8 } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import { sha256Hex } from '../base/digest.ts'
import { readText } from '../store/database.ts'
import type { Change } from './change-kinds.ts'
import { describeChange } from './change-words.ts'
import { findDenials, putDenials } from './deny.ts'
import type { HeldChange } from './hold.ts'
import type { SeenProject } from './ledger.ts'
import { listKeptEvents } from './look-events.ts'
import type { Mirror } from './open-mirror.ts'

export interface OwnedLook {
  readonly project: string
  readonly seen: SeenProject
  /** Of the record that its owners signed. */
  readonly record: string
  readonly changes: readonly Change[]
  /** `undefined`: the index has no page of it. */
  readonly isQuarantined: boolean | undefined
  /** What waited before its owners took over. */
  readonly ended?: HeldChange
}

/** Once all looks are done, and what they have staged is on disk. */
export async function settleOwned(
  mirror: Mirror,
  looks: readonly OwnedLook[],
  now: number,
): Promise<void> {
  for (const look of looks) {
    tellDifferences(mirror, look, now)
    await followQuarantine(mirror, look, now)
  }
}

/** The same difference is told once, however often it is seen. */
function tellDifferences(mirror: Mirror, look: OwnedLook, now: number): void {
  const { project, changes, record } = look
  const { database } = mirror.ledger
  const digest = sha256Hex(encodeUtf8(encodeCanonical(changes.map(({ ...change }) => change))))
  const row = database.get('SELECT told FROM claim WHERE project = ?', project)
  if (row === undefined || readText(row, 'told') === digest) return
  database.transaction(() => {
    database.run('UPDATE claim SET told = ? WHERE project = ?', digest, project)
    mirror.journal.append(listKeptEvents({ project, changes, record }), now)
  })
  for (const change of changes) {
    mirror.report({
      kind: 'warning',
      message: `${project}: the index differs from what its maintainers have signed, which stays: ${describeChange(change)}`,
    })
  }
}

/** By it the mirror knows its own entry again, when the index lifts the quarantine. */
export const quarantineReason = 'the index has put the project into quarantine'

async function followQuarantine(
  mirror: Mirror,
  { project, isQuarantined }: OwnedLook,
  now: number,
): Promise<void> {
  if (isQuarantined === undefined) return
  const before = findDenials(mirror, project)
  const others = before.filter(({ reason }) => reason !== quarantineReason)
  const isDenied = others.length < before.length
  if (isQuarantined === isDenied) return
  const added = { reason: quarantineReason, since: now, files: 'all' } as const
  await putDenials(mirror, { project, denials: isQuarantined ? [...others, added] : others }, now)
  mirror.report({
    kind: 'warning',
    message: `${project}: the index has ${isQuarantined ? 'put it into' : 'ended its'} quarantine; ${isQuarantined ? 'everything of it is withdrawn' : 'it is not withdrawn for that any more'}`,
  })
}
