/**
 * What a change file really says: the state that it starts from, verified; the state that it would
 * make; and for each document who has signed it and who is missing.
 *
 * Everything comes from the documents themselves. Whether the mirror is still in that first state is
 * asked when the change is published.
 */

import { equalBytes, toPrintable } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import type { OfflineRole } from '../mirror/role-names.ts'
import type { Envelope } from '../tuf/envelope.ts'
import type { Key } from '../tuf/keys.ts'
import { isSignedBy, type Signers } from '../tuf/threshold.ts'
import { defaultRefreshLimits, requireWithin } from '../tuf/update.ts'
import type { Change } from './change-file.ts'
import { messageOf, renderDraft, type Draft } from './draft.ts'
import {
  readRootDraft,
  readTargetsDraft,
  requireRootChain,
  requireSigned,
  rolesBelowRoot,
  signersOf,
  signersOfRoot,
  type OfflineState,
} from './offline-state.ts'
import { requireSoundKeys } from './sound-keys.ts'

/** One group of keys of which enough have to sign. */
export interface Requirement {
  /** Whose keys they are, for a sentence. */
  readonly by: string
  readonly threshold: number
  readonly signed: readonly string[]
  readonly missing: readonly string[]
  /** How many more are needed. */
  readonly lacking: number
}

export interface CheckedDocument {
  readonly role: OfflineRole
  readonly draft: Draft
  readonly version: number
  /** ms */
  readonly expires: number
  readonly requirements: readonly Requirement[]
  /** Those who have a say. */
  readonly keys: ReadonlyMap<string, Key>
  /** Key ids whose signature is there and is none of this document. */
  readonly bad: readonly string[]
  /** Key ids that have signed and have no say here. */
  readonly idle: readonly string[]
}

export interface CheckedChange {
  readonly change: Change
  readonly before: OfflineState
  readonly after: OfflineState
  readonly documents: readonly CheckedDocument[]
}

/** Throws VerifyError where the file contradicts itself: then nobody should sign it. */
export function checkChange(change: Change): CheckedChange {
  return requireWellFormed(() => check(change))
}

/** Runs what reads documents of a change. Throws VerifyError, MALFORMED for what it cannot read. */
export function requireWellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    // The words behind it are for clients of a mirror.
    if (error instanceof VerifyError) {
      throw new VerifyError(error.code, error.message, {
        ...error.facts,
        next: askAgain,
        cause: error,
      })
    }
    if (!(error instanceof DecodeError || error instanceof TypeError)) throw error
    const problem = toPrintable(describeError(error), 500)
    throw new VerifyError('MALFORMED', `The change is malformed: ${problem}`, {
      next: askAgain,
      cause: error,
    })
  }
}

/** More changes than are ever prepared between two that are published. */
const maxLeap = 1_000_000

const askAgain =
  'Do not sign. Ask whoever prepared the change, by another way than the one this file came.'

function check(change: Change): CheckedChange {
  const { documents } = change
  for (const [role, draft] of documents) requireFetchable(role, draft)
  const before = requirePrevious(change)
  const rootDraft = documents.get('root')
  const targetsDraft = documents.get('targets')
  const after: OfflineState = {
    root: rootDraft === undefined ? before.root : readRootDraft(rootDraft),
    targets:
      targetsDraft === undefined ? before.targets : readTargetsDraft('targets', targetsDraft),
  }
  requireNext(change, before, after)
  for (const [role, draft] of documents) requireSoundKeys(role, draft)
  const checked = [...documents].map(([role, draft]) => checkDocument(role, draft, before, after))
  return { change, before, after, documents: checked }
}

/** What is longer no client would take, and nothing could be published any more. */
function requireFetchable(role: OfflineRole, draft: Draft): void {
  const { maxRootBytes, maxTargetsBytes } = defaultRefreshLimits
  requireWithin(role, renderDraft(draft), role === 'root' ? maxRootBytes : maxTargetsBytes)
}

/** What the change starts from, down from a root that signs itself. */
function requirePrevious({ roots, previous, documents }: Change): OfflineState {
  const { root } = requireRootChain(roots)
  const targetsDraft = previous.get('targets')
  if (targetsDraft === undefined) throw new DecodeError('previous: targets is missing')
  const targets = requireSigned('targets', renderDraft(targetsDraft), {
    root,
    targets: readTargetsDraft('targets', targetsDraft),
  })
  for (const role of ['claimed', 'bins'] as const) {
    const draft = previous.get(role)
    if (draft !== undefined) requireSigned(role, renderDraft(draft), { root, targets })
    else if (documents.has(role)) throw new DecodeError(`previous: ${role} is missing`)
  }
  return { root, targets }
}

