/**
 * After a ceremony: what the offline role `claimed` says from now on is what is promoted. Called with
 * the new document just before it is published, in the same publication.
 */

import { ConfigError, VerifyError } from '../base/errors.ts'
import type { Bytes } from '../base/bytes.ts'
import { readPublicKey, type OwnerKeys } from '../owner/claim.ts'
import { ownerRole } from '../simple/project-targets.ts'
import type { DelegatedRole, Targets } from '../tuf/metadata.ts'
import { parseTargets } from '../tuf/parse.ts'
import { requireThreshold, type Signers } from '../tuf/threshold.ts'
import {
  dropClaim,
  findClaim,
  isDelegatedTo,
  listClaims,
  putClaim,
  readOwners,
  type StoredClaim,
} from './claims.ts'
import type { Mirror } from './open-mirror.ts'
import { readPublished } from './online-signers.ts'

/**
 * Throws where clients could not read a project under the new document: a role that nobody has signed,
 * or not with the keys that it names. Nothing has been changed then.
 */
export async function requireReadableClaims(mirror: Mirror, claimed: Targets): Promise<void> {
  const { delegations } = claimed
  for (const [project, role] of readOwners(claimed)) {
    const signers = { keys: delegations?.keys ?? new Map(), ...role }
    await requireSignedRole(mirror, project, signers)
  }
}

async function requireSignedRole(mirror: Mirror, project: string, signers: Signers): Promise<void> {
  const name = ownerRole(project)
  const role = mirror.roles.find(name)
  if (role === undefined || role.version === 0) {
    throw refuse(project, 'its owners have signed no release yet')
  }
  try {
    requireOwnerSignatures(name, await readPublished(mirror, name), signers)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw refuse(project, 'its release is not signed by the keys that claimed is to name', error)
  }
}

function requireOwnerSignatures(name: string, bytes: Bytes, signers: Signers): void {
  requireThreshold(name, parseTargets(bytes, name), signers, 'the new claimed')
}

function refuse(project: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError('HELD', `claimed cannot name the owners of ${project}: ${problem}`, {
    role: ownerRole(project),
    next: `Publish a release of ${project} that is signed by the keys of now and the new ones (tufgate owner sign --add), then this change.`,
    cause,
  })
}

export interface SettledClaims {
  readonly promoted: readonly string[]
  /** Back among what the mirror signs. */
  readonly released: readonly string[]
}

/** Within a transaction. Does nothing where `claimed` says what is known already. */
export function settleClaims(mirror: Mirror, claimed: Targets): SettledClaims {
  const now = mirror.clock()
  const owners = readOwners(claimed)
  const promoted = [...owners].filter(([project, role]) => promote(mirror, project, claimed, role))
  const released = listClaims(mirror, 'promoted').filter(({ project }) => !owners.has(project))
  for (const { project } of released) releaseClaim(mirror, project, now)
  const events = promoted.map(([project, { keyids }]) => ({
    kind: 'claim-promoted' as const,
    project,
    detail: { keys: [...keyids] },
  }))
  mirror.journal.append(events, now)
  return {
    promoted: promoted.map(([project]) => project),
    released: released.map(({ project }) => project),
  }
}

/** Whether anything changed by it. */
function promote(mirror: Mirror, project: string, claimed: Targets, role: DelegatedRole): boolean {
  const claim = findClaim(mirror, project)
  const { keys, threshold, created, next } = claim ?? readDelegated(claimed, role)
  const hasNewKeys = next !== undefined && isDelegatedTo(role, next)
  if (!hasNewKeys && claim?.state === 'promoted') return false
  const { state = 'pending' } = claim ?? {}
  const owners = hasNewKeys ? next : { keys, threshold, created }
  putClaim(mirror, {
    project,
    state: 'promoted',
    ...owners,
    ...(!hasNewKeys && next !== undefined && { next }),
  })
  if (state === 'recent') mirror.roles.markDirty('recently-claimed')
  if (state === 'pending') markBinOf(mirror, project)
  return true
}

/** The database does not know the claim: one that was put back from a backup. */
export function readDelegated(
  { delegations }: Targets,
  { keyids, threshold }: DelegatedRole,
): OwnerKeys & Pick<StoredClaim, 'created' | 'next'> {
  const keys = keyids.flatMap((keyid) => {
    const { keytype, scheme, rawPublic } = delegations?.keys.get(keyid) ?? {}
    const keyval = { public: rawPublic }
    return keytype === undefined ? [] : [[keyid, readPublicKey({ scheme, keyval })] as const]
  })
  return { keys: new Map(keys), threshold, created: 0 }
}

/** Within a transaction. The mirror signs the project again, beginning with what its owners signed last. */
export function releaseClaim(mirror: Mirror, project: string, now: number): void {
  const state = findClaim(mirror, project)?.state
  dropClaim(mirror, project)
  const detail = { was: state ?? 'unknown' }
  mirror.journal.append([{ kind: 'claim-removed', project, detail }], now)
  if (state === 'recent') mirror.roles.markDirty('recently-claimed')
  if (state !== 'pending') markBinOf(mirror, project)
}

function markBinOf({ ledger }: Mirror, project: string): void {
  const known = ledger.findProject(project)
  if (known === undefined) return
  ledger.markBin(known.bin)
  // The next look sees the whole page.
  ledger.database.run('UPDATE project SET etag = NULL, looked_at = NULL WHERE name = ?', project)
}
