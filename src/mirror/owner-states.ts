/** What stands with the projects that sign for themselves: states, and signatures that expire soon. */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { ownerRole } from '../simple/project-targets.ts'
import { listClaims, type StoredClaim } from './claims.ts'
import type { MirrorMemory } from './open-mirror.ts'
import type { MirrorEvent } from './report.ts'
import { dayMs } from './settings.ts'

export interface OwnerState extends StoredClaim {
  /** Of the release that is published; absent while the claim is pending. */
  readonly version?: number
  /** ms */
  readonly expires?: number
}

/** Maintainers are people: they need time. */
export const warnedBeforeMs = 30 * dayMs

type Memory = Pick<MirrorMemory, 'ledger' | 'roles'>

/** In order of the names. */
export function listOwnerStates(memory: Memory): OwnerState[] {
  return listClaims(memory).map((claim) => {
    const role = claim.state === 'pending' ? undefined : memory.roles.find(ownerRole(claim.project))
    return role === undefined ? claim : { ...claim, version: role.version, expires: role.expires }
  })
}

/** Those whose signature ends within 30 days, or has ended. */
export function listExpiringOwners(
  memory: Memory,
  now: number,
): { project: string; expires: number }[] {
  return listOwnerStates(memory).flatMap(({ project, expires }) =>
    expires === undefined || expires - now > warnedBeforeMs ? [] : [{ project, expires }],
  )
}

/** One warning for each; nothing here can renew them. */
export function describeOwnerExpiry(
  { project, expires }: { readonly project: string; readonly expires: number },
  now: number,
): Extract<MirrorEvent, { kind: 'warning' }> {
  const when = expires > now ? `expires in ${formatSpan(expires - now)}` : 'has expired'
  return {
    kind: 'warning',
    message: `The signature of the maintainers of ${project} ${when} (${formatUtcSeconds(expires)}); then clients refuse ${project}, and nothing else`,
    next: `Ask them to sign again: tufgate owner sign --project ${project} ...`,
  }
}
