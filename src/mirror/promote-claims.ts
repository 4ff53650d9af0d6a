/**
 * `mirror claims promote|remove -o`: what a change of the offline role `claimed` is to say. People sign
 * it in a ceremony; once it is published, `settle-claims.ts` follows it.
 */

import { ConfigError } from '../base/errors.ts'
import { ownerRole } from '../simple/project-targets.ts'
import { describeDelegation, findClaim, listClaims, type StoredClaim } from './claims.ts'
import { requireRoom } from './claims-size.ts'
import type { Delegation } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'

/**
 * @param projects left out: all that can be promoted. Throws CONFIG_INVALID for one that cannot, and
 * where the role would be longer than clients take.
 */
export function choosePromotions(
  mirror: Mirror,
  projects: readonly string[] | undefined,
): Delegation[] {
  const chosen =
    projects === undefined
      ? listClaims(mirror).filter(isPromotable)
      : projects.map((project) => requirePromotable(mirror, project))
  const names = new Set(chosen.map(({ project }) => project))
  const others = listClaims(mirror, 'promoted').filter(({ project }) => !names.has(project))
  const next = chosen.map((claim) => ({ ...claim, ...nextOwners(claim) }))
  requireRoom('claimed', [...others, ...next])
  return next.map((claim) => describeDelegation(claim.project, claim))
}

/** A recent claim, or a promoted one whose keys are to change. */
function isPromotable({ state, next }: StoredClaim): boolean {
  return state === 'recent' || (state === 'promoted' && next !== undefined)
}

/** Of a recent claim the keys of now: new ones take over online, by a release. */
function nextOwners({
  state,
  next,
  keys,
  threshold,
}: StoredClaim): Pick<StoredClaim, 'keys' | 'threshold'> {
  return state === 'promoted' && next !== undefined ? next : { keys, threshold }
}

function requirePromotable(mirror: Mirror, project: string): StoredClaim {
  const claim = findClaim(mirror, project)
  if (claim !== undefined && isPromotable(claim)) return claim
  throw new ConfigError('CONFIG_INVALID', `The claim of ${project} cannot be promoted`, {
    found: claim === undefined ? 'nobody has claimed it' : `it is ${claim.state}`,
    next:
      claim?.state === 'pending'
        ? `Accept a first release of it: tufgate mirror claims accept ${mirror.directory} RELEASE`
        : `List the claims with: tufgate mirror claims list ${mirror.directory}`,
  })
}

/** The name of its role. Throws CONFIG_INVALID where no ceremony is needed to drop the claim. */
export function requireReleasable(mirror: Mirror, project: string): string {
  const claim = findClaim(mirror, project)
  if (claim?.state === 'promoted') return ownerRole(project)
  throw new ConfigError('CONFIG_INVALID', `The claim of ${project} is not promoted`, {
    found: claim === undefined ? 'nobody has claimed it' : `it is ${claim.state}`,
    next: `No ceremony is needed: tufgate mirror claims remove ${mirror.directory} ${project}`,
  })
}
