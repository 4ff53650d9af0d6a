/**
 * What is trusted, as an immutable value, and the only ways to the next one (TUF 5.3 to 5.6).
 *
 * Each `accept` step parses, verifies, compares with the floors and gives a new set, or throws a
 * VerifyError and changes nothing. Rollback protection rests on the floors alone, so old metadata
 * need not be kept for it. No I/O; the time is an argument.
 */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import { requireContent } from './content.ts'
import { findSigners } from './delegation.ts'
import { raiseFloors, requireAtLeast, requireListedRoles, type Floors } from './floors.ts'
import { requireCurrent, requirePlausibleTime } from './freshness.ts'
import type { MetaFile, Root, Snapshot, Targets, Timestamp, TopRole } from './metadata.ts'
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from './parse.ts'
import { isTrustReduced } from './rotation.ts'
import { requireThreshold, type Signers } from './threshold.ts'

export { noFloors, type Floors } from './floors.ts'
export { requireUnexpired, type UsableSet } from './freshness.ts'

export interface TrustedSet {
  readonly root: Root
  readonly floors: Floors
  readonly timestamp?: Timestamp
  readonly snapshot?: Snapshot
  readonly targets?: Targets
}

/** The start of all trust (TUF 5.2): bytes that the operator vouches for. May have expired. */
export function trustRoot(bytes: Bytes, floors: Floors): TrustedSet {
  const unverified = parseRoot(bytes)
  const root = unverified.claimed
  requireThreshold('root', unverified, signersOf(root, 'root'), 'the root itself')
  return { root, floors: raiseFloors(floors, [['root', root.version]]) }
}

/**
 * The next root, by the threshold of both (TUF 5.3.4). What lies below it stays only where the new
 * root takes no trust away from its role.
 */
export function acceptRoot(trusted: TrustedSet, bytes: Bytes): TrustedSet {
  const unverified = parseRoot(bytes)
  const root = unverified.claimed
  requireThreshold('root', unverified, signersOf(trusted.root, 'root'), 'the trusted root')
  requireThreshold('root', unverified, signersOf(root, 'root'), 'the new root itself')
  // TUF 5.3.5: exactly the next one.
  requireVersion('root', root.version, trusted.root.version + 1)
  const isRotated = (['timestamp', 'snapshot'] as const).some((role) =>
    isTrustReduced(trusted.root, root, role),
  )
  if (isRotated)
    return {
      root,
      floors: raiseFloors(forgetFloors(trusted.floors, root), [['root', root.version]]),
    }
  const { targets, ...kept } = trusted
  const isTargetsKept = targets !== undefined && !isTrustReduced(trusted.root, root, 'targets')
  const floors = raiseFloors(trusted.floors, [['root', root.version]])
  return { ...kept, root, floors, ...(isTargetsKept && { targets }) }
}

/**
 * TUF 5.3.11: recovery from a fast-forward attack. After a restart the chain is walked again, and
 * floors that were raised after this rotation already stand on the right side of it.
 */
function forgetFloors(floors: Floors, root: Root): Floors {
  if (root.version <= floors.epoch) return floors
  const rootFloor = floors.versions.get('root') ?? root.version
  return {
    versions: new Map([['root', rootFloor]]),
    signedAt: floors.signedAt,
    epoch: root.version,
  }
}

/** An equal version gives the same set back (TUF 5.4.3.1): the trusted one stays. */
export function acceptTimestamp(trusted: TrustedSet, bytes: Bytes, now: number): TrustedSet {
  const unverified = parseTimestamp(bytes)
  const timestamp = unverified.claimed
  requireThreshold('timestamp', unverified, signersOf(trusted.root, 'timestamp'), 'root')
  // TUF 5.4.3.1 and 5.4.3.2: rollback, of itself and of the snapshot that it names.
  requireAtLeast(trusted.floors, 'timestamp', timestamp.version)
  if (timestamp.version === trusted.timestamp?.version) return trusted
  requireAtLeast(trusted.floors, 'snapshot', timestamp.snapshot.version)
  requirePlausibleTime(timestamp, trusted.floors, now)
  requireCurrent('timestamp', timestamp, now)
  const floors = raiseFloors(
    { ...trusted.floors, signedAt: Math.max(trusted.floors.signedAt, timestamp.signedAt ?? 0) },
    [
      ['timestamp', timestamp.version],
      ['snapshot', timestamp.snapshot.version],
    ],
  )
  const { root, snapshot, targets } = trusted
  const isSnapshotKept = isSameFile(trusted.timestamp?.snapshot, timestamp.snapshot)
  return {
    root,
    floors,
    timestamp,
    ...(isSnapshotKept && snapshot && { snapshot, ...(targets && { targets }) }),
  }
}

