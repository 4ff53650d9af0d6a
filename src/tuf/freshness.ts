/**
 * Whether trusted metadata may be used now (TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5): asked when it is
 * fetched, and again each time it is used. The clock itself is checked against signed times.
 */

import { toPrintable } from '../base/bytes.ts'
import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { UpstreamError, VerifyError } from '../base/errors.ts'
import { requireAtLeast, type Floors } from './floors.ts'
import type { Root, Snapshot, Targets, Timestamp } from './metadata.ts'

const maxClockErrorMs = 5 * 60_000

/** A set that is whole. */
export interface UsableSet {
  readonly root: Root
  readonly floors: Floors
  readonly timestamp: Timestamp
  readonly snapshot: Snapshot
  readonly targets: Targets
}

type MaybeUsable = Pick<UsableSet, 'root' | 'floors'> & Partial<UsableSet>

/**
 * At use: EXPIRED, CLOCK_WRONG, VERSION_ROLLBACK of the root, INDEX_UNSEEN where the mirror has not seen its index for
 * `maxUnseenMs`, or METADATA_UNAVAILABLE before the first whole refresh.
 */
export function requireUnexpired(
  trusted: MaybeUsable,
  now: number,
  maxUnseenMs?: number,
): asserts trusted is UsableSet {
  const { root, timestamp, snapshot, targets } = trusted
  requireClock(trusted.floors, now)
  // The roots on disk may be lost: what an older root vouches for is not used again.
  requireAtLeast(trusted.floors, 'root', root.version)
  requireCurrent('root', root, now)
  if (timestamp === undefined || snapshot === undefined || targets === undefined) {
    throw new UpstreamError('METADATA_UNAVAILABLE', 'no signed list has been verified yet', {
      next: 'Check that the mirror can be reached.',
    })
  }
  requireCurrent('timestamp', timestamp, now)
  requireCurrent('snapshot', snapshot, now)
  requireCurrent('targets', targets, now)
  if (maxUnseenMs !== undefined) requireIndexSeen(timestamp, now, maxUnseenMs)
}

/** TUF 5.1: expired means `expires <= now`. Throws EXPIRED. */
export function requireCurrent(
  role: string,
  metadata: { readonly version: number; readonly expires: number },
  now: number,
): void {
  if (metadata.expires > now) return
  throw new VerifyError(
    'EXPIRED',
    `${toPrintable(role)} version ${metadata.version} expired ${formatSpan(now - metadata.expires)} ago`,
    {
      role,
      version: metadata.version,
      expected: `after ${formatUtcSeconds(now)}`,
      found: formatUtcSeconds(metadata.expires),
      next: 'Check that the mirror is reachable and renewed, and that the clock of this machine is right.',
    },
  )
}

/** The clock may be 5 minutes behind the newest verified time. Throws CLOCK_WRONG. */
export function requireClock({ signedAt }: Floors, now: number): void {
  if (now >= signedAt - maxClockErrorMs) return
  throw new VerifyError(
    'CLOCK_WRONG',
    `the clock of this machine is ${formatSpan(signedAt - now)} behind a signed time that was already verified`,
    {
      expected: `at least ${formatUtcSeconds(signedAt)}`,
      found: formatUtcSeconds(now),
      next: clockAdvice,
    },
  )
}

/** A signed time may be 5 minutes ahead of the clock. Throws CLOCK_WRONG. */
export function requirePlausibleTime(timestamp: Timestamp, floors: Floors, now: number): void {
  requireClock(floors, now)
  const { signedAt } = timestamp
  if (signedAt === undefined || signedAt <= now + maxClockErrorMs) return
  throw new VerifyError(
    'CLOCK_WRONG',
    `timestamp version ${timestamp.version} was signed ${formatSpan(signedAt - now)} ahead of the clock of this machine`,
    {
      role: 'timestamp',
      version: timestamp.version,
      expected: `at most ${formatUtcSeconds(now)}`,
      found: formatUtcSeconds(signedAt),
      next: clockAdvice,
    },
  )
}

const clockAdvice = 'Check the clock of this machine, then that of the mirror.'

function requireIndexSeen(
  { version, indexSeenAt }: Timestamp,
  now: number,
  maxUnseenMs: number,
): void {
  if (indexSeenAt === undefined || now - indexSeenAt <= maxUnseenMs) return
  throw new VerifyError(
    'INDEX_UNSEEN',
    `the mirror has not seen its index for ${formatSpan(now - indexSeenAt)}`,
    {
      role: 'timestamp',
      version,
      expected: `within ${formatSpan(maxUnseenMs)}`,
      found: formatUtcSeconds(indexSeenAt),
      next: 'Ask whoever runs the mirror why it does not reach the index.',
    },
  )
}
