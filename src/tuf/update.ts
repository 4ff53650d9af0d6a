/**
 * One refresh against one mirror, in the order of TUF 5.3 to 5.6. The trusted set that went in
 * stays as it was; the one that comes out is whole and unexpired, or there is none.
 *
 * Nothing is stored but roots; the caller stores what was accepted, timestamp last.
 */

import type { Bytes } from '../base/bytes.ts'
import { UpstreamError, VerifyError } from '../base/errors.ts'
import { requireAtLeast } from './floors.ts'
import { requireClock, requireCurrent, requireUnexpired, type UsableSet } from './freshness.ts'
import type { MetaFile } from './metadata.ts'
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  requireListed,
  type TrustedSet,
} from './trusted-set.ts'

/** Whatever cannot be fetched is thrown, except where `undefined` has a meaning. */
export interface RefreshPort {
  /** `undefined` only where the mirror says that there is none (404, or 403). */
  fetchRoot(version: number, maxBytes: number): Promise<Bytes | undefined>
  /** `undefined`: not modified since the one that was last stored or is trusted. */
  fetchTimestamp(maxBytes: number): Promise<Bytes | undefined>
  /** Without a version where the repository has no consistent snapshots. */
  fetchRole(role: string, version: number | undefined, maxBytes: number): Promise<Bytes>
  /**
   * From the last run; untrusted. `timestamp`, whose version nobody knows, is asked for only when it
   * is "not modified".
   */
  readCached(role: string, version?: number): Promise<Bytes | undefined>
  /** `trusted` holds from then on, whatever becomes of the rest: what it takes away is dead at once. */
  saveRoot(version: number, bytes: Bytes, trusted: TrustedSet): Promise<void>
}

/** Lengths hold whatever length is signed. */
export interface RefreshLimits {
  readonly maxRootBytes: number
  readonly maxTimestampBytes: number
  readonly maxSnapshotBytes: number
  readonly maxTargetsBytes: number
  /** Roots that one refresh follows. */
  readonly maxRootUpdates: number
}

export const defaultRefreshLimits: RefreshLimits = {
  maxRootBytes: 512_000,
  maxTimestampBytes: 16_384,
  maxSnapshotBytes: 8_000_000,
  maxTargetsBytes: 8_000_000,
  maxRootUpdates: 256,
}

export interface Refreshed {
  readonly trusted: UsableSet
  /** What is new, by role: timestamp, snapshot, targets. */
  readonly accepted: ReadonlyMap<string, Bytes>
}

/** `now` is taken once for the whole refresh (TUF 5.1). */
export async function refresh(
  trusted: TrustedSet,
  port: RefreshPort,
  now: number,
  limits: RefreshLimits = defaultRefreshLimits,
): Promise<Refreshed> {
  return refreshRoles(await refreshRoot(trusted, port, now, limits), port, now, limits)
}

/**
 * The first half of a refresh: the chain of roots (TUF 5.3). The same set where there is no newer
 * root. What comes out may be kept even if the second half fails: keys that are dead are dead.
 */
export async function refreshRoot(
  start: TrustedSet,
  port: RefreshPort,
  now: number,
  limits: RefreshLimits = defaultRefreshLimits,
): Promise<TrustedSet> {
  requireClock(start.floors, now)
  let trusted = start
  const knownVersion = start.floors.versions.get('root') ?? 0
  // A pinned root may lie far behind the roots that were already verified once.
  const lastVersion = Math.max(start.root.version, knownVersion) + limits.maxRootUpdates
  while (trusted.root.version < lastVersion) {
    const version = trusted.root.version + 1
    const bytes = await port.fetchRoot(version, limits.maxRootBytes)
    if (bytes === undefined) break
    trusted = acceptRoot(trusted, requireWithin('root', bytes, limits.maxRootBytes))
    await port.saveRoot(version, bytes, trusted)
  }
  requireAtLeast(trusted.floors, 'root', trusted.root.version)
  // TUF 5.3.10: only the last one must not have expired.
  requireCurrent('root', trusted.root, now)
  return trusted
}

