/** Owners of projects in the offline role `claimed` (PEP 480): one delegation for each project. */

import { toPrintable } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import {
  member,
  readArray,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { ConfigError } from '../base/errors.ts'
import { describeDelegation } from '../mirror/claims.ts'
import type { Delegation } from '../mirror/metadata-documents.ts'
import { ownerRole } from '../mirror/role-names.ts'
import { listDifferences } from './differences.ts'
import { listDelegations, readKeyTable } from './role-keys.ts'

/** The document with these delegations, each in the place of an earlier one of its name. */
export function withClaims(signed: JsonObject, claims: readonly Delegation[]): JsonObject {
  if (claims.length === 0) {
    throw new ConfigError('CONFIG_INVALID', 'There is no claim to promote', {
      next: 'What is claimed, and how far it is, says: tufgate mirror claims list',
    })
  }
  const table = readKeyTable(signed)
  const roles = new Map(listDelegations(signed).map((role) => [member(role, 'name'), role]))
  for (const claim of claims) {
    for (const [keyid, key] of claim.keys) table.set(keyid, { ...key })
    roles.set(claim.name, renderClaim(claim))
  }
  return withOwners(signed, [...roles.values()], table)
}

/** The document without these roles: the mirror signs their projects again. */
export function withoutClaims(signed: JsonObject, names: readonly string[]): JsonObject {
  const released = new Set(names)
  const kept = listDelegations(signed).filter(
    (role) => !released.has(readMember(role, 'name', readString)),
  )
  return withOwners(signed, kept, readKeyTable(signed))
}

/** Keys that nobody has any more are left out. */
function withOwners(
  signed: JsonObject,
  roles: readonly JsonObject[],
  table: ReadonlyMap<string, JsonObject>,
): JsonObject {
  const delegations = readMember(signed, 'delegations', readObject)
  const used = new Set(
    roles.flatMap((role) => readMember(role, 'keyids', (keyids) => readArray(keyids, readString))),
  )
  const keys = Object.fromEntries([...table].filter(([keyid]) => used.has(keyid)))
  return { ...signed, delegations: { ...delegations, keys, roles: roles.toSorted(compareNames) } }
}

function renderClaim({ name, paths, terminating, keys, threshold }: Delegation): JsonObject {
  return { keyids: [...keys.keys()].toSorted(), threshold, name, paths: [...paths], terminating }
}

function compareNames(left: JsonObject, right: JsonObject): number {
  const [first, second] = [String(member(left, 'name')), String(member(right, 'name'))]
  return first < second ? -1 : Number(first > second)
}

/**
 * Who becomes or is no more the owner of what, by key id; of many changes the first `maxLines`. What
 * is to be looked at most stands first: a long list of new owners must not push it out of sight.
 */
export function describeClaims(before: JsonObject, after: JsonObject, maxLines: number): string[] {
  const [old, next] = [listByName(before), listByName(after)]
  const changed = [...next].filter(
    ([name, role]) => encodeCanonical(old.get(name) ?? null) !== encodeCanonical(role),
  )
  const odd = changed.filter(([name, role]) => !isClaim(name, role))
  const claims = changed.filter(([name, role]) => isClaim(name, role))
  const lines = [
    ...odd.map(([name, role]) => describeOdd(name, role)),
    ...(isOrderKept(old, next) ? [] : ['also the order of owners is another one']),
    ...claims.flatMap(([name, role]) => describeReplaced(name, role, old.get(name))),
    ...[...old.keys()].filter((name) => !next.has(name)).map((name) => `- ${toPrintable(name)}`),
    ...claims.flatMap(([name, role]) => (old.has(name) ? [] : [describeClaim(name, role)])),
  ]
  const count = `owners: ${next.size} projects (before: ${old.size})`
  return [count, ...cutLines(lines, maxLines).map((line) => `  ${line}`)]
}

/** It is their priority. */
function isOrderKept(
  old: ReadonlyMap<string, unknown>,
  next: ReadonlyMap<string, unknown>,
): boolean {
  const kept = [...next.keys()].filter((name) => old.has(name))
  const before = [...old.keys()].filter((name) => next.has(name))
  return before.every((name, at) => kept[at] === name)
}

/** Nobody should sign what he has not seen: what is left out is counted. */
export function cutLines(lines: readonly string[], maxLines: number): readonly string[] {
  if (lines.length <= maxLines) return lines
  const rest = `and ${lines.length - maxLines} more: tufgate mirror root status FILE --full lists all`
  return [...lines.slice(0, maxLines), rest]
}

function listByName(signed: JsonObject): Map<string, JsonObject> {
  return new Map(
    listDelegations(signed).map((role) => [readMember(role, 'name', readString), role]),
  )
}

function describeClaim(name: string, role: JsonObject): string {
  return `+ ${toPrintable(readProject(name))}: ${describeKeys(role)}`
}

function describeReplaced(name: string, role: JsonObject, old: JsonObject | undefined): string[] {
  if (old === undefined) return []
  return [
    `* ${toPrintable(readProject(name))}: NOT THE SAME OWNER: ${describeKeys(role)}, before ${describeKeys(old)}`,
  ]
}

function readProject(name: string): string {
  return name.slice(ownerRole('').length)
}

function describeKeys(role: JsonObject): string {
  const keyids = readMember(role, 'keyids', (items) => readArray(items, readString))
  return `${String(member(role, 'threshold'))} of the keys ${toPrintable(keyids.join(', '), 1500)}`
}

/** The first delegation that is none of an owner to his project: nothing here would publish its role. */
export function findOddClaim(signed: JsonObject): string | undefined {
  return [...listByName(signed)].find(([name, role]) => !isClaim(name, role))?.[0]
}

/** As `renderClaim` writes it: a project's own paths, terminating, and nothing else. */
function isClaim(name: string, role: JsonObject): boolean {
  const { keyids: _keyids, threshold: _threshold, ...rest } = role
  const { paths } = describeDelegation(readProject(name), { keys: new Map(), threshold: 1 })
  const own = { name, paths: [...paths], terminating: true }
  return ownerRole(readProject(name)) === name && encodeCanonical(rest) === encodeCanonical(own)
}

function describeOdd(name: string, role: JsonObject): string {
  const { keyids: _keyids, threshold: _threshold, name: _name, ...rest } = role
  const { paths, terminating, ...others } = rest
  const scope = toPrintable(readArray(paths, readString).join(', '), 500)
  const extra = listDifferences({}, others).map((line) => `, also ${line}`)
  return `+ ${toPrintable(name)}: ${describeKeys(role)}, NOT AS CLAIMS ARE: for ${scope}, terminating ${String(terminating)}${extra.join('')}`
}
