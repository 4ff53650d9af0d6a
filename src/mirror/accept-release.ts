/**
 * `mirror claims accept`: a release that owners have signed, checked as a client would check it and
 * against what was ever signed of the project, then put on disk. The next publication makes it seen.
 */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError, VerifyError } from '../base/errors.ts'
import {
  isFileTarget,
  parseRelease,
  requireOwners,
  type UnverifiedRelease,
} from '../owner/release.ts'
import { fileTarget, htmlTarget, ownerRole } from '../simple/project-targets.ts'
import type { RecordFile } from '../simple/record.ts'
import { findClaim, putClaim, type StoredClaim } from './claims.ts'
import { requireRoomForClaim } from './claims-size.ts'
import { BoundNames } from './bound-names.ts'
import type { Mirror } from './open-mirror.ts'
import { dayMs } from './settings.ts'
import { readShape } from './shape.ts'
import { listKept, listUnreferenced, stageFiles, stageRecord } from './stage-record.ts'
import { metadataPath } from './tree-layout.ts'

export interface AcceptOptions {
  /** Whether a file may be at this address: the index's own hosts, and those that it was told. */
  readonly isAllowedUrl: (url: string) => boolean
  /** ms */
  readonly now: number
}

export interface AcceptedRelease {
  readonly project: string
  readonly version: number
  /** ms */
  readonly expires: number
  /** `false`: the very same was accepted before. */
  readonly isNew: boolean
  /** From now on other keys sign the project. */
  readonly isHandover: boolean
}

/** A stolen key must not sign for ever, and nobody renews more than so often. */
const maxLifetimeMs = 2 * 366 * dayMs
const minLifetimeMs = dayMs
/** Beyond it an owner, or a thief, would use up all the versions that there are. */
const maxVersionStep = 1000
/** A minimum age counts from the first sight: a thief must not date it back. */
const maxFirstSeenAgeMs = 14 * dayMs
const maxClockErrorMs = 5 * 60_000

/** What was checked, and is ready to be put on disk. */
export interface CheckedRelease {
  readonly accepted: AcceptedRelease
  readonly put: () => Promise<void>
}

/** Changes nothing. Throws VerifyError for what no client should ever see, and CONFIG_INVALID without a claim. */
export function checkRelease(mirror: Mirror, bytes: Bytes, options: AcceptOptions): CheckedRelease {
  const release = parseRelease(bytes)
  const { project } = release
  const claim = requireClaim(mirror, project)
  const { owners, isHandover } = chooseOwners(claim, release)
  requireOwners(release, owners)
  const { version, expires } = release.targets.claimed
  const result = { project, version, expires, isHandover }
  if (isPublished(mirror, claim, release)) {
    const put = (): Promise<void> => restage(mirror, release)
    return { accepted: { ...result, isNew: false }, put }
  }
  requireNextVersion(mirror, release)
  requireLifetime(release, options.now)
  requireShape(mirror, release)
  const pins = mirror.ledger.readPins(project, mirror.ledger.findProject(project)?.id)
  requireNames(release, pins)
  for (const file of release.parsed.files) requireFile(project, file, pins, options)
  const accepted: StoredClaim = {
    project,
    state: claim.state === 'promoted' ? 'promoted' : 'recent',
    ...owners,
    ...(!isHandover && claim.next !== undefined && { next: claim.next }),
  }
  if (accepted.state === 'recent') requireRoomForClaim(mirror, accepted)
  const put = (): Promise<void> => putRelease(mirror, release, { accepted, pins, now: options.now })
  return { accepted: { ...result, isNew: true }, put }
}

function requireClaim(mirror: Mirror, project: string): StoredClaim {
  const claim = findClaim(mirror, project)
  if (claim !== undefined) return claim
  throw new ConfigError('CONFIG_INVALID', `Nobody has claimed ${project}`, {
    next: `Add the claim of its maintainers first: tufgate mirror claims add ${mirror.directory} CLAIM`,
  })
}

