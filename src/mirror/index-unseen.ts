/** Why a sync did not count as a look at the index, and until when one has to, as sentences. */

import { formatSpan } from '../base/clock.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'

export interface LookCounts {
  readonly lookedAt: number
  readonly failed: number
  /** Of those that failed. */
  readonly unanswered: number
  /** So much is gone that a person has to look. */
  readonly isMassRemoval: boolean
}

/** An index that does not answer for most of the projects is down. */
export function isDown({ unanswered, lookedAt }: LookCounts): boolean {
  return unanswered * 2 > lookedAt
}

export function reportUnseen(mirror: Mirror, counts: LookCounts, now: number): void {
  // Of a first sync that failed there is nothing to renew yet.
  if (counts.lookedAt === 0 || !mirror.ledger.hasProjects()) return
  const message = describeUnseen(counts)
  mirror.report({ kind: 'warning', message, next: describeDeadline(mirror, now) })
}

/** Why the signed time of the last look at the index stays as it was. */
function describeUnseen(counts: LookCounts): string {
  const { lookedAt, failed, unanswered, isMassRemoval } = counts
  const all = lookedAt === 1 ? '1 project' : `${lookedAt} projects`
  if (isDown(counts)) return `The index was down: no answer for ${unanswered} of ${all}.`
  if (failed * 2 > lookedAt) return `${failed} of ${all} could not be looked at.`
  return isMassRemoval
    ? 'What the index shows is held for a person, so it does not count as a look.'
    : 'Only a part of what is signed was looked at.'
}

/** Until when a look at everything must have succeeded. */
function describeDeadline(mirror: Mirror, now: number): string {
  const command = `Run "tufgate mirror sync ${mirror.directory}"`
  const seen = mirror.settings.find(settings.indexSeenAt)
  const left = seen === undefined ? 0 : seen + mirror.settings.require(settings.maxUnseenMs) - now
  return left > 0
    ? `${command} within ${formatSpan(left)} (max-unseen), or renew will refuse.`
    : `${command}; until it has succeeded renew refuses (max-unseen).`
}