/** The second half: timestamp, snapshot, targets (TUF 5.4 to 5.6). */
export async function refreshRoles(
  trusted: TrustedSet,
  port: RefreshPort,
  now: number,
  limits: RefreshLimits = defaultRefreshLimits,
): Promise<Refreshed> {
  const step: Step = { port, now, limits, accepted: new Map() }
  const withTimestamp = await updateTimestamp(trusted, step)
  const withSnapshot = await updateSnapshot(withTimestamp, step)
  const updated: TrustedSet = await updateTargets(withSnapshot, step)
  requireUnexpired(updated, now)
  return { trusted: updated, accepted: step.accepted }
}

interface Step {
  readonly port: RefreshPort
  readonly now: number
  readonly limits: RefreshLimits
  readonly accepted: Map<string, Bytes>
}

async function updateTimestamp(trusted: TrustedSet, step: Step): Promise<TrustedSet> {
  const { port, now, limits } = step
  const fetched = await port.fetchTimestamp(limits.maxTimestampBytes)
  if (fetched === undefined && trusted.timestamp !== undefined) return trusted
  // After a new root, or a new start, the unmodified timestamp has to be verified again.
  const bytes = fetched ?? (await port.readCached('timestamp'))
  if (bytes === undefined) {
    throw new UpstreamError(
      'METADATA_UNAVAILABLE',
      'timestamp is said to be unmodified, and there is none',
      {
        role: 'timestamp',
        next: 'Try again; the copy on this machine was lost.',
      },
    )
  }
  const next = acceptTimestamp(
    trusted,
    requireWithin('timestamp', bytes, limits.maxTimestampBytes),
    now,
  )
  if (next !== trusted && fetched !== undefined) step.accepted.set('timestamp', fetched)
  return next
}

async function updateSnapshot(trusted: TrustedSet, step: Step): Promise<TrustedSet> {
  if (trusted.snapshot !== undefined || trusted.timestamp === undefined) return trusted
  const { snapshot } = trusted.timestamp
  const accept: Accept = (bytes) => acceptSnapshot(trusted, bytes, step.now)
  return (
    (await acceptCached('snapshot', snapshot.version, accept, step)) ??
    fetchAndAccept(
      trusted,
      { role: 'snapshot', file: snapshot, maxBytes: step.limits.maxSnapshotBytes, accept },
      step,
    )
  )
}

async function updateTargets(trusted: TrustedSet, step: Step): Promise<TrustedSet> {
  if (trusted.targets !== undefined) return trusted
  const file = requireListed(trusted, 'targets')
  const accept: Accept = (bytes) => acceptTargets(trusted, bytes, step.now)
  return (
    (await acceptCached('targets', file.version, accept, step)) ??
    fetchAndAccept(
      trusted,
      { role: 'targets', file, maxBytes: step.limits.maxTargetsBytes, accept },
      step,
    )
  )
}

type Accept = (bytes: Bytes) => TrustedSet

async function acceptCached(
  role: string,
  version: number,
  accept: Accept,
  { port }: Step,
): Promise<TrustedSet | undefined> {
  const bytes = await port.readCached(role, version)
  if (bytes === undefined) return undefined
  try {
    return accept(bytes)
  } catch (error) {
    // The cache is only ever a guess: what does not match is fetched instead.
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

interface Wanted {
  readonly role: string
  readonly file: MetaFile
  readonly maxBytes: number
  readonly accept: Accept
}

async function fetchAndAccept(
  { root }: TrustedSet,
  { role, file, maxBytes, accept }: Wanted,
  { port, accepted }: Step,
): Promise<TrustedSet> {
  const limit = Math.min(file.length ?? maxBytes, maxBytes)
  const bytes = await port.fetchRole(
    role,
    root.consistentSnapshot ? file.version : undefined,
    limit,
  )
  const next = accept(requireWithin(role, bytes, limit))
  accepted.set(role, bytes)
  return next
}

/** Ports cut endless answers off themselves; a port that did not is caught here. */
export function requireWithin(role: string, bytes: Bytes, maxBytes: number): Bytes {
  if (bytes.length <= maxBytes) return bytes
  throw new VerifyError(
    'LENGTH_MISMATCH',
    `${role} is longer than the ${maxBytes} bytes that are allowed`,
    {
      role,
      expected: `at most ${maxBytes}`,
      found: String(bytes.length),
      next: 'Ask whoever runs the mirror.',
    },
  )
}
