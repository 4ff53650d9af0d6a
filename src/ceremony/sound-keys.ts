/**
 * The keys that a change names: each one is there, clients can use it, and none is counted twice. What
 * people read as "2 of 3 keys" would else be two of two, and end with the loss of one.
 *
 * Owners' keys are not looked at here: there are thousands, and their releases are verified with them.
 */

import { toPrintable } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import type { Key } from '../tuf/keys.ts'
import type { RoleKeys } from '../tuf/metadata.ts'
import type { Draft } from './draft.ts'
import { readRootDraft, readTargetsDraft } from './offline-state.ts'

/** Throws VerifyError MALFORMED. */
export function requireSoundKeys(role: OfflineRole, draft: Draft): void {
  if (role === 'claimed') return
  const { keys, holders } = role === 'root' ? readRootHolders(draft) : readHolders(role, draft)
  for (const [holder, { keyids }] of holders) {
    const values = new Set<string>()
    for (const keyid of keyids) {
      const key = keys.get(keyid)
      if (key?.verifier === undefined) throw refuse(role, holder, keyid, 'is none that clients use')
      if (values.has(key.value)) throw refuse(role, holder, keyid, 'is there under another id too')
      values.add(key.value)
    }
  }
}

interface Holders {
  readonly keys: ReadonlyMap<string, Key>
  readonly holders: readonly (readonly [string, RoleKeys])[]
}

function readRootHolders(draft: Draft): Holders {
  const { keys, roles } = readRootDraft(draft)
  return { keys, holders: Object.entries(roles) }
}

function readHolders(role: string, draft: Draft): Holders {
  const { delegations } = readTargetsDraft(role, draft)
  if (delegations === undefined) return { keys: new Map(), holders: [] }
  const { keys, roles, bins } = delegations
  return { keys, holders: bins === undefined ? [...roles] : [['bins-nn', bins]] }
}

function refuse(role: OfflineRole, holder: string, keyid: string, problem: string): VerifyError {
  return new VerifyError(
    'MALFORMED',
    `In ${role} the key ${toPrintable(keyid)} of ${toPrintable(holder)} ${problem}`,
    { role, found: toPrintable(keyid) },
  )
}
