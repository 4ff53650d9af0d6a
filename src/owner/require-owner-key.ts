/**
 * Whether a release that is signed with a key can be taken: the key is one of those that clients
 * demand of the project now, or one that those have handed over to.
 */

import { ConfigError, VerifyError } from '../base/errors.ts'
import { requireThreshold, type Signers } from '../tuf/threshold.ts'
import { requirePossession, type UnverifiedClaim } from './claim.ts'

export interface OwnerKeyCheck {
  readonly project: string
  /** Absent where the mirror signs the project: then the claim that waits there decides. */
  readonly owners?: Signers | undefined
  /** The claim with which the keys of now hand over to others. */
  readonly handover?: UnverifiedClaim | undefined
}

/** Throws KEY_INVALID for the key of somebody else, and what `requirePossession` throws. */
export function requireOwnerKey({ project, owners, handover }: OwnerKeyCheck, keyid: string): void {
  if (owners === undefined || owners.keyids.includes(keyid)) return
  if (handover !== undefined && isHandedOver(project, owners, handover, keyid)) return
  const found = handover === undefined ? [] : [...handover.claim.keys.keys()]
  const isOne = owners.keyids.length === 1
  throw new ConfigError(
    'KEY_INVALID',
    `${project} is claimed with ${isOne ? 'the key' : 'the keys'} ${owners.keyids.join(', ')}, not with yours (${keyid}): the mirror would refuse this release`,
    {
      ...(handover !== undefined && {
        expected: `a claim of ${project} with your key, signed by the keys of now`,
        found: `${handover.claim.project}: ${found.join(', ')}`,
      }),
      next: 'Sign with a key of its owners. If they have handed over to yours, name that claim: --claim FILE',
    },
  )
}

function isHandedOver(
  project: string,
  owners: Signers,
  handover: UnverifiedClaim,
  keyid: string,
): boolean {
  const claim = requirePossession(handover)
  if (claim.project !== project || !claim.keys.has(keyid)) return false
  try {
    requireThreshold('the claim', handover, owners, 'the keys of now')
    return true
  } catch (error) {
    if (error instanceof VerifyError) return false
    throw error
  }
}
