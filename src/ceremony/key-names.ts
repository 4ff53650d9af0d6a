/**
 * What people call their keys. Names are signed, and mean nothing to clients, but somebody who signs
 * goes by them: a name that a key has had is what it is called, and another one for it is a change.
 */

import { toPrintable } from '../base/bytes.ts'
import type { JsonObject } from '../base/decode.ts'
import type { Change } from './change-file.ts'
import { escape, listDifferences } from './differences.ts'
import { isKeyName, readKeyNames, readKeyTable } from './role-keys.ts'

export type KeyNames = ReadonlyMap<string, string>

/** By key id. Of several documents the first to name a key counts. */
export function collectKeyNames(documents: readonly JsonObject[]): KeyNames {
  return new Map(documents.toReversed().flatMap((signed) => [...readKeyNames(signed)]))
}

/** Signed in root and targets, of now and of the change. */
export function collectChangeNames({ roots, previous, documents }: Change): KeyNames {
  const drafts = [...roots.slice(-1), ...previous.values(), ...documents.values()]
  return collectKeyNames(drafts.map(({ signed }) => signed))
}

/** The id, and what people call it. */
export function renderNamedKey(rawKeyid: string, names: KeyNames): string {
  const name = names.get(rawKeyid)
  return `${toPrintable(rawKeyid)}${name === undefined ? '' : ` (${renderKeyName(name)})`}`
}

/** In quotes where it is none that tufgate gives: it could read like a part of the sentence. */
export function renderKeyName(rawName: string): string {
  return isKeyName(rawName) ? rawName : `"${escape(JSON.stringify(rawName).slice(1, -1))}"`
}

/**
 * Other names for keys that stay, and names for keys that nobody is told of. `told` are the key ids
 * that come with a line of their own, name included.
 */
export function describeRenames(
  before: JsonObject,
  after: JsonObject,
  told: ReadonlySet<string>,
): string[] {
  const [oldTable, table] = [readKeyTable(before), readKeyTable(after)]
  const old = [...readKeyNames(before)].filter(([keyid]) => table.has(keyid))
  const next = [...readKeyNames(after)].filter(
    ([keyid]) => oldTable.has(keyid) || !table.has(keyid) || !told.has(keyid),
  )
  return listDifferences(Object.fromEntries(old), Object.fromEntries(next), 'key-names')
}
