/** Projects whose owners sign for themselves, at a mirror that is going to be robbed. */

import { openMirrorIndex } from '../../../src/cli/mirror/mirror-index.ts'
import { acceptReleases, addClaim } from '../../../src/mirror/claim-work.ts'
import { choosePromotions } from '../../../src/mirror/promote-claims.ts'
import type { Signer } from '../../../src/signing/signer.ts'
import { claimFor, signFor, type SignParts } from '../../../test/owner/maintainer.ts'
import type { StolenMirror } from './stolen-mirror.ts'

/** From now on the project is its owner's: his signature is in place of the mirror's. */
export async function claim(it: StolenMirror, project: string, owner: Signer): Promise<void> {
  const { context } = it.ceremony.mirror
  await addClaim(context, await claimFor(project, [owner], { now: Date.now() }))
  await handIn(it, project, owner)
}

/** A release of what is signed now, with these files besides. */
export async function handIn(
  it: StolenMirror,
  project: string,
  owner: Signer,
  more: Partial<SignParts> = {},
): Promise<void> {
  const { context, public: tree } = it.ceremony.mirror
  const { release } = await signFor(project, tree, owner, { now: Date.now(), ...more })
  await acceptReleases({ ...context, openIndex: openMirrorIndex, releases: [release] })
}

/** Those who hold the offline key of `claimed` name the owners there (PEP 480). */
export async function promote(it: StolenMirror): Promise<void> {
  const { ceremony } = it
  await ceremony.change(
    { listClaims: (mirror) => choosePromotions(mirror, undefined) },
    await ceremony.offline('claimed'),
  )
}
