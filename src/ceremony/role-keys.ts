/**
 * Where the keys of a role stand in the document that names them, and how they are replaced there,
 * with everything else in the document left as it is (TUF 4.3, 4.5, TAP 15).
 */

import {
  DecodeError,
  member,
  readArray,
  readInteger,
  readMap,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import {
  offlineRoles,
  onlineRoles,
  type OfflineRole,
  type OnlineRole,
} from '../mirror/role-names.ts'

export type ManagedRole = OfflineRole | OnlineRole

export const managedRoles: readonly ManagedRole[] = [...offlineRoles, ...onlineRoles]

/** The document in which each role's keys stand. */
export const namedIn = {
  root: 'root',
  targets: 'root',
  snapshot: 'root',
  timestamp: 'root',
  deny: 'targets',
  claimed: 'targets',
  'recently-claimed': 'targets',
  bins: 'targets',
  'bins-nn': 'bins',
} as const satisfies Record<ManagedRole, OfflineRole>

/** Keys in the order of their ids. */
export interface HeldKeys {
  readonly keys: ReadonlyMap<string, JsonObject>
  readonly threshold: number
}

/** What people call the keys: it is signed with them, and means nothing to clients. */
const ownMember = 'x-tufgate'
const namesMember = 'key-names'

/** Throws a DecodeError where the document does not name the role. */
export function readHeldKeys(signed: JsonObject, role: ManagedRole): HeldKeys {
  const table = readKeyTable(signed)
  const slot = findSlot(signed, role)
  const keyids = readMember(slot, 'keyids', (value) => readArray(value, readString))
  const keys = keyids.toSorted().map((keyid) => {
    const key = table.get(keyid)
    if (key === undefined) throw new DecodeError(`the key ${keyid} of ${role} is missing`)
    return [keyid, key] as const
  })
  return {
    keys: new Map(keys),
    threshold: readMember(slot, 'threshold', (value) => readInteger(value, 1)),
  }
}

/** The document with other keys for one role; keys that no role has any more are left out. */
export function replaceHeldKeys(
  signed: JsonObject,
  role: ManagedRole,
  { keys, threshold }: HeldKeys,
): JsonObject {
  const slot = { ...findSlot(signed, role), keyids: [...keys.keys()].toSorted(), threshold }
  const changed = replaceSlot(signed, role, slot)
  const table = new Map([...readKeyTable(signed), ...keys])
  const used = new Set(listSlots(changed).flatMap((item) => readKeyids(item)))
  const kept = Object.fromEntries([...table].filter(([keyid]) => used.has(keyid)))
  const names = [...readKeyNames(signed)].filter(([keyid]) => used.has(keyid))
  return replaceKeyNames(replaceKeyTable(changed, kept), new Map(names))
}

/** By key id; of keys without a name nothing stands here. */
export function readKeyNames(signed: JsonObject): Map<string, string> {
  const own = readOptional(signed, ownMember, readObject)
  const names = own && readOptional(own, namesMember, (value) => readMap(value, readString))
  return names ?? new Map<string, string>()
}

/** A name that tufgate would give. */
export function isKeyName(raw: string): boolean {
  return /^[A-Za-z0-9._@-]{1,40}$/.test(raw)
}

export function replaceKeyNames(
  signed: JsonObject,
  names: ReadonlyMap<string, string>,
): JsonObject {
  const { [ownMember]: own, ...others } = signed
  const { [namesMember]: _names, ...rest } = own === undefined ? {} : readObject(own)
  const named = names.size === 0 ? rest : { ...rest, [namesMember]: Object.fromEntries(names) }
  return Object.keys(named).length === 0 ? others : { ...others, [ownMember]: named }
}

function isRoot(signed: JsonObject): boolean {
  return member(signed, '_type') === 'root'
}

/** All keys of the document, whoever holds them. */
export function readKeyTable(signed: JsonObject): Map<string, JsonObject> {
  const place = isRoot(signed) ? signed : readMember(signed, 'delegations', readObject)
  return readMember(place, 'keys', (value) => readMap(value, readObject))
}

/** They sign nothing, and stand there all the same. */
export function listUnusedKeys(signed: JsonObject): JsonObject {
  const used = new Set(listSlots(signed).flatMap((item) => readKeyids(item)))
  return Object.fromEntries([...readKeyTable(signed)].filter(([keyid]) => !used.has(keyid)))
}

function replaceKeyTable(signed: JsonObject, keys: JsonObject): JsonObject {
  if (isRoot(signed)) return { ...signed, keys }
  return { ...signed, delegations: { ...readMember(signed, 'delegations', readObject), keys } }
}

function readKeyids(slot: JsonObject): string[] {
  return readMember(slot, 'keyids', (value) => readArray(value, readString))
}

/** Everything in the document that has key ids. */
function listSlots(signed: JsonObject): JsonObject[] {
  if (isRoot(signed)) {
    return [...readMember(signed, 'roles', (value) => readMap(value, readObject)).values()]
  }
  const delegations = readMember(signed, 'delegations', readObject)
  const bins = readOptional(delegations, 'succinct_roles', readObject)
  return bins === undefined ? listDelegations(signed) : [bins]
}

/** In their order, which is their priority. */
export function listDelegations(signed: JsonObject): JsonObject[] {
  const delegations = readMember(signed, 'delegations', readObject)
  return readOptional(delegations, 'roles', (value) => readArray(value, readObject)) ?? []
}

function findSlot(signed: JsonObject, role: ManagedRole): JsonObject {
  if (namedIn[role] === 'root') {
    return readMember(signed, 'roles', (roles) => readMember(readObject(roles), role, readObject))
  }
  if (role === 'bins-nn') {
    const delegations = readMember(signed, 'delegations', readObject)
    return readMember(delegations, 'succinct_roles', readObject)
  }
  const found = listDelegations(signed).find((item) => member(item, 'name') === role)
  if (found === undefined) throw new DecodeError(`no delegation to ${role}`)
  return found
}

function replaceSlot(signed: JsonObject, role: ManagedRole, slot: JsonObject): JsonObject {
  if (namedIn[role] === 'root') {
    return { ...signed, roles: { ...readMember(signed, 'roles', readObject), [role]: slot } }
  }
  const delegations = readMember(signed, 'delegations', readObject)
  if (role === 'bins-nn') {
    return { ...signed, delegations: { ...delegations, succinct_roles: slot } }
  }
  const roles = listDelegations(signed).map((item) => (member(item, 'name') === role ? slot : item))
  return { ...signed, delegations: { ...delegations, roles } }
}
