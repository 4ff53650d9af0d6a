/**
 * How many owners one delegating role can name: clients take at most 8 MB of it, and refuse everything
 * when it is longer. So it is refused before it is signed.
 */

import { encodeUtf8 } from '../base/bytes.ts'
import { encodeCanonicalDocument } from '../base/canonical-json.ts'
import { ConfigError } from '../base/errors.ts'
import { describeDelegation, listClaims, type StoredClaim } from './claims.ts'
import { buildDelegator } from './metadata-documents.ts'
import type { MirrorMemory } from './open-mirror.ts'

/** `limits.targets` of clients by default, and room for signatures. */
export const maxDelegatorBytes = 8_000_000 - 64_000

/** Throws CONFIG_INVALID where the role that is to name the claim would be too long for clients. */
export function requireRoomForClaim(
  memory: Pick<MirrorMemory, 'ledger'>,
  added: StoredClaim,
): void {
  const others = listClaims(memory, added.state).filter(({ project }) => project !== added.project)
  requireRoom(added.state === 'recent' ? 'recently-claimed' : 'claimed', [...others, added])
}

export function requireRoom(role: string, claims: readonly StoredClaim[]): void {
  const length = measureDelegator(claims)
  if (length <= maxDelegatorBytes) return
  const each = Math.ceil(length / claims.length)
  throw new ConfigError(
    'CONFIG_INVALID',
    `${role} would be ${length} bytes long with ${claims.length} claims, and clients take ${maxDelegatorBytes}`,
    {
      role,
      expected: `at most ${Math.floor(maxDelegatorBytes / each)} claims of ${each} bytes`,
      found: `${claims.length} claims`,
      next:
        role === 'claimed'
          ? 'Release claims whose owners do not sign any more, or ask for Ed25519 keys, which are shorter.'
          : 'Promote what is claimed: tufgate mirror claims promote DIR --all',
    },
  )
}

/** Bytes of the role without its signatures. */
export function measureDelegator(claims: readonly StoredClaim[]): number {
  const delegations = claims.map((claim) => describeDelegation(claim.project, claim))
  const signed = buildDelegator({ version: 1_000_000, expires: 0 }, delegations)
  return encodeUtf8(encodeCanonicalDocument(signed)).length
}
