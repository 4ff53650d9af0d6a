/**
 * `mirror root publish`: the signatures of all copies together, verified as a client does, then put
 * into force.
 *
 * One transaction decides it: before, the mirror is what it was; after, it is the new one, and what is
 * published is merely behind, as after any change. Whatever command comes next, after a crash too,
 * takes the waiting keys into use and publishes. Clients see nothing of it but the new state.
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { catchUp } from '../mirror/catch-up.ts'
import { findOnlineSigner, openOnlineSigners } from '../mirror/online-signers.ts'
import {
  keysFolder,
  openMirror,
  requireClock,
  type Mirror,
  type MirrorContext,
} from '../mirror/open-mirror.ts'
import { putPendingRoot } from '../mirror/pending-root.ts'
import { publishMirror, type Published } from '../mirror/publish.ts'
import { dropRetired, rebin } from '../mirror/rebin.ts'
import { onlineRoles, type OfflineRole, type OnlineRole } from '../mirror/role-names.ts'
import type { WrittenRole } from '../mirror/role-ledger.ts'
import { requireReadableClaims, settleClaims } from '../mirror/settle-claims.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import { checkChange, type CheckedChange } from './check-change.ts'
import { isSameContent, renderDraft, type Draft } from './draft.ts'
import { listBadSignatures, mergeChanges, type Copy } from './merge-changes.ts'
import { readOfflineDocuments } from './published-state.ts'
import { listOnlineRoles, requirePublishable, type BadSignatures } from './publishable.ts'

export interface PublishChangeOptions extends MirrorContext {
  readonly directory: string
  readonly copies: readonly Copy[]
}

export interface PublishedChange {
  readonly checked: CheckedChange
  /** It had been decided before; what was still missing of it was published. */
  readonly isRepeated: boolean
  /** The online roles that have a new key. */
  readonly newKeys: readonly OnlineRole[]
  readonly published: Published | undefined
}

export async function publishChange(options: PublishChangeOptions): Promise<PublishedChange> {
  const checked = checkChange(mergeChanges(options.copies))
  const mirror = await openMirror(options.directory, options)
  try {
    const now = mirror.clock()
    requireClock(mirror, now)
    if (await isTreeOurs(mirror, checked)) await catchUp(mirror)
    const published = await readOfflineDocuments(mirror)
    const isRepeated = isInForce(checked, published)
    const bad = listBadSignatures(options.copies)
    const decision = isRepeated ? undefined : await decide(mirror, checked, { published, now, bad })
    const signers = await openOnlineSigners(mirror)
    const result = await publishMirror(mirror, signers, { now, isTimestampDue: true })
    return { checked, isRepeated, newKeys: decision ?? [], published: result }
  } finally {
    await mirror.close()
  }
}

interface Circumstances {
  readonly published: ReadonlyMap<OfflineRole, Draft>
  readonly now: number
  readonly bad: BadSignatures
}

/** Everything that can be refused is refused here, before anything is changed. */
async function decide(
  mirror: Mirror,
  checked: CheckedChange,
  { published, now, bad }: Circumstances,
): Promise<OnlineRole[]> {
  requireBase(mirror, checked, published)
  const state = requirePublishable(checked, published, { now, bad })
  const [before, after] = [listOnlineRoles(state.before), listOnlineRoles(state.after)]
  const { claimed } = state.after
  const isClaimedChanged = checked.change.documents.has('claimed')
  if (isClaimedChanged) await requireReadableClaims(mirror, claimed)
  const newKeys = onlineRoles.filter((role) => !isSameIds(before[role].keyids, after[role].keyids))
  for (const role of onlineRoles) {
    await requireOnlineKey(mirror, role, after[role].keyids, newKeys.includes(role))
  }
  const written = await putDocuments(mirror, checked, now)
  mirror.roles.putWritten(written, () => {
    for (const { name, version } of written) takeIntoUse(mirror, { name, version }, published, now)
    const root = checked.change.documents.get('root')
    if (root !== undefined) putPendingRoot(mirror, renderDraft(root))
    for (const role of newKeys) markResigned(mirror, role)
    const { bitLength } = state.after
    if (bitLength !== state.before.bitLength) rebin(mirror, bitLength)
    if (newKeys.includes('snapshot')) dropRetired(mirror, now)
    if (isClaimedChanged) settleClaims(mirror, claimed)
  })
  return newKeys
}

/**
 * What a stolen key has signed into the tree is no statement of ours, and would stop everything. Once
 * the change is in force, or a later root is out, the stolen key leads nowhere: then a database that is
 * older than the tree must learn what was published, or it would give its versions out again.
 */