/** TUF 5.3.5: the root of exactly the next version; of the others a later one, but there must be later ones. */
function requireNext(
  { previous, documents }: Change,
  before: OfflineState,
  after: OfflineState,
): void {
  if (documents.has('root')) requireVersion('root', after.root.version, before.root.version + 1)
  for (const role of rolesBelowRoot) {
    const [old, next] = [previous.get(role), documents.get(role)]
    if (old === undefined || next === undefined) continue
    const version = readTargetsDraft(role, next).version
    const oldVersion = readTargetsDraft(role, old).version
    if (version <= oldVersion || version > oldVersion + maxLeap)
      requireVersion(role, version, oldVersion + 1)
  }
}

function requireVersion(role: string, found: number, expected: number): void {
  if (found === expected) return
  throw new VerifyError(
    'VERSION_MISMATCH',
    `The change holds ${role} version ${found} where ${expected} is due`,
    { role, version: found, expected: String(expected), found: String(found) },
  )
}

function checkDocument(
  role: OfflineRole,
  draft: Draft,
  before: OfflineState,
  after: OfflineState,
): CheckedDocument {
  const groups = listGroups(role, before, after)
  const valid = new Map(
    groups.flatMap(({ signers }) => listValid(draft, signers).map((key) => [key.keyid, key])),
  )
  const known = new Map(groups.flatMap(({ signers }) => listKeys(signers)))
  const present = [...draft.signatures.keys()]
  const { version, expires } = role === 'root' ? after.root : readTargetsDraft(role, draft)
  return {
    role,
    draft,
    version,
    expires,
    keys: known,
    requirements: groups.map(({ by, signers }) => countSigned(by, signers, valid)),
    bad: present.filter((keyid) => known.has(keyid) && !valid.has(keyid)),
    idle: present.filter((keyid) => !known.has(keyid)),
  }
}

interface Group {
  readonly by: string
  readonly signers: Signers
}

/** TUF 5.3.4: a root needs the keys of the one before and its own, which are often the same. */
function listGroups(role: OfflineRole, before: OfflineState, after: OfflineState): Group[] {
  if (role !== 'root') return [{ by: role, signers: signersOf(role, after) }]
  const [old, next] = [signersOfRoot(before.root), signersOfRoot(after.root)]
  const [oldVersion, version] = [before.root.version, after.root.version]
  if (isSameSigners(old, next)) {
    return [{ by: `root versions ${oldVersion} and ${version}`, signers: next }]
  }
  return [
    { by: `root version ${oldVersion}`, signers: old },
    { by: `root version ${version}`, signers: next },
  ]
}

/** Ids are compared: each was checked to be the digest of its key. */
function isSameSigners(left: Signers, right: Signers): boolean {
  return (
    left.threshold === right.threshold &&
    left.keyids.length === right.keyids.length &&
    left.keyids.every((keyid) => right.keyids.includes(keyid))
  )
}

function listKeys({ keyids, keys }: Signers): (readonly [string, Key])[] {
  return keyids.flatMap((keyid) => {
    const key = keys.get(keyid)
    return key === undefined ? [] : [[keyid, key] as const]
  })
}

function listValid(draft: Draft, signers: Signers): Key[] {
  const message = messageOf(draft)
  return signers.keyids.flatMap((keyid) => {
    const key = signers.keys.get(keyid)
    const signature = draft.signatures.get(keyid)
    if (key === undefined || signature === undefined) return []
    return isSignedBy(key, message, signature) ? [key] : []
  })
}

function countSigned(by: string, signers: Signers, valid: ReadonlyMap<string, Key>): Requirement {
  const signed = signers.keyids.filter((keyid) => valid.has(keyid))
  // One key under two ids is one key (TAP 12).
  const values = new Set(signed.map((keyid) => valid.get(keyid)?.value))
  return {
    by,
    threshold: signers.threshold,
    signed,
    missing: signers.keyids.filter((keyid) => !valid.has(keyid)),
    lacking: Math.max(0, signers.threshold - values.size),
  }
}

/** Whether nothing is missing that a person has to do. */
export function isComplete({ documents }: CheckedChange): boolean {
  return documents.every(({ requirements }) => requirements.every(({ lacking }) => lacking === 0))
}

/** Its version. Throws VerifyError ROOT_CHANGED where a signer's own copy is not one of the roots of the chain. */
export function requireTrustedRoot(
  { change }: CheckedChange,
  { message }: Pick<Envelope, 'message'>,
  place: string,
): number {
  const own = change.roots.find((root) => equalBytes(messageOf(root), message))
  if (own !== undefined) return readRootDraft(own).version
  throw new VerifyError(
    'ROOT_CHANGED',
    `${toPrintable(place)} is not a root from which this change descends`,
    { role: 'root', next: askAgain },
  )
}
