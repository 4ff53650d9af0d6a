/**
 * Signs what changed and puts it out: targets roles, snapshot, timestamp last (TUF 6.2), so that a
 * reader at any moment sees one whole snapshot, and a crash at any moment leaves the one before.
 */

import type { Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import { sha256Hex } from '../base/digest.ts'
import { signEnvelope } from '../signing/envelope.ts'
import type { Signer } from '../signing/signer.ts'
import { isOwnerRole } from '../simple/project-targets.ts'
import { findBin } from '../tuf/delegation.ts'
import { renderBin } from './bins.ts'
import { listRecentClaims } from './claims.ts'
import { listDenied } from './deny.ts'
import { listExtraTargets } from './extra-targets.ts'
import { publishJournal } from './journal-files.ts'
import {
  buildDelegator,
  buildListing,
  buildSnapshot,
  buildTimestamp,
  type FileDigest,
  type MetaEntry,
} from './metadata-documents.ts'
import type { OnlineSigners } from './online-signers.ts'
import { requireClock, type Mirror } from './open-mirror.ts'
import { clearPendingRoot, findPendingRoot } from './pending-root.ts'
import { readProjectList } from './published-list.ts'
import type { ListedRole, WrittenRole } from './role-ledger.ts'
import { settings, type Setting } from './settings.ts'
import { metadataPath, projectListTarget, recordTarget } from './tree-layout.ts'

/** Up to here snapshot says length and sha256 of each bin, and of each owner; above, its size would be the problem. */
const maxHashedRoles = 512
const binsAtOnce = 32
const sweptAtOnce = 10_000

export interface Published {
  readonly timestamp: number
  readonly snapshot: number
  readonly bins: number
}

export interface PublishOptions {
  /** ms */
  readonly now: number
  /** Timestamp is signed even if nothing else is and it is young. */
  readonly isTimestampDue: boolean
}

/** Every online role past half of its life is signed again, whether it changed or not. */
export async function publishMirror(
  mirror: Mirror,
  signers: OnlineSigners,
  { now, isTimestampDue }: PublishOptions,
): Promise<Published | undefined> {
  requireClock(mirror, now)
  markExpiring(mirror, now)
  const bins = mirror.roles.allocateDirtyBins()
  const isSnapshotDue =
    mirror.roles.countDirty() > 0 || isOld(mirror, 'snapshot', settings.snapshotLifetimeMs, now)
  if (
    !isSnapshotDue &&
    !isTimestampDue &&
    findPendingRoot(mirror) === undefined &&
    !isOld(mirror, 'timestamp', settings.timestampLifetimeMs, now)
  ) {
    return undefined
  }
  mirror.settings.put(settings.lastSignedAt, now)
  const put = new RolePublisher(mirror, now)
  await publishDenied(mirror, put, signers.deny)
  await publishClaims(mirror, put, signers['recently-claimed'])
  for (let at = 0; at < bins.length; at += binsAtOnce) {
    await publishBins(mirror, put, signers['bins-nn'], bins.slice(at, at + binsAtOnce))
  }
  if (isSnapshotDue) await publishSnapshot(mirror, put, signers.snapshot)
  await publishTimestamp(mirror, put, signers.timestamp)
  // Only now: a timestamp that covers everything is out.
  mirror.roles.clearDirty()
  await sweepSuperseded(mirror, now)
  return {
    timestamp: mirror.roles.require('timestamp').version,
    snapshot: mirror.roles.require('snapshot').version,
    bins: bins.length,
  }
}

function markExpiring(mirror: Mirror, now: number): void {
  mirror.roles.markExpiring(now + mirror.settings.require(settings.binLifetimeMs) / 2)
  for (const role of ['deny', 'recently-claimed']) {
    if (isOld(mirror, role, settings.binLifetimeMs, now)) mirror.roles.markDirty(role)
  }
}

function isOld(mirror: Mirror, role: string, lifetime: Setting<number>, now: number): boolean {
  return mirror.roles.require(role).expires - now < mirror.settings.require(lifetime) / 2
}

interface Draft {
  readonly name: string
  readonly version: number
  readonly expires: number
  readonly signed: Json
  readonly signer: Signer
}

class RolePublisher {
  readonly now: number
  readonly #mirror: Mirror

  constructor(mirror: Mirror, now: number) {
    this.#mirror = mirror
    this.now = now
  }

  expiry(lifetime: Setting<number>): number {
    return this.now + this.#mirror.settings.require(lifetime)
  }

  /** Signs, makes all of them visible at once, and writes down that they are. */
  async publish(drafts: readonly Draft[]): Promise<void> {
    const written: WrittenRole[] = []
    for (const { name, version, expires, signed, signer } of drafts) {
      const bytes = await signEnvelope(signed, [signer])
      await this.#stage(name, version, bytes)
      written.push({ name, version, expires, ...digestOf(bytes) })
    }
    putUnreferenced(this.#mirror, written, this.now)
    await this.#mirror.tree.publish()
    putWritten(this.#mirror, written, this.now)
  }

  /** After the check: timestamp.json is what makes all the rest visible. */
  async publishTimestamp({ name, version, expires, signed, signer }: Draft): Promise<void> {
    const timestamp = await signEnvelope(signed, [signer])
    const root = findPendingRoot(this.#mirror)
    const staged = { timestamp, ...(root !== undefined && { root }) }
    const finishCheck = await this.#mirror.check?.(this.#mirror, staged)
    let isOut = false
    try {
      // With a new key of timestamp neither is worth anything without the other: two renames in a row.
      if (root !== undefined)
        await this.#mirror.tree.stage(root.path, root.bytes, { hasTwin: true })
      await this.#stage(name, version, timestamp)
      await this.#mirror.tree.publish()
      isOut = true
    } finally {
      await finishCheck?.(isOut)
    }
    const written = { name, version, expires, ...digestOf(timestamp) }
    this.#mirror.roles.putWritten([written], () => clearPendingRoot(this.#mirror))
  }

  /** Timestamp has no twin: two files cannot change at the same moment, and it is small. */
  #stage(name: string, version: number, bytes: Bytes): Promise<void> {
    const hasTwin = name !== 'timestamp'
    return this.#mirror.tree.stage(metadataPath(name, version), bytes, { hasTwin })
  }
}

/**
 * Files of which nothing in the database knows would stay for ever after a crash: until their rows are
 * written they count as superseded, like what they take the place of from then on.
 */
function putUnreferenced(mirror: Mirror, roles: readonly WrittenRole[], now: number): void {
  mirror.ledger.database.transaction(() => {
    for (const { name, version } of roles) {
      mirror.ledger.putSuperseded(metadataPath(name, version), now)
    }
  })
}

/**
 * What is replaced is swept only after a later timestamp is out, and when the one that still leads to
 * it has long expired: whether this publication comes to its end does not matter.
 */
function putWritten(mirror: Mirror, roles: readonly WrittenRole[], now: number): void {
  const before = roles.map(({ name }) => mirror.roles.require(name))
  mirror.roles.putWritten(roles, () => {
    for (const { name, version } of before) {
      if (version > 0) mirror.ledger.putSuperseded(metadataPath(name, version), now)
    }
    for (const { name, version } of roles) mirror.ledger.keep(metadataPath(name, version))
  })
}

function digestOf(bytes: Bytes): FileDigest {
  return { length: bytes.length, sha256: sha256Hex(bytes) }
}

async function publishDenied(mirror: Mirror, put: RolePublisher, signer: Signer): Promise<void> {
  if (!mirror.roles.isDirty('deny')) return
  const version = mirror.roles.allocate('deny')
  const expires = put.expiry(settings.binLifetimeMs)
  const signed = buildListing({ version, expires }, listDenied(mirror))
  await put.publish([{ name: 'deny', version, expires, signed, signer }])
}

/** PEP 480: those whose owners are known, and not yet signed offline. */
async function publishClaims(mirror: Mirror, put: RolePublisher, signer: Signer): Promise<void> {
  const name = 'recently-claimed'
  if (!mirror.roles.isDirty(name)) return
  const version = mirror.roles.allocate(name)
  const expires = put.expiry(settings.binLifetimeMs)
  const signed = buildDelegator({ version, expires }, listRecentClaims(mirror))
  await put.publish([{ name, version, expires, signed, signer }])
}

async function publishBins(
  mirror: Mirror,
  put: RolePublisher,
  signer: Signer,
  bins: readonly { bin: number; version: number }[],
): Promise<void> {
  const bitLength = mirror.settings.require(settings.bitLength)
  const expires = put.expiry(settings.binLifetimeMs)
  const drafts = bins.map(({ bin, version }) => ({
    name: renderBin(bin, bitLength),
    version,
    expires,
    signer,
    signed: buildListing({ version, expires }, listTargets(mirror, bin, bitLength)),
  }))
  await put.publish(drafts)
}

function* listTargets(
  mirror: Mirror,
  bin: number,
  bitLength: number,
): Generator<readonly [string, FileDigest]> {
  for (const { name, length, sha256 } of mirror.ledger.listBin(bin)) {
    yield [recordTarget(name), { length, sha256 }]
  }
  yield* listExtraTargets(mirror.ledger.database, bin)
  const list = readProjectList(mirror)
  if (list !== undefined && findBin(bitLength, projectListTarget) === bin) {
    yield [projectListTarget, list]
  }
}

async function publishSnapshot(mirror: Mirror, put: RolePublisher, signer: Signer): Promise<void> {
  const version = mirror.roles.allocate('snapshot')
  const expires = put.expiry(settings.snapshotLifetimeMs)
  const listed = mirror.roles.listForSnapshot()
  const hasHashes = {
    bins: isHashing(mirror, 2 ** mirror.settings.require(settings.bitLength)),
    owners: isHashing(mirror, listed.filter(({ name }) => isOwnerRole(name)).length),
  }
  const meta = listed.map((role) => [role.name, describeRole(role, hasHashes)] as const)
  const signed = buildSnapshot({ version, expires }, meta)
  await put.publish([{ name: 'snapshot', version, expires, signed, signer }])
}

/** Without hashes the key of the bins alone can replace a bin by another of the same version, an owner his own role. */
function isHashing(mirror: Mirror, count: number): boolean {
  const choice = mirror.settings.find(settings.snapshotHashes) ?? 'auto'
  if (choice !== 'auto') return choice === 'on'
  return count <= maxHashedRoles
}

function describeRole(
  { name, version, length, sha256, isBin }: ListedRole,
  hasHashes: { readonly bins: boolean; readonly owners: boolean },
): MetaEntry {
  const isHashed = isBin ? hasHashes.bins : hasHashes.owners || !isOwnerRole(name)
  return isHashed ? { version, length, sha256 } : { version }
}

async function publishTimestamp(mirror: Mirror, put: RolePublisher, signer: Signer): Promise<void> {
  // Before the timestamp that signs its head.
  await publishJournal(mirror, put.now)
  const { version: snapshot, length, sha256 } = mirror.roles.require('snapshot')
  const version = mirror.roles.allocate('timestamp')
  const expires = put.expiry(settings.timestampLifetimeMs)
  const indexSeen = mirror.settings.find(settings.indexSeenAt)
  const journal = mirror.journal.head()
  const statement = {
    signed: put.now,
    ...(indexSeen !== undefined && { indexSeen }),
    ...(journal.sequence > 0 && { journal }),
  }
  const listed = { version: snapshot, length, sha256 }
  const signed = buildTimestamp({ version, expires }, listed, statement)
  await put.publishTimestamp({ name: 'timestamp', version, expires, signed, signer })
}

/**
 * A reader may be in the middle of an older snapshot as long as its timestamp is unexpired, and
 * its records with it; twice that time later nobody is.
 */
async function sweepSuperseded(mirror: Mirror, now: number): Promise<void> {
  const keptMs = 2 * mirror.settings.require(settings.timestampLifetimeMs)
  const paths = mirror.ledger.listSuperseded(now - keptMs, sweptAtOnce)
  if (paths.length === 0) return
  for (const path of paths) await mirror.tree.remove(path)
  // One commit for all: each waits for the disk. What is gone after a crash is removed in vain.
  mirror.ledger.database.transaction(() => {
    for (const path of paths) mirror.ledger.keep(path)
  })
}
