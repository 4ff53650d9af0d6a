/**
 * A database that was put back from a backup knows less than was published since: its next versions
 * would be given out a second time, and names that were signed since could get another digest.
 *
 * So what the published tree says is taken over, as far as our own keys have signed it.
 */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { describeError, StorageError, VerifyError } from '../base/errors.ts'
import { parseRecord, type ProjectRecord } from '../simple/record.ts'
import type { TargetFile, Targets } from '../tuf/metadata.ts'
import { parseTimestamp } from '../tuf/parse.ts'
import {
  acceptDelegated,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  noFloors,
  trustRoot,
  type TrustedSet,
} from '../tuf/trusted-set.ts'
import { continueJournal } from './journal-recovery.ts'
import { binPrefix, renderBin } from './bins.ts'
import { findExtraTargets } from './extra-targets.ts'
import { listPins } from './merge.ts'
import { readPublished } from './online-signers.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { renderTwin } from './stage-record.ts'
import { metadataPath, recordTarget, targetPath } from './tree-layout.ts'

/** Throws StorageError where what was published since cannot be read: then nothing may be signed. */
export async function catchUp(mirror: Mirror): Promise<void> {
  const bytes = await mirror.tree.read(metadataPath('timestamp', 0))
  const published = bytes === undefined ? undefined : await findPublished(mirror, bytes)
  const allocated = mirror.roles.findAllocated('timestamp')
  if (bytes === undefined || published === undefined) return
  const { version, signedAt = 0, indexSeenAt } = published
  if (version <= allocated) {
    await continueJournal(mirror, bytes)
    return
  }
  mirror.report({
    kind: 'warning',
    message: `mirror.db is older than what was published: it knows timestamp ${allocated}, and ${version} is out`,
    next: 'What was signed since is taken over from the published tree.',
  })
  try {
    await takeOver(mirror, bytes, signedAt)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw refuse(describeError(error), error)
  }
  raise(mirror, signedAt, indexSeenAt)
  await continueJournal(mirror, bytes)
}

/** What others wrote into the tree is no statement of ours: the next publication takes its place. */
async function findPublished(
  mirror: Mirror,
  bytes: Bytes,
): Promise<ReturnType<typeof parseTimestamp>['claimed'] | undefined> {
  try {
    const { claimed } = parseTimestamp(bytes)
    const root = trustRoot(await readPublished(mirror, 'root'), noFloors)
    acceptTimestamp(root, bytes, claimed.signedAt ?? 0)
    return claimed
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** As of the time of signing, at which nothing had expired. */
async function takeOver(mirror: Mirror, timestamp: Bytes, signedAt: number): Promise<void> {
  const read = (role: string, version: number): Promise<Bytes> => readVersion(mirror, role, version)
  const root = trustRoot(await readPublished(mirror, 'root'), noFloors)
  const dated = acceptTimestamp(root, timestamp, signedAt)
  const snapshotVersion = dated.timestamp?.snapshot.version ?? 0
  const snapshot = await read('snapshot', snapshotVersion)
  const listed = acceptSnapshot(dated, snapshot, signedAt)
  const versionOf = (role: string): number =>
    listed.snapshot?.meta.get(`${role}.json`)?.version ?? 0
  const targets = await read('targets', versionOf('targets'))
  const trusted = acceptTargets(listed, targets, signedAt)
  const bins = await read(binPrefix, versionOf(binPrefix))
  const delegator = acceptDelegated(trusted, requireTargets(trusted), binPrefix, bins)
  putRole(mirror, 'targets', targets, requireTargets(trusted))
  putRole(mirror, binPrefix, bins, delegator)
  const bitLength = mirror.settings.require(settings.bitLength)
  for (let bin = 0; bin < 2 ** bitLength; bin += 1) {
    const role = renderBin(bin, bitLength)
    const bytes = await read(role, versionOf(role))
    const contents = acceptDelegated(trusted, delegator, role, bytes)
    await takeOverRecords(mirror, bin, contents)
    putRole(mirror, role, bytes, contents)
  }
  if (listed.snapshot !== undefined) putRole(mirror, 'snapshot', snapshot, listed.snapshot)
  if (dated.timestamp !== undefined) putRole(mirror, 'timestamp', timestamp, dated.timestamp)
}

async function takeOverRecords(mirror: Mirror, bin: number, { targets }: Targets): Promise<void> {
  for (const [path, target] of targets) {
    const [, name = ''] = /^simple\/([^/]+)\/index\.json$/.exec(path) ?? []
    const sha256 = target.hashes.get('sha256') ?? ''
    // What the backup takes for superseded may have been signed again since.
    mirror.ledger.keep(targetPath(path, sha256))
    // The list of projects, files and HTML twins follow from the records.
    if (name === '' || mirror.ledger.findProject(name)?.sha256 === sha256) continue
    const record = await readRecord(mirror, name, target)
    const { files } = record
    const html = renderTwin(record)
    const extra = findExtraTargets(mirror.settings, record, { html, now: mirror.clock() })
    const removed = files.filter((file) => file.removed !== undefined).length
    const conflicts = files.filter((file) => file.conflict !== undefined).length
    const listed = files.length - removed
    const project = { name, bin, sha256, length: target.length, listed, removed, conflicts }
    mirror.ledger.putProjects([{ project, newPins: listPins(files), ...(extra && { extra }) }])
  }
}

async function readRecord(
  mirror: Mirror,
  name: string,
  { hashes }: TargetFile,
): Promise<ProjectRecord> {
  const sha256 = hashes.get('sha256') ?? ''
  const path = targetPath(recordTarget(name), sha256)
  const bytes = await mirror.tree.read(path)
  if (bytes === undefined || sha256Hex(bytes) !== sha256) throw refuse(`${path} is not there`)
  return parseRecord(bytes, name)
}

function putRole(
  mirror: Mirror,
  name: string,
  bytes: Bytes,
  { version, expires }: { readonly version: number; readonly expires: number },
): void {
  mirror.ledger.keep(metadataPath(name, version))
  mirror.roles.raiseAllocated(name, version)
  const digest = { length: bytes.length, sha256: sha256Hex(bytes) }
  mirror.roles.putWritten([{ name, version, expires, ...digest }])
}

function raise(mirror: Mirror, signedAt: number, indexSeenAt: number | undefined): void {
  const last = mirror.settings.find(settings.lastSignedAt) ?? 0
  mirror.settings.put(settings.lastSignedAt, Math.max(last, signedAt))
  const seen = mirror.settings.find(settings.indexSeenAt) ?? 0
  if (indexSeenAt !== undefined && indexSeenAt > seen) {
    mirror.settings.put(settings.indexSeenAt, indexSeenAt)
  }
}

async function readVersion(mirror: Mirror, role: string, version: number): Promise<Bytes> {
  const path = metadataPath(role, version)
  const bytes = await mirror.tree.read(path)
  if (bytes === undefined) throw refuse(`${path} is not there`)
  return bytes
}

function requireTargets({ targets }: TrustedSet): Targets {
  if (targets === undefined) throw refuse('there are no targets')
  return targets
}

function refuse(problem: string, cause?: unknown): StorageError {
  return new StorageError(
    'STORAGE_FAILED',
    `mirror.db is older than what was published, and that cannot be read: ${problem}`,
    {
      next: 'Put back a newer backup of mirror.db, or the published folder as it was: versions must not be signed twice.',
      cause,
    },
  )
}
