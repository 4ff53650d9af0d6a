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
  const left = findTimeLeft(mirror, now)
  // Whoever looks at a part now and then, beside a watch or a timer, has nothing to do.
  if (isPartial(counts) && left > mirror.settings.require(settings.maxUnseenMs) / 2) return
  const message = describeUnseen(counts)
  mirror.report({ kind: 'warning', message, next: describeDeadline(mirror, left) })
}

/** All that was looked at was seen, and it was not all. */
function isPartial(counts: LookCounts): boolean {
  return !isDown(counts) && !hasFailed(counts) && !counts.isMassRemoval
}

function hasFailed({ failed, lookedAt }: LookCounts): boolean {
  return failed * 2 > lookedAt
}

function findTimeLeft({ settings: store }: Mirror, now: number): number {
  const seen = store.find(settings.indexSeenAt)
  return seen === undefined ? 0 : seen + store.require(settings.maxUnseenMs) - now
}

/** Why the signed time of the last look at the index stays as it was. */
function describeUnseen(counts: LookCounts): string {
  const { lookedAt, failed, unanswered, isMassRemoval } = counts
  const all = lookedAt === 1 ? '1 project' : `${lookedAt} projects`
  if (isDown(counts)) return `The index was down: no answer for ${unanswered} of ${all}.`
  if (hasFailed(counts)) return `${failed} of ${all} could not be looked at.`
  return isMassRemoval
    ? 'What the index shows is held for a person, so it does not count as a look.'
    : 'Only a part of what is signed was looked at.'
}

/** Until when a look at everything must have succeeded. */
function describeDeadline({ directory }: Mirror, left: number): string {
  const command = `Run "tufgate mirror sync ${directory}"`
  return left > 0
    ? `${command} within ${formatSpan(left)} (max-unseen), or renew will refuse.`
    : `${command}; until it has succeeded renew refuses (max-unseen).`
}
