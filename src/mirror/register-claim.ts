/**
 * `mirror claims add`: who may sign a project from now on. The operator decides that a first claim is
 * genuine; a change of keys has to be signed by those of now.
 */

import type { Bytes } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { ConfigError, VerifyError } from '../base/errors.ts'
import { parseClaim, requireHandover, requirePossession, type OwnerKeys } from '../owner/claim.ts'
import { findClaim, putClaim, type StoredClaim } from './claims.ts'
import type { Mirror } from './open-mirror.ts'

export interface RegisteredClaim {
  readonly project: string
  /** `handover`: the keys of now stay until the new ones have signed a release. */
  readonly kind: 'pending' | 'handover' | 'known'
  readonly claim: StoredClaim
}

/** A signed time may be this far ahead of the clock. */
const maxAheadMs = 5 * 60_000

/** Throws VerifyError MALFORMED, SIGNATURE_THRESHOLD or VERSION_ROLLBACK, and CONFIG_INVALID. */
export function registerClaim(mirror: Mirror, bytes: Bytes): RegisteredClaim {
  const unverified = parseClaim(bytes)
  const claim = requirePossession(unverified)
  const { project, created } = claim
  requirePast(project, created, mirror.clock())
  const before = findClaim(mirror, project)
  if (before === undefined) return put(mirror, 'pending', { ...claim, state: 'pending' })
  if (isSame(before, claim)) {
    const { next: _, ...kept } = before
    // Back to the keys of now: a handover that was begun is given up.
    return put(mirror, 'known', kept)
  }
  if (before.state === 'pending') throw refuseSecond(mirror, project)
  requireHandover(unverified, before)
  // An older handover must not be played again once its keys are out of use.
  requireNewer(project, created, Math.max(before.created, before.next?.created ?? 0))
  const { keys, threshold } = claim
  return put(mirror, 'handover', { ...before, next: { keys, threshold, created } })
}

function put(mirror: Mirror, kind: RegisteredClaim['kind'], claim: StoredClaim): RegisteredClaim {
  const keys = [...(claim.next ?? claim).keys.keys()]
  mirror.ledger.database.transaction(() => {
    putClaim(mirror, claim)
    const event = {
      kind: 'claim-added',
      project: claim.project,
      detail: { as: kind, keys },
    } as const
    if (kind !== 'known') mirror.journal.append([event], mirror.clock())
  })
  return { project: claim.project, kind, claim }
}

function isSame(left: OwnerKeys, right: OwnerKeys): boolean {
  return (
    left.threshold === right.threshold &&
    left.keys.size === right.keys.size &&
    [...left.keys.keys()].every((keyid) => right.keys.has(keyid))
  )
}

function requirePast(project: string, created: number, now: number): void {
  if (created <= now + maxAheadMs) return
  throw new VerifyError('CLOCK_WRONG', `The claim of ${project} was made in the future`, {
    expected: `at most ${formatUtcSeconds(now)}`,
    found: formatUtcSeconds(created),
    next: 'Check the clock of this machine, then that of whoever made it.',
  })
}

function requireNewer(project: string, created: number, before: number): void {
  if (created > before) return
  throw new VerifyError(
    'VERSION_ROLLBACK',
    `The claim of ${project} is older than the one of now`,
    {
      expected: `after ${formatUtcSeconds(before)}`,
      found: formatUtcSeconds(created),
      next: 'Ask the maintainers for a new claim.',
    },
  )
}

function refuseSecond({ directory }: Mirror, project: string): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${project} has another claim already, which is pending`,
    {
      next: `Find out which one is genuine. To drop the one that is here: tufgate mirror claims remove ${directory} ${project}`,
    },
  )
}
