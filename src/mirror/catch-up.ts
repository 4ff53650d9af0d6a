/**
 * A database that was put back from a backup knows less than was published since: its next versions
 * would be given out a second time, and names that were signed since could get another digest.
 *
 * So what the published tree says is taken over, as far as our own keys have signed it.
 */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { describeError, StorageError, VerifyError } from '../base/errors.ts'
import { ownerRole } from '../simple/project-targets.ts'
import { parseRecord, type ProjectRecord } from '../simple/record.ts'
import { findBin } from '../tuf/delegation.ts'
import type { MetaFile, TargetFile, Targets } from '../tuf/metadata.ts'
import { parseTimestamp } from '../tuf/parse.ts'
import {
  acceptDelegated,
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  noFloors,
  trustRoot,
  type TrustedSet,
} from '../tuf/trusted-set.ts'
import { continueJournal, findSignedHead } from './journal-recovery.ts'
import { binPrefix, renderBin } from './bins.ts'
import { findExtraTargets } from './extra-targets.ts'
import { readOwners } from './claims.ts'
import { listPins } from './merge.ts'
import { readPublished } from './online-signers.ts'
import type { Mirror } from './open-mirror.ts'
import { rebin } from './rebin.ts'
import { restoreClaims, restoreDenials } from './restore-decisions.ts'
import { settings } from './settings.ts'
import { renderTwin } from './stage-record.ts'
import { metadataPath, recordTarget, targetPath } from './tree-layout.ts'

/** In a mirror's life; more is a mistake. */
const maxNewRoots = 256
/** A million leaps of `skip-versions`; what is above is signed by a thief, and leaves too few behind it. */
const maxVersion = 2 ** 50

/** Throws StorageError where what was published since cannot be read: then nothing may be signed. */
export async function catchUp(mirror: Mirror): Promise<void> {
  const published = await findPublished(mirror)
  const allocated = mirror.roles.findAllocated('timestamp')
  if (published === undefined) return
  const { bytes, claimed } = published
  const { version, signedAt = 0, indexSeenAt } = claimed
  requireReachable(mirror, 'timestamp', version)
  requireReachable(mirror, 'the journal', findSignedHead(bytes)?.sequence ?? 0)
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
    await takeOver(mirror, published)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw refuse(describeError(error), error)
  }
  raise(mirror, signedAt, indexSeenAt)
  await continueJournal(mirror, bytes)
}

interface PublishedTimestamp {
  readonly bytes: Bytes
  readonly claimed: ReturnType<typeof parseTimestamp>['claimed']
  /** The newest root, and what it was read from where this database does not know it. */
  readonly root: TrustedSet
  readonly newRoot?: Bytes
}

