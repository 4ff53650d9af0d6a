/**
 * Projects that sign for themselves (PEP 480), as the mirror remembers them.
 *
 * `pending`: keys are known, and nothing that they signed, so the mirror goes on signing. `recent`: the
 * online role `recently-claimed` names the keys. `promoted`: the offline role `claimed` does.
 */

import { encodeCanonicalDocument } from '../base/canonical-json.ts'
import { DecodeError, readArray, readInteger, readMember, readObject } from '../base/decode.ts'
import { readPublicKey, renderKey, type Claim, type OwnerKeys } from '../owner/claim.ts'
import { buildKeyid } from '../signing/public-key.ts'
import { ownerPaths, ownerRole } from '../simple/project-targets.ts'
import { readInteger as readNumber, readText, type Row } from '../store/database.ts'
import type { DelegatedRole, Targets } from '../tuf/metadata.ts'
import type { Delegation } from './metadata-documents.ts'
import type { MirrorMemory } from './open-mirror.ts'

export type ClaimState = 'pending' | 'recent' | 'promoted'

export interface StoredClaim extends Claim {
  readonly state: ClaimState
  /** Keys that those of now have handed over to, and that are not in force yet. */
  readonly next?: NextKeys
}

export interface NextKeys extends OwnerKeys {
  /** ms */
  readonly created: number
}

type Memory = Pick<MirrorMemory, 'ledger'>

export function findClaim({ ledger }: Memory, project: string): StoredClaim | undefined {
  const row = ledger.database.get('SELECT * FROM claim WHERE project = ?', project)
  return row && readClaim(row)
}

/** In order of the names; all of them, or those in one state. */
export function listClaims({ ledger }: Memory, state?: ClaimState): StoredClaim[] {
  const { database } = ledger
  const rows =
    state === undefined
      ? database.all('SELECT * FROM claim ORDER BY project')
      : database.all('SELECT * FROM claim WHERE state = ? ORDER BY project', state)
  return rows.map(readClaim)
}

/** Whether its owners sign it, and the mirror does not. */
export function isOwned(memory: Memory, project: string): boolean {
  const state = findClaim(memory, project)?.state
  return state !== undefined && state !== 'pending'
}

export function putClaim({ ledger }: Memory, claim: StoredClaim): void {
  ledger.database.run(
    `INSERT OR REPLACE INTO claim (project, state, keys, threshold, created, next)
     VALUES (?, ?, ?, ?, ?, ?)`,
    claim.project,
    claim.state,
    renderKeys(claim),
    claim.threshold,
    claim.created,
    claim.next === undefined ? null : renderNext(claim.next),
  )
}

export function dropClaim({ ledger }: Memory, project: string): void {
  ledger.database.run('DELETE FROM claim WHERE project = ?', project)
}

function renderKeys({ keys }: OwnerKeys): string {
  return encodeCanonicalDocument([...keys.values()].map(renderKey))
}

function renderNext(next: NextKeys): string {
  const { threshold, created } = next
  return JSON.stringify({ keys: JSON.parse(renderKeys(next)) as unknown, threshold, created })
}

function readClaim(row: Row): StoredClaim {
  const { next } = row
  return {
    project: readText(row, 'project'),
    state: readState(readText(row, 'state')),
    keys: readKeys(JSON.parse(readText(row, 'keys'))),
    threshold: readNumber(row, 'threshold'),
    created: readNumber(row, 'created'),
    ...(typeof next === 'string' && { next: readNext(JSON.parse(next)) }),
  }
}

function readState(text: string): ClaimState {
  if (text === 'pending' || text === 'recent' || text === 'promoted') return text
  throw new DecodeError('a claim in an unknown state')
}

function readKeys(value: unknown): OwnerKeys['keys'] {
  return new Map(readArray(value, readPublicKey).map((key) => [buildKeyid(key), key]))
}

function readNext(value: unknown): NextKeys {
  const next = readObject(value)
  return {
    keys: readMember(next, 'keys', readKeys),
    threshold: readMember(next, 'threshold', (threshold) => readInteger(threshold, 1)),
    created: readMember(next, 'created', (created) => readInteger(created, 0)),
  }
}

/** What `recently-claimed` says, in order of the names. */
export function listRecentClaims(memory: Memory): Delegation[] {
  return listClaims(memory, 'recent').map((claim) => describeDelegation(claim.project, claim))
}

/** Terminating: what its owner does not list must not be found further down (PEP 480). */
export function describeDelegation(project: string, owners: OwnerKeys): Delegation {
  return {
    name: ownerRole(project),
    paths: ownerPaths(project),
    terminating: true,
    keys: owners.keys,
    threshold: owners.threshold,
  }
}

/** Whether a published delegation is to these very keys. */
export function isDelegatedTo(role: DelegatedRole, { keys, threshold }: OwnerKeys): boolean {
  return (
    role.threshold === threshold &&
    role.keyids.length === keys.size &&
    role.keyids.every((keyid) => keys.has(keyid))
  )
}

/** What a delegating role says of owners, by project. */
export function readOwners({ delegations }: Targets): ReadonlyMap<string, DelegatedRole> {
  const prefix = ownerRole('')
  const roles = [...(delegations?.roles.values() ?? [])]
  return new Map(
    roles
      .filter(({ name }) => name.startsWith(prefix))
      .map((role) => [role.name.slice(prefix.length), role]),
  )
}
