/** What a look tells the journal. Canonical JSON: no member without a value, integers alone. */

import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { Change, ChangeKind } from './change-kinds.ts'
import type { HeldChange } from './hold.ts'
import type { JournalEvent } from './journal.ts'
import type { ChangePolicy } from './mirror-settings.ts'

/** `kept`: what is signed of it stays, and what the index shows is not taken over. */
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
    const act = policy[change.kind] === 'warn' ? 'warned' : 'signed'
    return buildEvent(project, change, { act: isKept(change.kind, policy) ? 'kept' : act, record })
  })
}

/** What differs from what is signed, and is not signed in its place. */
export function isKept(kind: ChangeKind, policy: ChangePolicy): boolean {
  if (kind === 'requires-python-changed') return policy[kind] === 'warn'
  return kind === 'hash-changed' || kind === 'another-spelling' || kind === 'size-changed'
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