export function acceptSnapshot(trusted: TrustedSet, bytes: Bytes, now: number): TrustedSet {
  const { timestamp } = trusted
  if (timestamp === undefined) throw new TypeError('a snapshot is accepted after its timestamp')
  // TUF 5.5.2: before the signatures, so that foreign bytes are not even read.
  requireContent('snapshot', bytes, timestamp.snapshot)
  const unverified = parseSnapshot(bytes)
  const snapshot = unverified.claimed
  requireThreshold('snapshot', unverified, signersOf(trusted.root, 'snapshot'), 'root')
  requireVersion('snapshot', snapshot.version, timestamp.snapshot.version)
  const versions = listRoleVersions(snapshot)
  requireListedRoles(trusted.floors, versions)
  requireCurrent('snapshot', snapshot, now)
  return { root: trusted.root, floors: raiseFloors(trusted.floors, versions), timestamp, snapshot }
}

export function acceptTargets(trusted: TrustedSet, bytes: Bytes, now: number): TrustedSet {
  const targets = verifyTargets(trusted, 'targets', bytes, {
    signers: signersOf(trusted.root, 'targets'),
    by: 'root',
  })
  requireCurrent('targets', targets, now)
  return { ...trusted, targets }
}

/**
 * A delegated role, verified for this delegator: the same bytes may be good for one delegator and
 * not for another. Whether it has expired is asked when it is used.
 */
export function acceptDelegated(
  trusted: TrustedSet,
  delegator: Targets,
  role: string,
  bytes: Bytes,
): Targets {
  const signers = delegator.delegations && findSigners(delegator.delegations, role)
  if (signers === undefined)
    throw new TypeError('a role is accepted only from one that delegates to it')
  return verifyTargets(trusted, role, bytes, { signers, by: 'its delegation' })
}

function verifyTargets(
  trusted: TrustedSet,
  role: string,
  bytes: Bytes,
  { signers, by }: { readonly signers: Signers; readonly by: string },
): Targets {
  const file = requireListed(trusted, role)
  requireContent(role, bytes, file)
  const unverified = parseTargets(bytes, role)
  requireThreshold(role, unverified, signers, by)
  // TUF 5.6.4: exactly the version of the snapshot.
  requireVersion(role, unverified.claimed.version, file.version)
  return unverified.claimed
}

/** What snapshot says of a targets role. Throws ROLE_NOT_IN_SNAPSHOT. */
export function requireListed({ snapshot }: TrustedSet, role: string): MetaFile {
  if (snapshot === undefined) throw new TypeError('targets are accepted after their snapshot')
  const file = snapshot.meta.get(`${role}.json`)
  if (file !== undefined) return file
  throw new VerifyError(
    'ROLE_NOT_IN_SNAPSHOT',
    `role ${toPrintable(role)} is not listed in snapshot ${snapshot.version}`,
    {
      role,
      version: snapshot.version,
      next: 'Ask whoever runs the mirror: it published a delegation without its snapshot.',
    },
  )
}

function signersOf(root: Root, role: TopRole): Signers {
  return { keys: root.keys, ...root.roles[role] }
}

function requireVersion(role: string, found: number, expected: number): void {
  if (found === expected) return
  throw new VerifyError(
    'VERSION_MISMATCH',
    `${toPrintable(role)} is version ${found} where ${expected} is due`,
    {
      role,
      version: found,
      expected: String(expected),
      found: String(found),
      next: 'Try again: the mirror may be publishing right now.',
    },
  )
}

function isSameFile(left: MetaFile | undefined, right: MetaFile | undefined): boolean {
  if (left === undefined || right === undefined) return false
  const leftHashes = [...(left.hashes ?? [])]
  return (
    left.version === right.version &&
    left.length === right.length &&
    leftHashes.length === (right.hashes?.size ?? 0) &&
    leftHashes.every(([name, digest]) => right.hashes?.get(name) === digest)
  )
}

/** Old repositories list root.json too: snapshot has no say in the versions of top-level roles. */
function listRoleVersions({ meta }: Snapshot): Map<string, number> {
  const versions = new Map<string, number>()
  for (const [fileName, { version }] of meta) {
    const role = fileName.endsWith('.json') ? fileName.slice(0, -'.json'.length) : ''
    if (!rolesOutsideSnapshot.has(role)) versions.set(role, version)
  }
  return versions
}

const rolesOutsideSnapshot: ReadonlySet<string> = new Set(['', 'root', 'timestamp', 'snapshot'])