type Owners = Pick<StoredClaim, 'keys' | 'threshold' | 'created'>

/**
 * New keys take over with the first release that they sign. For a promoted claim the offline role has
 * to name them first: until then clients ask for the old ones.
 */
function chooseOwners(
  claim: StoredClaim,
  release: UnverifiedRelease,
): { owners: Owners; isHandover: boolean } {
  const { keys, threshold, created, next } = claim
  const current = { owners: { keys, threshold, created }, isHandover: false }
  if (next === undefined || claim.state === 'promoted' || isSignedBy(release, current.owners)) {
    return current
  }
  return { owners: next, isHandover: true }
}

function isSignedBy(release: UnverifiedRelease, owners: Owners): boolean {
  try {
    requireOwners(release, owners)
    return true
  } catch (error) {
    if (error instanceof VerifyError) return false
    throw error
  }
}

/** A claim that was dropped and made anew has left a role behind, under which nothing is named. */
function isPublished(
  mirror: Mirror,
  claim: StoredClaim,
  { project, metadata }: UnverifiedRelease,
): boolean {
  const published = mirror.roles.find(ownerRole(project))?.sha256
  return claim.state !== 'pending' && published === sha256Hex(metadata)
}

function requireNextVersion(mirror: Mirror, { project, targets }: UnverifiedRelease): void {
  const { version } = targets.claimed
  const last = mirror.roles.findAllocated(ownerRole(project))
  if (version > last && version <= last + maxVersionStep) return
  throw new VerifyError(
    'VERSION_ROLLBACK',
    version > last
      ? `The release of ${project} leaps to version ${version}`
      : `The release of ${project} is version ${version}, and ${last} was published already`,
    {
      role: ownerRole(project),
      version,
      expected: `${last + 1}`,
      found: String(version),
      next: 'Sign it again: tufgate owner sign looks up the version that is due.',
    },
  )
}

function requireLifetime({ project, targets }: UnverifiedRelease, now: number): void {
  const { expires, version } = targets.claimed
  if (expires >= now + minLifetimeMs && expires <= now + maxLifetimeMs) return
  const isOver = expires < now + minLifetimeMs
  throw new VerifyError(
    isOver ? 'EXPIRED' : 'RECORD_REFUSED',
    `The release of ${project} expires ${isOver ? 'too soon' : 'too late'}: ${formatUtcSeconds(expires)}`,
    {
      role: ownerRole(project),
      version,
      expected: `between a day and two years from now`,
      found: formatUtcSeconds(expires),
      next: 'Sign it again with --expires 365d.',
    },
  )
}

/** What clients of this mirror may ask for besides the record must be there. */
function requireShape(mirror: Mirror, { project, parsed, targets }: UnverifiedRelease): void {
  const { signsFiles, signsHtml } = readShape(mirror.settings)
  const isMissing = (path: string): boolean => !targets.claimed.targets.has(path)
  const file = parsed.files.find(
    (entry) => isFileTarget(entry) && isMissing(fileTarget(project, entry.filename)),
  )
  if (signsFiles && file !== undefined) {
    throw refuseShape(project, `${toPrintable(file.filename)} as a file of its own`, '--sign-files')
  }
  if (signsHtml && isMissing(htmlTarget(project))) {
    throw refuseShape(project, 'its page in HTML', '--html-records')
  }
}

function refuseShape(project: string, what: string, flag: string): VerifyError {
  return new VerifyError('RECORD_REFUSED', `The release of ${project} does not sign ${what}`, {
    next: `This mirror does so for every project: sign it again with ${flag}.`,
  })
}

/** Once signed, a name is bound for ever, whoever signs. */
function requireNames(
  { project, parsed }: UnverifiedRelease,
  pins: ReadonlyMap<string, string>,
): void {
  const conflict = new BoundNames(project, pins).findFirstConflict(parsed.files)
  if (conflict === undefined) return
  const { file, bound, found } = conflict
  const isSame = bound.file === file
  const spelling = isSame ? '' : `, as ${toPrintable(bound.file)}`
  const problem = `its name was signed with another sha256${spelling}`
  throw refuse(project, file, problem, { expected: bound.sha256, found })
}

