/**
 * The trusted state from one start to the next. The pinned root is the anchor every time; what lies
 * on disk is only a link of the chain, checked again like anything from the network, under the
 * floors, which are kept apart from it.
 */

import { equalBytes, type Bytes } from '../base/bytes.ts'
import { VerifyError, type TufgateError } from '../base/errors.ts'
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  trustRoot,
  type Floors,
  type TrustedSet,
} from '../tuf/trusted-set.ts'

export interface TrustStorage {
  readFloors(): Floors
  readRoot(version: number): Promise<Bytes | undefined>
  saveRoot(version: number, bytes: Bytes): Promise<void>
  /** Metadata of a role as it was last accepted; of snapshot and targets the version that is due. */
  read(role: string, version?: number): Promise<Bytes | undefined>
  save(role: string, bytes: Bytes): Promise<void>
  /**
   * Raises the floors and replaces the metadata, both or neither, under the lock of the floors.
   * Throws VerifyError VERSION_ROLLBACK where another process is further already.
   */
  commit(floors: Floors, accepted: ReadonlyMap<string, Bytes>): Promise<void>
  /** Puts a file away that does not verify, for somebody to look at. */
  setAside(role: string, reason: string, version?: number): Promise<void>
}

export interface LoadedState {
  readonly trusted: TrustedSet
  /** Of the pinned root itself; the trusted one may be later. */
  readonly pinnedVersion: number
  /** Why what was on disk is not usable as it is: expired, as a rule. */
  readonly unusable?: TufgateError
}

/**
 * Throws VerifyError where the pinned root itself does not verify; anything that is wrong with the
 * rest is set aside, and fetched again later.
 */
export async function loadTrustedState(
  pinnedRoot: Bytes,
  storage: TrustStorage,
  now: number,
): Promise<LoadedState> {
  const pinned = trustRoot(pinnedRoot, storage.readFloors())
  const pinnedVersion = pinned.root.version
  await keepPinnedRoot(pinnedVersion, pinnedRoot, storage)
  let trusted = await followStoredRoots(pinned, storage)
  for (const { role, accept, findVersion } of acceptors) {
    const version = findVersion(trusted)
    const bytes = await storage.read(role, version)
    if (bytes === undefined) break
    try {
      trusted = accept(trusted, bytes, now)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      if (error.code !== 'EXPIRED') await storage.setAside(role, error.message, version)
      return { trusted, pinnedVersion, unusable: error }
    }
  }
  return { trusted, pinnedVersion }
}

interface Acceptor {
  readonly role: string
  readonly accept: (trusted: TrustedSet, bytes: Bytes, now: number) => TrustedSet
  /** The version that what was accepted before asks for. */
  readonly findVersion: (trusted: TrustedSet) => number | undefined
}

const acceptors: readonly Acceptor[] = [
  { role: 'timestamp', accept: acceptTimestamp, findVersion: () => undefined },
  {
    role: 'snapshot',
    accept: acceptSnapshot,
    findVersion: ({ timestamp }) => timestamp?.snapshot.version,
  },
  {
    role: 'targets',
    accept: acceptTargets,
    findVersion: ({ snapshot }) => snapshot?.meta.get('targets.json')?.version,
  },
]

/** For the day when the operator pins a later one: `root-succession.ts`. It is never read as an anchor. */
async function keepPinnedRoot(version: number, bytes: Bytes, storage: TrustStorage): Promise<void> {
  const kept = await storage.readRoot(version)
  if (kept === undefined || !equalBytes(kept, bytes)) await storage.saveRoot(version, bytes)
}

/** Each stored root must follow the one before it by the same rules as one from a mirror (TUF 5.3). */
async function followStoredRoots(pinned: TrustedSet, storage: TrustStorage): Promise<TrustedSet> {
  let trusted = pinned
  for (;;) {
    const next = trusted.root.version + 1
    const bytes = await storage.readRoot(next)
    if (bytes === undefined) return trusted
    try {
      trusted = acceptRoot(trusted, bytes)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      await storage.setAside(`${next}.root`, error.message)
      return trusted
    }
  }
}