async function isTreeOurs(mirror: Mirror, checked: CheckedChange): Promise<boolean> {
  if (!isTimestampReplaced(checked)) return true
  const next = metadataPath('root', mirror.roles.require('root').version + 1)
  if ((await mirror.tree.read(next)) !== undefined) return true
  return isInForce(checked, await readOfflineDocuments(mirror))
}

function isInForce({ change }: CheckedChange, published: ReadonlyMap<OfflineRole, Draft>): boolean {
  return [...change.documents].every(([role, draft]) => isSame(draft, published.get(role)))
}

function isTimestampReplaced({ before, after }: CheckedChange): boolean {
  return !isSameIds(before.root.roles.timestamp.keyids, after.root.roles.timestamp.keyids)
}

function isSame(draft: Draft, published: Draft | undefined): boolean {
  return published !== undefined && isSameContent(draft, published)
}

function isSameIds(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((keyid) => right.includes(keyid))
}

/** What people have looked at when they signed is what is published now. */
function requireBase(
  mirror: Mirror,
  { change }: CheckedChange,
  published: ReadonlyMap<OfflineRole, Draft>,
): void {
  const base: [OfflineRole, Draft | undefined][] = [
    ['root', change.roots.at(-1)],
    ...change.previous,
  ]
  const moved = base.find(
    ([role, draft]) => draft === undefined || !isSame(draft, published.get(role)),
  )
  if (moved === undefined) return
  const [role, draft] = moved
  throw new ConfigError(
    'CONFIG_INVALID',
    `The change was made from another ${role} than the one that is published`,
    {
      role,
      expected: `${role} version ${versionOf(published.get(role))} of this mirror`,
      found: `version ${versionOf(draft)}`,
      next: `Prepare it anew from what is published: tufgate mirror root new ${mirror.directory}`,
    },
  )
}

function versionOf(draft: Draft | undefined): string {
  const version = draft?.signed['version']
  return typeof version === 'number' ? String(version) : 'none'
}

/** A key that nobody here can sign with would end the mirror: each new one is tried. */
async function requireOnlineKey(
  mirror: Mirror,
  role: OnlineRole,
  keyids: readonly string[],
  isNew: boolean,
): Promise<void> {
  const folder = join(mirror.directory, keysFolder)
  try {
    const { signer } = await findOnlineSigner(folder, role, keyids)
    if (isNew) await signer.sign(encodeUtf8('tufgate tries a new key'))
  } catch (cause) {
    if (!isNew || !(cause instanceof ConfigError)) throw cause
    throw new ConfigError(
      'KEY_INVALID',
      `The new key of ${role} cannot be used: ${cause.message}`,
      {
        role,
        expected: keyids.join(', '),
        next: `It belongs into ${folder}, as ${role}.next.pem or ${role}.next.signer. If the change was prepared again since, publish that one.`,
        cause,
      },
    )
  }
}

/** On disk, where no client looks before a snapshot names them. Root appears with its timestamp. */
async function putDocuments(
  mirror: Mirror,
  { documents }: CheckedChange,
  now: number,
): Promise<WrittenRole[]> {
  const written: WrittenRole[] = []
  for (const { role, draft, version, expires } of documents) {
    const bytes = renderDraft(draft)
    written.push({ name: role, version, expires, ...digestOf(bytes) })
    if (role === 'root') continue
    // Until their rows are written nothing refers to them.
    mirror.ledger.putSuperseded(metadataPath(role, version), now)
    await mirror.tree.stage(metadataPath(role, version), bytes, { hasTwin: true })
  }
  await mirror.tree.publish()
  return written
}

function digestOf(bytes: Bytes): { length: number; sha256: string } {
  return { length: bytes.length, sha256: sha256Hex(bytes) }
}

/** Within the transaction. Roots are never superseded: old clients follow them. */
function takeIntoUse(
  mirror: Mirror,
  { name, version }: Pick<WrittenRole, 'name' | 'version'>,
  published: ReadonlyMap<string, Draft>,
  now: number,
): void {
  mirror.roles.raiseAllocated(name, version)
  if (name === 'root') return
  mirror.roles.markDirty(name)
  mirror.ledger.keep(metadataPath(name, version))
  const before = published.get(name)?.signed['version']
  if (typeof before === 'number') mirror.ledger.putSuperseded(metadataPath(name, before), now)
}

/** What an old key has signed must be signed again. Timestamp is, in any case. */
function markResigned({ roles }: Mirror, role: OnlineRole): void {
  if (role === 'bins-nn') roles.markAllBins()
  else roles.markDirty(role)
}
