/**
 * What somebody who signs agrees to, in plain words: made from the documents themselves, against
 * those that they replace. What no sentence here knows of is listed as it stands, so that nothing in
 * a document can pass unseen.
 */

import { toPrintable } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { member, readMember, readObject, type JsonObject } from '../base/decode.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import type { CheckedChange, CheckedDocument } from './check-change.ts'
import { cutLines, describeClaims } from './claimed-document.ts'
import { listDifferences } from './differences.ts'
import type { Draft } from './draft.ts'
import { readTargetsDraft } from './offline-state.ts'
import {
  managedRoles,
  namedIn,
  readHeldKeys,
  readKeyNames,
  replaceHeldKeys,
  replaceKeyNames,
  type HeldKeys,
  type ManagedRole,
} from './role-keys.ts'

/** More than a person reads without having asked for them. */
const defaultMaxLines = 50
const noKeys: HeldKeys = { keys: new Map(), threshold: 1 }

export function describeChange(checked: CheckedChange, maxLines = defaultMaxLines): string[] {
  return checked.documents.flatMap((document) => describeDocument(document, checked, maxLines))
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
      ...describeRest(withoutClaims(old), withoutClaims(next), maxLines),
    ]
  }
  const names = new Map([...readKeyNames(old.signed), ...readKeyNames(next.signed)])
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
    ...describeRest(reduce(role, old), reduce(role, next), maxLines),
  ]
}

function describeKeys(
  role: ManagedRole,
  before: HeldKeys,
  after: HeldKeys,
  names: ReadonlyMap<string, string>,
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
  return keys.size === 1 ? 'one key' : `${threshold} of ${keys.size} keys`
}

function describeKey(key: JsonObject): string {
  const scheme = member(key, 'scheme')
  return typeof scheme === 'string' ? toPrintable(scheme, 40) : 'of an unknown kind'
}

function nameOf(keyid: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(keyid)
  return name === undefined ? '' : `, called ${toPrintable(name, 40)}`
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

function describeRest(before: unknown, after: unknown, maxLines: number): readonly string[] {
  return cutLines(
    listDifferences(before, after).map((line) => `also ${line}`),
    maxLines,
  )
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