function requireFile(
  project: string,
  file: RecordFile,
  pins: ReadonlyMap<string, string>,
  { isAllowedUrl, now }: AcceptOptions,
): void {
  if (!isAllowedUrl(file.url)) {
    throw refuse(project, file.filename, 'its host is not in file-hosts', { found: file.url })
  }
  if (pins.has(file.filename)) return
  const { firstSeen } = file
  const isPlausible =
    firstSeen !== undefined &&
    firstSeen >= now - maxFirstSeenAgeMs &&
    firstSeen <= now + maxClockErrorMs
  if (!isPlausible) {
    throw refuse(project, file.filename, 'it is new, and its first sight is not of these days', {
      found: firstSeen === undefined ? 'none' : formatUtcSeconds(firstSeen),
    })
  }
}

function refuse(
  project: string,
  filename: string,
  problem: string,
  { expected, found }: { readonly expected?: string; readonly found: string },
): VerifyError {
  return new VerifyError(
    'RECORD_REFUSED',
    `The release of ${project} lists ${toPrintable(filename)}: ${problem}`,
    {
      ...(expected !== undefined && { expected }),
      found: toPrintable(found),
      next: 'Ask the maintainers to sign it again, and find out why it differs.',
    },
  )
}

/** Its files anew: the mirror itself cannot make again what others have signed. */
async function restage(
  mirror: Mirror,
  { project, metadata, record, parsed, targets }: UnverifiedRelease,
): Promise<void> {
  const path = metadataPath(ownerRole(project), targets.claimed.version)
  await mirror.tree.stage(path, metadata, { hasTwin: true })
  await stageFiles(mirror, parsed, { bytes: record, sha256: sha256Hex(record) })
  await mirror.tree.publish()
}

interface Acceptance {
  readonly accepted: StoredClaim
  readonly pins: ReadonlyMap<string, string>
  readonly now: number
}

async function putRelease(
  mirror: Mirror,
  { project, metadata, record, parsed, targets }: UnverifiedRelease,
  { accepted, pins, now }: Acceptance,
): Promise<void> {
  const { ledger, roles, tree } = mirror
  const name = ownerRole(project)
  const { version, expires } = targets.claimed
  const path = metadataPath(name, version)
  const rendered = { record: parsed, bytes: record, sha256: sha256Hex(record) }
  const signedSha256 = ledger.findProject(project)?.sha256
  // Without an ETag the next look compares the whole page with what was signed.
  const context = { pins, signedSha256, mark: {} }
  const staged = await stageRecord(mirror, rendered, context)
  const { change, kept, superseded } = staged
  // Until their rows are written: a crash must not leave files that nothing knows of.
  ledger.database.transaction(() => {
    for (const file of [path, ...listUnreferenced(mirror, staged)]) ledger.putSuperseded(file, now)
  })
  await tree.stage(path, metadata, { hasTwin: true })
  await tree.publish()
  const before = roles.find(name)
  ledger.putProjects([change], () => {
    if (superseded !== undefined) ledger.putSuperseded(superseded, now)
    if (before !== undefined) ledger.putSuperseded(metadataPath(name, before.version), now)
    for (const file of [path, ...listKept(staged)]) ledger.keep(file)
    const digest = { length: metadata.length, sha256: sha256Hex(metadata) }
    roles.putOwner({ name, version, expires, ...digest })
    putClaim(mirror, accepted)
    const detail = { version, record: kept, keys: [...accepted.keys.keys()] }
    mirror.journal.append([{ kind: 'owner-signed', project, detail }], now)
    if (accepted.state === 'recent') roles.markDirty('recently-claimed')
  })
}
