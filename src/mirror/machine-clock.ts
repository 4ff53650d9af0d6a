/**
 * Whether the clock of this machine may date what is signed: clients refuse lists from the future, and
 * a list that was signed in the past expires in the past. Witnesses are the last signature, and the
 * index. Neither can make it sign at another time: they can only stop it, with a message.
 */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { UpstreamError, VerifyError } from '../base/errors.ts'
import type { IndexPort, IndexTime } from './index-port.ts'
import { requireClock, type Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'

/** As much as clients bear. */
const maxErrorMs = 5 * 60_000

/**
 * Throws CLOCK_WRONG. `isAccepted`: a person says that the clock is right now, whatever was signed
 * before and whatever the index says; versions go on from where they are.
 */
export function requireMachineClock(mirror: Mirror, isAccepted: boolean): void {
  const now = mirror.clock()
  if (!isAccepted) return requireClock(mirror, now)
  const last = mirror.settings.find(settings.lastSignedAt) ?? 0
  if (last > now) {
    mirror.report({
      kind: 'warning',
      message: `The last signature is dated ${formatUtcSeconds(last)}; from now on it is ${formatUtcSeconds(now)} again`,
      next: 'Clients whose clocks are right have refused what was dated ahead, and take the next list.',
    })
    mirror.settings.put(settings.lastSignedAt, now)
  }
  const seen = mirror.settings.find(settings.indexSeenAt) ?? 0
  // Dated ahead it would count as a recent look until then: the next sync says when it is.
  const tooLongAgo = now - mirror.settings.require(settings.maxUnseenMs) - 1
  if (seen > now) mirror.settings.put(settings.indexSeenAt, tooLongAgo)
}

/** Throws CLOCK_WRONG. An index that does not answer, or has no clock, is no witness. */
export async function requireIndexClock(
  mirror: Mirror,
  index: IndexPort,
  isAccepted: boolean,
): Promise<void> {
  const time = await findTime(index)
  const errorMs = time === undefined ? 0 : findError(time, mirror.clock())
  if (time === undefined || Math.abs(errorMs) <= maxErrorMs) return
  const refusal = refuse(index.name, time, mirror.clock(), errorMs)
  if (!isAccepted) throw refusal
  const { message } = refusal
  mirror.report({ kind: 'warning', message: `${message}; it is taken for right all the same` })
}

async function findTime(index: IndexPort): Promise<IndexTime | undefined> {
  try {
    return await index.findTime?.()
  } catch (error) {
    if (error instanceof UpstreamError) return undefined
    throw error
  }
}

/** How far the clock is ahead of the index; below 0 where it is behind. */
function findError({ earliest, latest }: IndexTime, now: number): number {
  if (now < earliest) return now - earliest
  return now > latest ? now - latest : 0
}

function refuse(name: string, { latest }: IndexTime, now: number, errorMs: number): VerifyError {
  const span = formatSpan(Math.abs(errorMs))
  return new VerifyError(
    'CLOCK_WRONG',
    `The clock of this machine is ${span} ${errorMs > 0 ? 'ahead of' : 'behind'} that of ${name}`,
    {
      expected: `${formatUtcSeconds(latest)}, as the index says`,
      found: formatUtcSeconds(now),
      next: 'Set the clock right, then run the command again. If it is right, and the index wrong, say so with --accept-clock.',
    },
  )
}
