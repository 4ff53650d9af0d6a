/**
 * The documents that a change consists of, made from those that are published and from what is asked
 * for. Whatever the published ones say besides stays in them.
 *
 * Which documents are made follows from what changes: one that would not verify any more under its
 * new keys is made again, so that a change is always whole.
 */

import { toPrintable } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { readMember, readObject, type JsonObject } from '../base/decode.ts'
import { ConfigError, VerifyError } from '../base/errors.ts'
import type { Delegation } from '../mirror/metadata-documents.ts'
import { offlineRoles, type OfflineRole, type OnlineRole } from '../mirror/role-names.ts'
import type { NamedKey } from '../signing/public-key.ts'
import { renderDraft, type Draft } from './draft.ts'
import {
  readRootDraft,
  readTargetsDraft,
  requireSigned,
  rolesBelowRoot,
  type OfflineState,
} from './offline-state.ts'
import { withClaims, withoutClaims } from './claimed-document.ts'
import { addKey, removeKey, requirePossible, setThreshold, type HeldKey } from './key-changes.ts'
import { namedIn, readHeldKeys, replaceHeldKeys } from './role-keys.ts'

/** What is asked for. */
export interface ChangeRequest {
  readonly addKeys?: readonly { readonly role: OfflineRole; readonly key: HeldKey }[]
  /** `keyid`: its beginning is enough. */
  readonly removeKeys?: readonly { readonly role: OfflineRole; readonly keyid: string }[]
  readonly thresholds?: ReadonlyMap<OfflineRole, number>
  /** All documents, whether anything else changes in them or not. */
  readonly isRenewal?: boolean
  /** The new key of an online role. */
  readonly onlineKeys?: ReadonlyMap<OnlineRole, NamedKey>
  readonly bitLength?: number
  /** Projects whose owners are named in `claimed` from now on. */
  readonly claims?: readonly Delegation[]
  /** Roles of owners that `claimed` is not to name any more. */
  readonly released?: readonly string[]
  /** A root that ends with the loss of one key. */
  readonly acceptLossRisk?: boolean
}

export type Documents = ReadonlyMap<OfflineRole, JsonObject>

export interface ChangeDates {
  /** ms */
  readonly expires: number
  /** Of a role below root: one that was never given out. */
  readonly nextVersion: (role: OfflineRole) => number
}

/** Throws CONFIG_INVALID for what cannot be, and where nothing would change. */
export function buildDocuments(
  published: ReadonlyMap<OfflineRole, Draft>,
  request: ChangeRequest,
  { expires, nextVersion }: ChangeDates,
): Documents {
  const before: Documents = new Map([...published].map(([role, { signed }]) => [role, signed]))
  const after = applyRequest(before, request)
  requirePossible(before, after, request.acceptLossRisk === true)
  const roles = listRolesToSign(published, before, after, request.isRenewal === true)
  const versionOf = (role: OfflineRole): number =>
    role === 'root' ? readVersion(before, 'root') + 1 : nextVersion(role)
  return new Map(
    roles.map((role) => [
      role,
      {
        ...requireDocument(after, role),
        version: versionOf(role),
        expires: formatUtcSeconds(expires),
      },
    ]),
  )
}

/** Additions first: a key is replaced without a moment in which there are too few. */
function applyRequest(before: Documents, request: ChangeRequest): Documents {
  const documents = new Map(before)
  const edit = (role: OfflineRole, change: (signed: JsonObject) => JsonObject): void => {
    documents.set(role, change(requireDocument(documents, role)))
  }
  for (const { role, key } of request.addKeys ?? []) {
    edit(namedIn[role], (signed) => addKey(signed, role, key))
  }
  for (const { role, keyid } of request.removeKeys ?? []) {
    edit(namedIn[role], (signed) => removeKey(signed, role, keyid))
  }
  for (const [role, threshold] of request.thresholds ?? []) {
    edit(namedIn[role], (signed) => setThreshold(signed, role, threshold))
  }
  for (const [role, key] of request.onlineKeys ?? []) {
    edit(namedIn[role], (signed) => replaceOnlineKey(signed, role, key))
  }
  const { bitLength, claims, released } = request
  if (bitLength !== undefined) edit('bins', (signed) => withBitLength(signed, bitLength))
  if (claims !== undefined) edit('claimed', (signed) => withClaims(signed, claims))
  if (released !== undefined) edit('claimed', (signed) => withoutClaims(signed, released))
  return documents
}

function replaceOnlineKey(
  signed: JsonObject,
  role: OnlineRole,
  { key, keyid }: NamedKey,
): JsonObject {
  if (readHeldKeys(signed, role).keys.has(keyid)) {
    throw new ConfigError('CONFIG_INVALID', `${role} has the key ${keyid} already`, {
      next: 'Give another key, or have a new one made: --rotate without a file.',
    })
  }
  return replaceHeldKeys(signed, role, { keys: new Map([[keyid, { ...key }]]), threshold: 1 })
}

/** TAP 15 */
function withBitLength(signed: JsonObject, bitLength: number): JsonObject {
  const delegations = readMember(signed, 'delegations', readObject)
  const bins = readMember(delegations, 'succinct_roles', readObject)
  if (bins['bit_length'] === bitLength) {
    throw new ConfigError('CONFIG_INVALID', `There are ${2 ** bitLength} bins already`, {
      next: 'Leave --bins out.',
    })
  }
  const succinct = { ...bins, bit_length: bitLength }
  return { ...signed, delegations: { ...delegations, succinct_roles: succinct } }
}

function listRolesToSign(
  published: ReadonlyMap<OfflineRole, Draft>,
  before: Documents,
  after: Documents,
  isRenewal: boolean,
): OfflineRole[] {
  const isChanged = (role: OfflineRole): boolean =>
    encodeCanonical(before.get(role)) !== encodeCanonical(after.get(role))
  const changed = offlineRoles.filter((role) => isRenewal || isChanged(role))
  if (changed.length === 0) {
    throw new ConfigError('CONFIG_INVALID', 'Nothing would change', {
      next: 'Say what is to change, such as --renew or --rotate ROLE; --help lists it.',
    })
  }
  const state = readState(after)
  const unsigned = rolesBelowRoot.filter((role) => !isStillSigned(role, published.get(role), state))
  return offlineRoles.filter(
    (role) => changed.includes(role) || unsigned.some((other) => other === role),
  )
}

function readState(documents: Documents): OfflineState {
  const draftOf = (role: OfflineRole): Draft => ({
    signed: requireDocument(documents, role),
    signatures: new Map(),
  })
  return {
    root: readRootDraft(draftOf('root')),
    targets: readTargetsDraft('targets', draftOf('targets')),
  }
}

/** Whether what is published stays good under the keys of the new state. */
function isStillSigned(
  role: (typeof rolesBelowRoot)[number],
  draft: Draft | undefined,
  state: OfflineState,
): boolean {
  if (draft === undefined) return false
  try {
    requireSigned(role, renderDraft(draft), state)
    return true
  } catch (error) {
    if (error instanceof VerifyError && error.code === 'SIGNATURE_THRESHOLD') return false
    throw error
  }
}

function requireDocument(documents: Documents, role: OfflineRole): JsonObject {
  const signed = documents.get(role)
  if (signed !== undefined) return signed
  throw new TypeError(`there is no published ${toPrintable(role)}`)
}

function readVersion(documents: Documents, role: OfflineRole): number {
  const { version } = requireDocument(documents, role)
  if (typeof version === 'number') return version
  throw new TypeError(`${role} has no version`)
}
