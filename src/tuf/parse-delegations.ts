/**
 * The part of root and targets that says who signs what: keys, thresholds, delegations
 * (TUF 4.3 and 4.5, TAP 15). Readers throw a DecodeError that names the place.
 */

import {
  DecodeError,
  readArray,
  readBoolean,
  readInteger,
  readMap,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { buildIndex } from './delegation.ts'
import { parseKey, type Key } from './keys.ts'
import {
  topRoles,
  type Bins,
  type DelegatedRole,
  type Delegations,
  type RoleKeys,
  type Scope,
} from './metadata.ts'
import { parsePathPattern } from './path-pattern.ts'

/** One for each project that signs for itself, of which a role of 8 MB can name 18,000. */
const maxKeys = 2 ** 15
const maxKeyids = 1024
const maxRoles = 2 ** 17
const maxPatterns = 2 ** 17
const maxNamePrefixLength = 1024

export function readKeys(value: unknown): Map<string, Key> {
  const keys = readMap(value, parseKey)
  if (keys.size > maxKeys) throw new DecodeError(`more than ${maxKeys} keys`)
  return keys
}

export function readRoleKeys(value: unknown): RoleKeys {
  const object = readObject(value)
  return {
    keyids: readMember(object, 'keyids', readKeyids),
    // TUF 4.3: at least 1; with 0 anything would count as signed.
    threshold: readMember(object, 'threshold', (threshold) => readInteger(threshold, 1)),
  }
}

function readKeyids(value: unknown): string[] {
  const keyids = readArray(value, readString)
  if (keyids.length > maxKeyids) throw new DecodeError(`more than ${maxKeyids} key ids`)
  // TUF 4.3: unique.
  if (new Set(keyids).size !== keyids.length) throw new DecodeError('a key id stands twice')
  return keyids
}

export function readDelegations(value: unknown): Delegations {
  const object = readObject(value)
  const keys = readMember(object, 'keys', readKeys)
  const roles = readOptional(object, 'roles', readDelegatedRoles)
  const bins = readOptional(object, 'succinct_roles', readBins)
  // TAP 15: one or the other.
  if ((roles === undefined) === (bins === undefined)) {
    throw new DecodeError('expected either roles or succinct_roles')
  }
  const known = roles ?? new Map<string, DelegatedRole>()
  return { keys, roles: known, index: buildIndex(known.values()), ...(bins && { bins }) }
}

function readDelegatedRoles(value: unknown): Map<string, DelegatedRole> {
  const roles = new Map<string, DelegatedRole>()
  readArray(value, (item) => {
    const role = readDelegatedRole(readObject(item), roles.size)
    // TUF 4.5: with two of a name the later would take the place of the earlier.
    if (roles.has(role.name)) throw new DecodeError(`role ${role.name} stands twice`)
    if (roles.size >= maxRoles) throw new DecodeError(`more than ${maxRoles} roles`)
    roles.set(role.name, role)
  })
  return roles
}

function readDelegatedRole(object: JsonObject, place: number): DelegatedRole {
  return {
    ...readRoleKeys(object),
    name: readMember(object, 'name', readRoleName),
    place,
    terminating: readMember(object, 'terminating', readBoolean),
    scope: readScope(object),
  }
}

function readRoleName(value: unknown): string {
  const name = readString(value)
  if (name === '') throw new DecodeError('a role without a name')
  // Its keys would be taken for those of the top-level role.
  if (topRoles.some((role) => role === name)) throw new DecodeError(`${name} cannot be delegated`)
  return name
}

function readScope(object: JsonObject): Scope {
  const patterns = readOptional(object, 'paths', (value) => readLimited(value, readPattern))
  const prefixes = readOptional(object, 'path_hash_prefixes', (value) =>
    readLimited(value, readHashPrefix),
  )
  if (patterns !== undefined && prefixes === undefined) return { kind: 'patterns', patterns }
  if (prefixes !== undefined && patterns === undefined) {
    return { kind: 'hash-prefixes', prefixes }
  }
  // TUF 4.5: never both, and without either it would be unclear what is delegated.
  throw new DecodeError('expected either paths or path_hash_prefixes')
}

function readLimited<T>(value: unknown, readItem: (item: unknown) => T): T[] {
  const items = readArray(value, readItem)
  if (items.length > maxPatterns) throw new DecodeError(`more than ${maxPatterns} items`)
  return items
}

function readPattern(value: unknown): ReturnType<typeof parsePathPattern> {
  return parsePathPattern(readString(value))
}

function readHashPrefix(value: unknown): string {
  const prefix = readString(value)
  if (!/^[0-9a-f]{0,64}$/.test(prefix))
    throw new DecodeError('expected the beginning of a sha256 in hexadecimal')
  return prefix
}

function readBins(value: unknown): Bins {
  const object = readObject(value)
  const namePrefix = readMember(object, 'name_prefix', readString)
  if (namePrefix.length > maxNamePrefixLength) throw new DecodeError('name_prefix is too long')
  const bitLength = readMember(object, 'bit_length', (bits) => readInteger(bits, 1))
  if (bitLength > 32) throw new DecodeError('bit_length is more than 32')
  return { ...readRoleKeys(object), namePrefix, bitLength }
}
