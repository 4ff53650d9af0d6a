/** What a look tells the journal. Canonical JSON: no member without a value, integers alone. */

import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { Change } from './change-kinds.ts'
import type { HeldChange } from './hold.ts'
import type { JournalEvent } from './journal.ts'
import type { ChangePolicy } from './mirror-settings.ts'

/** `kept`: what is signed of it stays as it was. */
type Act = 'signed' | 'warned' | 'kept' | 'held'

export interface SignedChanges {
  readonly project: string
  readonly changes: readonly Change[]
  /** Of the record that is signed now, or waits. */
  readonly record: string
}

export function listSignedEvents(
  { project, changes, record }: SignedChanges,
  policy: ChangePolicy,
): JournalEvent[] {
  return changes.map((change) => {
    const answer = policy[change.kind]
    const act = answer === 'warn' ? 'warned' : 'signed'
    return buildEvent(project, change, {
      act: change.kind === 'hash-changed' ? 'kept' : act,
      record,
    })
  })
}

export function listHeldEvents({ project, changes, record }: SignedChanges): JournalEvent[] {
  return changes.map((change) => buildEvent(project, change, { act: 'held', record }))
}

/** What an index shows of a project that its owners sign. */
export function listKeptEvents({ project, changes, record }: SignedChanges): JournalEvent[] {
  return changes.map((change) => buildEvent(project, change, { act: 'kept', record }))
}

function buildEvent(
  project: string,
  { kind, count, of, unit, items }: Change,
  { act, record }: { readonly act: Act; readonly record: string },
): JournalEvent {
  return {
    kind,
    project,
    detail: {
      act,
      record,
      count,
      ...(of !== undefined && { of }),
      ...(unit !== undefined && { unit }),
      ...(items.length > 0 && { items: items.map((item): Json => ({ ...item })) }),
    },
  }
}

/** What became of a change that waited. */
export function buildHoldEvent(
  kind: 'approved' | 'rejected' | 'hold-ended',
  { project, sha256, since, changes }: HeldChange,
): JournalEvent {
  const kinds = changes.map((change) => change.kind)
  return { kind, project, detail: { record: sha256, since: formatUtcSeconds(since), kinds } }
}
