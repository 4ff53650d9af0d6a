/**
 * What somebody who signs agrees to, in plain words: made from the documents themselves, against
 * those that they replace. What no sentence here knows of is listed as it stands, so that nothing in
 * a document can pass unseen.
 */

import { toPrintable } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { member, readMember, readObject, type JsonObject } from '../base/decode.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import { requireWellFormed, type CheckedChange, type CheckedDocument } from './check-change.ts'
import { cutLines, describeClaims } from './claimed-document.ts'
import { listDifferences } from './differences.ts'
import type { Draft } from './draft.ts'
import { collectKeyNames, describeRenames, renderKeyName, type KeyNames } from './key-names.ts'
import { readTargetsDraft } from './offline-state.ts'
import {
  listUnusedKeys,
  managedRoles,
  namedIn,
  readHeldKeys,
  replaceHeldKeys,
  replaceKeyNames,
  type HeldKeys,
  type ManagedRole,
} from './role-keys.ts'

/** More than a person reads without having asked for them. */
const defaultMaxLines = 50
const noKeys: HeldKeys = { keys: new Map(), threshold: 1 }

/** Throws VerifyError MALFORMED where a document lacks what there is a sentence for. */
export function describeChange(checked: CheckedChange, maxLines = defaultMaxLines): string[] {
  return requireWellFormed(() =>
    checked.documents.flatMap((document) => describeDocument(document, checked, maxLines)),
  )
}

function describeDocument(
  document: CheckedDocument,
  { change, before }: CheckedChange,
  maxLines: number,
): string[] {
  const { role, version, expires, draft } = document
  const old = role === 'root' ? change.roots.at(-1) : change.previous.get(role)
  if (old === undefined) throw new TypeError(`there is no ${role} to compare with`)
  const { version: oldVersion, expires: oldExpires } =
    role === 'root' ? before.root : readTargetsDraft(role, old)
  return [
    `${role}: version ${oldVersion} becomes ${version}, expires ${formatUtcSeconds(expires)} (before: ${formatUtcSeconds(oldExpires)})`,
    ...describeContent(role, old, draft, maxLines).map((line) => `  ${line}`),
  ]
}

function describeContent(role: OfflineRole, old: Draft, next: Draft, maxLines: number): string[] {
  if (role === 'claimed') {
    return [
      ...describeClaims(old.signed, next.signed, maxLines),
      ...cutLines(
        [...describeRest(withoutClaims(old), withoutClaims(next)), ...describeUnused(old, next)],
        maxLines,
      ),
    ]
  }
  const names = collectKeyNames([old.signed, next.signed])
  const roles = managedRoles.filter((managed) => namedIn[managed] === role)
  return [
    ...roles.flatMap((managed) =>
      describeKeys(
        managed,
        readHeldKeys(old.signed, managed),
        readHeldKeys(next.signed, managed),
        names,
      ),
    ),
    ...(role === 'bins' ? describeBins(old.signed, next.signed) : []),
    ...cutLines(
      [
        ...describeRest(reduce(role, old), reduce(role, next)),
        ...describeUnused(old, next),
        ...describeRenames(old.signed, next.signed, listHeld(roles, next)).map(markAlso),
      ],
      maxLines,
    ),
  ]
}

function listHeld(roles: readonly ManagedRole[], { signed }: Draft): ReadonlySet<string> {
  return new Set(roles.flatMap((managed) => [...readHeldKeys(signed, managed).keys.keys()]))
}

function describeKeys(
  role: ManagedRole,
  before: HeldKeys,
  after: HeldKeys,
  names: KeyNames,
): string[] {
  const added = [...after.keys].filter(([keyid]) => !before.keys.has(keyid))
  const removed = [...before.keys].filter(([keyid]) => !after.keys.has(keyid))
  if (added.length === 0 && removed.length === 0 && before.threshold === after.threshold) {
    return [`${role}: ${countKeys(after)}, as before`]
  }
  const describe = ([keyid, key]: readonly [string, JsonObject]): string =>
    `${keyid} ${describeKey(key)}${nameOf(keyid, names)}`
  const [count, oldCount] = [countKeys(after), countKeys(before)]
  return [
    `${role}: ${count === oldCount ? `${count}, not the same` : `${count} (before: ${oldCount})`}`,
    ...added.map((key) => `  + ${describe(key)}`),
    ...removed.map((key) => `  - ${describe(key)}`),
  ]
}

function countKeys({ keys, threshold }: HeldKeys): string {
  return keys.size === 1 && threshold === 1 ? 'one key' : `${threshold} of ${keys.size} keys`
}

function describeKey(key: JsonObject): string {
  const scheme = member(key, 'scheme')
  return typeof scheme === 'string' ? toPrintable(scheme, 40) : 'of an unknown kind'
}

function nameOf(keyid: string, names: KeyNames): string {
  const name = names.get(keyid)
  return name === undefined ? '' : `, called ${renderKeyName(name)}`
}

function describeBins(before: JsonObject, after: JsonObject): string[] {
  const [old, next] = [countBins(before), countBins(after)]
  return [old === next ? `bins: ${next}, as before` : `bins: ${next} (before: ${old})`]
}

function countBins(signed: JsonObject): number {
  const delegations = readMember(signed, 'delegations', readObject)
  const bits = member(readMember(delegations, 'succinct_roles', readObject), 'bit_length')
  return typeof bits === 'number' ? 2 ** bits : 0
}

function describeRest(before: unknown, after: unknown): string[] {
  return listDifferences(before, after).map(markAlso)
}

function describeUnused(before: Draft, after: Draft): string[] {
  const [old, next] = [listUnusedKeys(before.signed), listUnusedKeys(after.signed)]
  return listDifferences(old, next, 'keys of nobody').map(markAlso)
}

function markAlso(line: string): string {
  return `also ${line}`
}

/** The document without everything that has a sentence of its own. */
function reduce(role: OfflineRole, { signed }: Draft): JsonObject {
  let rest = replaceKeyNames(signed, new Map())
  for (const managed of managedRoles) {
    if (namedIn[managed] === role) rest = replaceHeldKeys(rest, managed, noKeys)
  }
  const { version: _version, expires: _expires, ...others } = rest
  if (role !== 'bins') return others
  const delegations = readMember(others, 'delegations', readObject)
  const { bit_length: _bits, ...bins } = readMember(delegations, 'succinct_roles', readObject)
  return { ...others, delegations: { ...delegations, succinct_roles: bins } }
}

function withoutClaims({ signed }: Draft): JsonObject {
  const { version: _version, expires: _expires, delegations, ...others } = signed
  const { keys: _keys, roles: _roles, ...rest } = readObject(delegations)
  return { ...others, delegations: rest }
}
