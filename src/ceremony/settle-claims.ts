/** Claims that people have signed offline from now on (PEP 480): the online role stops naming them. */

import { isDelegatedTo, listClaims, putClaim, readOwners } from '../mirror/claims.ts'
import type { Mirror } from '../mirror/open-mirror.ts'
import type { Targets } from '../tuf/metadata.ts'

/** Within the transaction that takes the new `claimed` into use. */
export function settleClaims(mirror: Mirror, claimed: Targets): void {
  const owners = readOwners(claimed)
  for (const claim of listClaims(mirror)) {
    const role = owners.get(claim.project)
    if (role === undefined) continue
    const { next, ...current } = claim
    if (next !== undefined && isDelegatedTo(role, next)) {
      putClaim(mirror, { ...current, ...next, state: 'promoted' })
    } else if (claim.state === 'recent' && isDelegatedTo(role, claim)) {
      putClaim(mirror, { ...claim, state: 'promoted' })
    }
  }
  mirror.roles.markDirty('recently-claimed')
}
