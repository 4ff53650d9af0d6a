/**
 * The documents that people sign, as one state: each verified under the one that names its keys, by
 * the same rules as a client has. What is in force now is such a state, and so is what a change
 * would make of it.
 */

import { VerifyError } from '../base/errors.ts'
import { encodeUtf8, toPrintable, type Bytes } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import { sha256Hex } from '../base/digest.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import { findSigners } from '../tuf/delegation.ts'
import type { Root, Targets } from '../tuf/metadata.ts'
import { parseRoot, parseTargets } from '../tuf/parse.ts'
import { requireThreshold, type Signers } from '../tuf/threshold.ts'
import { acceptRoot, noFloors, trustRoot, type TrustedSet } from '../tuf/trusted-set.ts'
import { renderDraft, type Draft } from './draft.ts'
import { readKeyTable } from './role-keys.ts'

export interface OfflineState {
  readonly root: Root
  readonly targets: Targets
}

/** The roles below root that people sign, each after the one that names its keys. */
export const rolesBelowRoot = ['targets', 'claimed', 'bins'] as const satisfies OfflineRole[]

/** Throws VerifyError where the first is not signed by itself, or one does not follow the other. */
export function requireRootChain(roots: readonly Draft[]): TrustedSet {
  const [first, ...others] = roots
  if (first === undefined) throw new TypeError('a chain has a first root')
  for (const root of roots) requireHonestKeyids('root', root)
  let trusted = trustRoot(renderDraft(first), noFloors)
  for (const root of others) trusted = acceptRoot(trusted, renderDraft(root))
  return trusted
}

/** Those whose signatures count for a role below root. */
export function signersOf(role: (typeof rolesBelowRoot)[number], state: OfflineState): Signers {
  const { root, targets } = state
  if (role === 'targets') return { keys: root.keys, ...root.roles.targets }
  const signers = targets.delegations && findSigners(targets.delegations, role)
  if (signers !== undefined) return signers
  throw new VerifyError('MALFORMED', `targets does not delegate to ${role}`, {
    role,
    next: 'Prepare the change again from the mirror: tufgate mirror root new',
  })
}

export function signersOfRoot(root: Root): Signers {
  return { keys: root.keys, ...root.roles.root }
}

/** Throws VerifyError: MALFORMED, or SIGNATURE_THRESHOLD where too few of those who may have signed. */
export function requireSigned(
  role: (typeof rolesBelowRoot)[number],
  bytes: Bytes,
  state: OfflineState,
): Targets {
  const unverified = parseTargets(bytes, role)
  const by = role === 'targets' ? 'root' : 'targets'
  requireThreshold(role, unverified, signersOf(role, state), by)
  return unverified.claimed
}

/** Well formed, whoever signed it. Throws VerifyError MALFORMED. */
export function readRootDraft(draft: Draft): Root {
  requireHonestKeyids('root', draft)
  return parseRoot(renderDraft(draft)).claimed
}

export function readTargetsDraft(role: string, draft: Draft): Targets {
  requireHonestKeyids(role, draft)
  return parseTargets(renderDraft(draft), role).claimed
}

/**
 * TUF 4.2.1: an id is the digest of its key. Clients take ids as they are declared; people compare
 * ids, so here another key must not stand behind the same one.
 */
function requireHonestKeyids(role: string, { signed }: Draft): void {
  if (role !== 'root' && !('delegations' in signed)) return
  for (const [keyid, key] of readKeyTable(signed)) {
    if (sha256Hex(encodeUtf8(encodeCanonical(key))) === keyid) continue
    throw new VerifyError(
      'MALFORMED',
      `In ${role} the key id ${toPrintable(keyid)} is not that of the key behind it`,
      {
        role,
        found: toPrintable(keyid),
        next: 'Do not sign. Ask whoever prepared the change, by another way than the one this file came.',
      },
    )
  }
}
