/** Copies of one change that were signed apart, put together: the same documents, all signatures. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import { mergeSignatures } from '../signing/add-signature.ts'
import type { Key } from '../tuf/keys.ts'
import type { Change } from './change-file.ts'
import type { CheckedChange } from './check-change.ts'
import { isSameContent, renderDraft, type Draft } from './draft.ts'

export interface Copy {
  readonly place: string
  readonly checked: CheckedChange
}

/** Throws CONFIG_INVALID where one of them is another change than the first. */
export function mergeChanges(copies: readonly Copy[]): Change {
  const [first] = copies
  if (first === undefined) throw new TypeError('at least one copy is merged')
  for (const copy of copies) requireSameChange(first, copy)
  const { change } = first.checked
  const documents = new Map<OfflineRole, Draft>()
  for (const [role, { signed }] of change.documents) {
    documents.set(role, { signed, signatures: collectSignatures(role, copies) })
  }
  return { ...change, documents }
}

/** Only good ones: a bad one must not hide that of the same key in another copy. */
function collectSignatures(
  role: OfflineRole,
  copies: readonly Copy[],
): ReadonlyMap<string, string> {
  const documents = copies.flatMap(({ place, checked }) =>
    checked.documents
      .filter((document) => document.role === role)
      .map((document) => ({ place, document })),
  )
  const keys = documents[0]?.document.keys ?? new Map<string, Key>()
  const bytes = documents.map(({ place, document }) => ({
    place,
    bytes: renderDraft(document.draft),
  }))
  return mergeSignatures(bytes, keys).signatures
}

/** What was left out: a signature that is there and is none of its document. */
export function listBadSignatures(copies: readonly Copy[]): Map<OfflineRole, string[]> {
  const bad = new Map<OfflineRole, string[]>()
  for (const { checked } of copies) {
    for (const document of checked.documents) {
      bad.set(document.role, [...(bad.get(document.role) ?? []), ...document.bad])
    }
  }
  return bad
}

/**
 * The same for the file that goes on from hand to hand: what is not good stays in it where nothing good
 * takes its place, so that whoever signs next learns of it too.
 */
export function mergeForSigners(copies: readonly Copy[]): Change {
  const merged = mergeChanges(copies)
  const documents = new Map<OfflineRole, Draft>()
  for (const [role, { signed, signatures }] of merged.documents) {
    const all = copies.flatMap(({ checked: { change } }) => [
      ...(change.documents.get(role)?.signatures ?? []),
    ])
    documents.set(role, { signed, signatures: new Map([...all, ...signatures]) })
  }
  return { ...merged, documents }
}

function requireSameChange(first: Copy, other: Copy): void {
  const [left, right] = [first.checked.change, other.checked.change]
  const isSame =
    isSameDrafts(left.documents, right.documents) &&
    isSameDrafts(left.previous, right.previous) &&
    left.roots.length === right.roots.length &&
    left.roots.every((root, at) => isSameMaybe(root, right.roots[at]))
  if (isSame) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(other.place)} is another change than ${toPrintable(first.place)}`,
    {
      next: `Publish copies of one change together; look at each with: tufgate mirror root status ${toPrintable(other.place)}`,
    },
  )
}

function isSameDrafts(
  left: ReadonlyMap<OfflineRole, Draft>,
  right: ReadonlyMap<OfflineRole, Draft>,
): boolean {
  return (
    left.size === right.size &&
    [...left].every(([role, draft]) => isSameMaybe(draft, right.get(role)))
  )
}

function isSameMaybe(left: Draft, right: Draft | undefined): boolean {
  return right !== undefined && isSameContent(left, right)
}
