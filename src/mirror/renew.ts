/**
 * `mirror renew`: keeps the signed list alive without looking at the index. It signs nothing new,
 * and stops once the index has not been seen for too long: a frozen index must not hide behind a
 * fresh timestamp.
 */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { ConfigError } from '../base/errors.ts'
import { catchUp } from './catch-up.ts'
import { restageDenials } from './deny.ts'
import { chooseIndex, type OpenIndex } from './index-choice.ts'
import { requireIndexClock, requireMachineClock } from './machine-clock.ts'
import { openOnlineSigners } from './online-signers.ts'
import { openMirror, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishMirror, type Published } from './publish.ts'
import { updateProjectList } from './published-list.ts'
import { adviseRenewal, listExpiries } from './role-expiries.ts'
import { settings } from './settings.ts'

export interface RenewOptions extends MirrorContext {
  readonly directory: string
  /** To ask an index at an address what time it is; left out, it is not asked. */
  readonly openIndex?: OpenIndex
  /** A person says that the clock of this machine is right. */
  readonly acceptClock?: boolean
  /** Every online role, however young: files that are missing or damaged are made anew. */
  readonly isAll?: boolean
}

export interface RenewResult {
  /** `undefined`: everything was young enough. */
  readonly published: Published | undefined
}

/** Throws HELD where the last successful look at the index is older than `max-unseen`. */
export async function renewMirror(options: RenewOptions): Promise<RenewResult> {
  const mirror = await openMirror(options.directory, options)
  try {
    await catchUp(mirror)
    requireMachineClock(mirror, options.acceptClock === true)
    await askIndexForTime(mirror, options)
    const now = mirror.clock()
    warnOfExpiry(mirror, now)
    requireIndexSeen(mirror, now)
    const signers = await openOnlineSigners(mirror)
    const isTimestampDue = options.isAll === true
    if (isTimestampDue) await remakeAll(mirror, now)
    return { published: await publishMirror(mirror, signers, { now, isTimestampDue }) }
  } finally {
    await mirror.close()
  }
}

/** A folder has no clock of its own. */
async function askIndexForTime(
  mirror: Mirror,
  { openIndex, acceptClock = false }: RenewOptions,
): Promise<void> {
  const index = mirror.settings.find(settings.index)
  if (openIndex === undefined || index === undefined || !/^https?:/.test(index)) return
  const { port } = await chooseIndex(mirror, {}, openIndex)
  try {
    await requireIndexClock(mirror, port, acceptClock)
  } finally {
    await port.close()
  }
}

/** What the mirror knows by itself; snapshot follows from the roles. Records need a look at the index. */
async function remakeAll(mirror: Mirror, now: number): Promise<void> {
  await restageDenials(mirror)
  await updateProjectList(mirror, now, { isForced: true })
  mirror.roles.markAllBins()
  for (const role of ['deny', 'recently-claimed']) mirror.roles.markDirty(role)
}

function requireIndexSeen(mirror: Mirror, now: number): void {
  const seen = mirror.settings.find(settings.indexSeenAt)
  const maxUnseen = mirror.settings.require(settings.maxUnseenMs)
  if (seen !== undefined && now - seen <= maxUnseen) return
  const found = seen === undefined ? 'never' : formatUtcSeconds(seen)
  const last = seen === undefined ? 'never seen' : `last seen ${formatSpan(now - seen)} ago`
  throw new ConfigError('HELD', `The index was ${last}; nothing is signed again`, {
    expected: `a look within ${formatSpan(maxUnseen)}`,
    found,
    next: 'Run: tufgate mirror sync, and look into why it has not succeeded.',
  })
}

/** Of roles that others sign: nothing here can renew them. */
function warnOfExpiry(mirror: Mirror, now: number): void {
  for (const expiry of listExpiries(mirror, now)) {
    const { role, expires, lifetime, urgency } = expiry
    if (lifetime !== undefined || urgency === 'ok') continue
    const when = expires > now ? `expires in ${formatSpan(expires - now)}` : 'has expired'
    const effect = role.startsWith('owner-')
      ? 'clients refuse its project'
      : 'every client refuses everything'
    mirror.report({
      kind: 'warning',
      message: `The role ${role} ${when} (${formatUtcSeconds(expires)}); after that ${effect}`,
      next: adviseRenewal(expiry, { now, directory: mirror.directory }),
    })
  }
}
