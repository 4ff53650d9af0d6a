/** One person's signatures: on every document of a change for which his key counts, and on no other. */

import { ConfigError } from '../base/errors.ts'
import { offlineRoles, type OfflineRole } from '../mirror/role-names.ts'
import type { Signer } from '../signing/signer.ts'
import type { Change } from './change-file.ts'
import type { CheckedChange } from './check-change.ts'
import { messageOf, type Draft } from './draft.ts'
import { collectChangeNames, renderNamedKey } from './key-names.ts'

/** Throws CONFIG_INVALID where the key has no say in any document. */
export function listSignedRoles(
  { change, documents }: CheckedChange,
  { keyid }: Signer,
): OfflineRole[] {
  const roles = documents.filter(({ keys }) => keys.has(keyid)).map(({ role }) => role)
  if (roles.length > 0) return roles
  const names = collectChangeNames(change)
  const wanted = documents.flatMap(({ role, requirements }) => {
    const missing = new Set(requirements.flatMap((requirement) => requirement.missing))
    const named = [...missing].map((id) => renderNamedKey(id, names)).join(' or ')
    return named === '' ? [] : [`${role}: ${named}`]
  })
  throw new ConfigError('KEY_INVALID', `The key ${keyid} has no say in this change`, {
    expected: wanted.join('; ') || 'nobody: all have signed',
    found: renderNamedKey(keyid, names),
    next: 'Take the key that belongs to one of the roles; tufgate mirror root status lists who is missing.',
  })
}

export async function signChange(
  { change }: CheckedChange,
  roles: readonly OfflineRole[],
  signer: Signer,
): Promise<Change> {
  const documents = new Map<OfflineRole, Draft>()
  for (const role of offlineRoles) {
    const draft = change.documents.get(role)
    if (draft === undefined) continue
    if (!roles.includes(role)) documents.set(role, draft)
    else documents.set(role, await addSignature(draft, signer))
  }
  return { ...change, documents }
}

async function addSignature(draft: Draft, signer: Signer): Promise<Draft> {
  const signature = await signer.sign(messageOf(draft))
  return { ...draft, signatures: new Map([...draft.signatures, [signer.keyid, signature]]) }
}
