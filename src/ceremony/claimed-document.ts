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
import { listDelegations, readKeyTable } from './role-keys.ts'

/** The document with these delegations, each in the place of an earlier one of its name. */
export function withClaims(signed: JsonObject, claims: readonly Delegation[]): JsonObject {
  if (claims.length === 0) {
    throw new ConfigError('CONFIG_INVALID', 'There is no claim to promote', {
      next: 'List them with: tufgate mirror claims list DIR',
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
  const kept = listDelegations(signed).filter(
    (role) => !names.includes(readMember(role, 'name', readString)),
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

/** Who becomes or is no more the owner of what, by key id; of many changes the first `maxLines`. */
export function describeClaims(before: JsonObject, after: JsonObject, maxLines: number): string[] {
  const [old, next] = [listByName(before), listByName(after)]
  const lines = [
    ...[...next].flatMap(([name, role]) =>
      encodeCanonical(old.get(name) ?? null) === encodeCanonical(role) ? [] : [describeClaim(role)],
    ),
    ...[...old.keys()].filter((name) => !next.has(name)).map((name) => `- ${toPrintable(name)}`),
  ]
  const count = `owners: ${next.size} projects (before: ${old.size})`
  return [count, ...cutLines(lines, maxLines).map((line) => `  ${line}`)]
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

function describeClaim(role: JsonObject): string {
  const list = (name: string): string[] =>
    readMember(role, name, (items) => readArray(items, readString))
  const name = readMember(role, 'name', readString)
  const keys = `${String(member(role, 'threshold'))} of the keys ${toPrintable(list('keyids').join(', '), 1500)}`
  const [project, paths] = [name.slice(ownerRole('').length), list('paths')]
  const own = describeDelegation(project, { keys: new Map(), threshold: 1 })
  const isOwn = own.name === name && own.paths.join() === paths.join()
  if (isOwn && member(role, 'terminating') === true) return `+ ${toPrintable(project)}: ${keys}`
  const scope = toPrintable(paths.join(', '), 500)
  return `+ ${toPrintable(name)}: ${keys}, NOT AS CLAIMS ARE: for ${scope}, terminating ${String(member(role, 'terminating'))}`
}