/** What others wrote into the tree is no statement of ours: the next publication takes its place. */
async function findPublished(mirror: Mirror): Promise<PublishedTimestamp | undefined> {
  const bytes = await mirror.tree.read(metadataPath('timestamp', 0))
  if (bytes === undefined) return undefined
  try {
    const { claimed } = parseTimestamp(bytes)
    const chain = await followRoots(mirror)
    acceptTimestamp(chain.root, bytes, claimed.signedAt ?? 0)
    return { bytes, claimed, ...chain }
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** A ceremony may have been held since: then the timestamp is signed by another key. */
async function followRoots(mirror: Mirror): Promise<Pick<PublishedTimestamp, 'root' | 'newRoot'>> {
  let root = trustRoot(await readPublished(mirror, 'root'), noFloors)
  let newRoot: Bytes | undefined
  for (let followed = 0; followed < maxNewRoots; followed += 1) {
    const bytes = await mirror.tree.read(metadataPath('root', root.root.version + 1))
    if (bytes === undefined) break
    root = acceptRoot(root, bytes)
    newRoot = bytes
  }
  return { root, ...(newRoot && { newRoot }) }
}

/** As of the time of signing, at which nothing had expired; timestamp last, so that it can be done again. */
async function takeOver(mirror: Mirror, published: PublishedTimestamp): Promise<void> {
  const { bytes: timestamp, claimed, root, newRoot } = published
  const signedAt = claimed.signedAt ?? 0
  const dated = acceptTimestamp(root, timestamp, signedAt)
  const snapshot = await readVersion(mirror, 'snapshot', claimed.snapshot.version)
  const listed = acceptSnapshot(dated, snapshot, signedAt)
  const targets = await readVersion(mirror, 'targets', versionIn(listed, 'targets'))
  const trusted = acceptTargets(listed, targets, signedAt)
  if (newRoot !== undefined) putRole(mirror, 'root', newRoot, root.root)
  putRole(mirror, 'targets', targets, requireTargets(trusted))
  await takeOverBins(mirror, trusted)
  await takeOverOwners(mirror, trusted)
  await takeOverDenials(mirror, trusted)
  await takeOverListed(mirror, trusted)
  if (listed.snapshot !== undefined) putRole(mirror, 'snapshot', snapshot, listed.snapshot)
  if (dated.timestamp !== undefined) putRole(mirror, 'timestamp', timestamp, dated.timestamp)
}

async function takeOverBins(mirror: Mirror, trusted: TrustedSet): Promise<void> {
  const bins = await takeOverRole(mirror, trusted, requireTargets(trusted), binPrefix)
  const bitLength = bins.delegations?.bins?.bitLength
  if (bitLength === undefined) throw refuse('bins does not say how many there are')
  if (bitLength !== mirror.settings.require(settings.bitLength)) {
    mirror.ledger.database.transaction(() => rebin(mirror, bitLength))
  }
  for (let bin = 0; bin < 2 ** bitLength; bin += 1) {
    const contents = await takeOverRole(mirror, trusted, bins, renderBin(bin, bitLength))
    await takeOverRecords(mirror, contents)
  }
}

/** PEP 480: who signs for himself, as the published roles say it, and what he has signed. */
async function takeOverOwners(mirror: Mirror, trusted: TrustedSet): Promise<void> {
  const top = requireTargets(trusted)
  const claimed = await takeOverRole(mirror, trusted, top, 'claimed')
  const recent = await takeOverRole(mirror, trusted, top, 'recently-claimed')
  restoreClaims(mirror, { claimed, recent, signedAt: trusted.timestamp?.signedAt ?? 0 })
  const owners = new Map([
    ...[...readOwners(recent).keys()].map((project) => [project, recent] as const),
    ...[...readOwners(claimed).keys()].map((project) => [project, claimed] as const),
  ])
  for (const [project, delegator] of owners) {
    const contents = await takeOverRole(mirror, trusted, delegator, ownerRole(project))
    await takeOverRecords(mirror, contents)
  }
}

async function takeOverDenials(mirror: Mirror, trusted: TrustedSet): Promise<void> {
  const deny = await takeOverRole(mirror, trusted, requireTargets(trusted), 'deny')
  const contents = new Map<string, Bytes>()
  for (const [path, { hashes }] of deny.targets) {
    const file = targetPath(path, hashes.get('sha256') ?? '')
    contents.set(path, await readTarget(mirror, file, hashes.get('sha256')))
    mirror.ledger.keep(file)
  }
  restoreDenials(mirror, contents)
}

/** What is only listed: bins of before, and owners who have gone (TUF 5.5.5). */
async function takeOverListed(mirror: Mirror, { snapshot }: TrustedSet): Promise<void> {
  const listed = snapshot?.meta ?? new Map<string, MetaFile>()
  for (const [file, { version }] of listed) {
    const name = file.replace(/\.json$/, '')
    if (mirror.roles.find(name)?.version === version) continue
    // Whether snapshot says hashes may change: they are taken from what is there.
    const bytes = await readVersion(mirror, name, version)
    putRole(mirror, name, bytes, { version, expires: 0 })
  }
  for (const { name, isRetired } of mirror.roles.listForSnapshot()) {
    if (isRetired && !listed.has(`${name}.json`)) mirror.roles.unlist(name)
  }
}

async function takeOverRole(
  mirror: Mirror,
  trusted: TrustedSet,
  delegator: Targets,
  role: string,
): Promise<Targets> {
  const bytes = await readVersion(mirror, role, versionIn(trusted, role))
  const contents = acceptDelegated(trusted, delegator, role, bytes)
  putRole(mirror, role, bytes, contents)
  return contents
}

function versionIn({ snapshot }: TrustedSet, role: string): number {
  return snapshot?.meta.get(`${role}.json`)?.version ?? 0
}

async function takeOverRecords(mirror: Mirror, { targets }: Targets): Promise<void> {
  const bitLength = mirror.settings.require(settings.bitLength)
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
    const bin = findBin(bitLength, path)
    const project = { name, bin, sha256, length: target.length, listed, removed, conflicts }
    mirror.ledger.putProjects([{ project, newPins: listPins(files), ...(extra && { extra }) }])
  }
}

async function readRecord(
  mirror: Mirror,
  name: string,
  { hashes }: TargetFile,
): Promise<ProjectRecord> {
  const sha256 = hashes.get('sha256')
  const path = targetPath(recordTarget(name), sha256 ?? '')
  return parseRecord(await readTarget(mirror, path, sha256), name)
}

async function readTarget(mirror: Mirror, path: string, sha256?: string): Promise<Bytes> {
  const bytes = await mirror.tree.read(path)
  if (bytes !== undefined && sha256Hex(bytes) === sha256) return bytes
  throw refuse(`${path} is not there`)
}

function putRole(
  mirror: Mirror,
  name: string,
  bytes: Bytes,
  { version, expires }: { readonly version: number; readonly expires: number },
): void {
  requireReachable(mirror, name, version)
  mirror.ledger.keep(metadataPath(name, version))
  const digest = { length: bytes.length, sha256: sha256Hex(bytes) }
  mirror.roles.restore({ name, version, expires, ...digest })
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

/** Once it were taken over, no version would be left for what is honest, under new keys neither. */
function requireReachable({ directory }: Mirror, what: string, version: number): void {
  if (version <= maxVersion) return
  throw new StorageError(
    'STORAGE_FAILED',
    `The published tree has version ${version} of ${what}, signed with a key of this mirror, and no mirror gets there: somebody else has the key`,
    {
      next: `Nothing is signed. Replace the keys: tufgate mirror root new ${directory} --stolen timestamp snapshot -o recovery.json`,
    },
  )
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
