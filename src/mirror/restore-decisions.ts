/**
 * What people have decided and published since the backup that a database was put back from: who signs
 * for himself, and what is withdrawn. The published roles, verified, say it; the journal, which has
 * entries of its own for it, is continued elsewhere (`journal-recovery.ts`).
 */

import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { denyTarget, parseDenials } from '../simple/denial.ts'
import type { DelegatedRole, Targets } from '../tuf/metadata.ts'
import {
  dropClaim,
  findClaim,
  isDelegatedTo,
  listClaims,
  putClaim,
  readOwners,
  type ClaimState,
} from './claims.ts'
import type { Mirror } from './open-mirror.ts'
import { readDelegated } from './settle-claims.ts'

export interface PublishedClaims {
  readonly claimed: Targets
  readonly recent: Targets
  /** ms: of the timestamp that leads to them. */
  readonly signedAt: number
}

/** A claim of which nothing is published stays where it is pending, and is gone where it was not. */
export function restoreClaims(
  mirror: Mirror,
  { claimed, recent, signedAt }: PublishedClaims,
): void {
  const promoted = readOwners(claimed)
  const recently = readOwners(recent)
  mirror.ledger.database.transaction(() => {
    for (const { project, state } of listClaims(mirror)) {
      const isPublished = promoted.has(project) || recently.has(project)
      if (state !== 'pending' && !isPublished) dropClaim(mirror, project)
    }
    // What is promoted counts, wherever else it stands.
    for (const [project, role] of recently)
      restoreClaim(mirror, { project, state: 'recent', delegator: recent, role, signedAt })
    for (const [project, role] of promoted)
      restoreClaim(mirror, { project, state: 'promoted', delegator: claimed, role, signedAt })
  })
}

interface PublishedClaim {
  readonly project: string
  readonly state: ClaimState
  readonly delegator: Targets
  readonly role: DelegatedRole
  readonly signedAt: number
}

function restoreClaim(mirror: Mirror, published: PublishedClaim): void {
  const { project, state, delegator, role, signedAt } = published
  const known = findClaim(mirror, project)
  if (known !== undefined && isDelegatedTo(role, known)) {
    putClaim(mirror, { ...known, state })
    return
  }
  const { next } = known ?? {}
  const { keys, threshold } = readDelegated(delegator, role)
  // When they were claimed is not known: later than whatever was handed over to them by then.
  const created = next !== undefined && isDelegatedTo(role, next) ? next.created : signedAt
  putClaim(mirror, { project, state, keys, threshold, created })
}

/** @param contents verified, by target path: everything that is withdrawn */
export function restoreDenials(mirror: Mirror, contents: ReadonlyMap<string, Bytes>): void {
  const { database } = mirror.ledger
  database.transaction(() => {
    database.run('DELETE FROM deny')
    for (const [path, bytes] of contents) {
      const project = /^deny\/([^/]+)\.json$/.exec(path)?.[1] ?? ''
      // Ours, and signed; a name that is not one of ours would be lost unseen.
      parseDenials(bytes, project)
      if (denyTarget(project) !== path) throw new TypeError(`${path} is not where denials are`)
      database.run(
        'INSERT INTO deny (project, sha256, length, content) VALUES (?, ?, ?, ?)',
        project,
        sha256Hex(bytes),
        bytes.length,
        decodeUtf8(bytes),
      )
    }
  })
}
