/** What stands with the projects that sign for themselves: keys, releases, and when they expire. */

import { ownerRole } from '../simple/project-targets.ts'
import { listClaims, type StoredClaim } from './claims.ts'
import type { MirrorMemory } from './open-mirror.ts'
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
