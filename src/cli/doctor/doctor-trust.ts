/**
 * What the signed lists of each index are worth now: a refresh as the proxy makes it, from the same
 * pinned root and over what lies in its state, but in memory. Nothing is written, no floor is raised.
 */

import { join } from 'node:path'
import type { Bytes } from '../../base/bytes.ts'
import { sha256Hex } from '../../base/digest.ts'
import { isTufgateError, UpstreamError, type TufgateError } from '../../base/errors.ts'
import { MirrorPort } from '../../client/mirror-port.ts'
import type { RepositorySource } from '../../client/repository-source.ts'
import { loadTrustedState, type TrustStorage } from '../../client/trusted-state.ts'
import type { Expiry, Failure, TrustFacts } from '../../doctor/judge-trust.ts'
import { findNotaryPlace, hasNotary } from '../../notary/notary-folder.ts'
import { describeErrno, findErrno } from '../../store/storage-error.ts'
import { noFloors, acceptDelegated, type TrustedSet } from '../../tuf/trusted-set.ts'
import { refreshRoles, refreshRoot, type RefreshLimits } from '../../tuf/update.ts'
import type { HttpClient } from '../../upstream/http-client.ts'
import { openSource, refreshLimitsOf } from '../serve/open-index.ts'
import {
  isMirrored,
  type IndexSettings,
  type MirroredIndexSettings,
  type Settings,
} from '../settings.ts'
import { withFile } from '../with-file.ts'

export interface TrustOptions {
  readonly settings: Settings
  readonly stateHome: string
  /** Absent: no mirror is asked. */
  readonly http?: HttpClient
  readonly now: number
}

/** A mirror of a single person may have some; nobody has hundreds at the top. */
const maxDelegatedRoles = 16

export async function findTrust(index: IndexSettings, options: TrustOptions): Promise<TrustFacts> {
  const facts = { name: index.name, url: index.url, mirrors: index.mirror ?? [], expiries: [] }
  try {
    if (!isMirrored(index)) return { ...facts, ...(await findNotaryTrust(index, options)) }
    return { ...facts, rootPath: index.root, ...(await findMirrorTrust(index, options)) }
  } catch (error) {
    return { ...facts, broken: describeProblem(error) }
  }
}

/** What has been lost is said; its lists are signed by the proxy itself, in time. */
async function findNotaryTrust(
  { url }: IndexSettings,
  { stateHome }: TrustOptions,
): Promise<Pick<TrustFacts, 'broken'>> {
  const place = findNotaryPlace(stateHome, url)
  if ((await hasNotary(place)) !== 'lost') return {}
  return {
    broken: {
      code: 'STORAGE_FAILED',
      message: `what was seen first of this index is lost: ${place.path} is not there any more`,
      next: `put the folder back from a backup, or begin anew: tufgate notary forget --index ${url}`,
    },
  }
}

async function findMirrorTrust(
  index: MirroredIndexSettings,
  { settings, stateHome, http, now }: TrustOptions,
): Promise<Partial<TrustFacts>> {
  const limits = refreshLimitsOf(settings)
  const pinnedRoot = readBounded(index.root, limits.maxRootBytes)
  if (pinnedRoot === undefined) {
    const message = `the pinned root ${index.root} is not there`
    const next = 'get 1.root.json from whoever runs the mirror, by a way that you trust'
    return { broken: { code: 'CONFIG_INVALID', message, next } }
  }
  const folder = join(stateHome, sha256Hex(pinnedRoot), 'metadata')
  const storage = createReadOnlyStorage(folder, limits)
  const { trusted } = await loadTrustedState(pinnedRoot, storage, now)
  if (http === undefined) return { expiries: listExpiries(trusted) }
  const sources = index.mirror.map((location) => openSource(location, http))
  return refreshInMemory(trusted, sources, { storage, limits, now })
}

interface RefreshContext {
  readonly storage: TrustStorage
  readonly limits: RefreshLimits
  readonly now: number
}

/** The first mirror that answers well, in their order. */
async function refreshInMemory(
  start: TrustedSet,
  sources: readonly RepositorySource[],
  context: RefreshContext,
): Promise<Partial<TrustFacts>> {
  let failure: Failure | undefined
  for (const source of sources) {
    try {
      return { expiries: await refreshFrom(start, source, context) }
    } catch (error) {
      const { message, ...rest } = describeProblem(error)
      failure ??= { ...rest, message: `the mirror ${source.name}: ${message}` }
    }
  }
  return { expiries: listExpiries(start), ...(failure && { refreshFailure: failure }) }
}

async function refreshFrom(
  start: TrustedSet,
  source: RepositorySource,
  { storage, limits, now }: RefreshContext,
): Promise<Expiry[]> {
  const port = new MirrorPort(source, storage)
  const rooted = await refreshRoot(start, port, now, limits)
  const { trusted } = await refreshRoles(rooted, port, now, limits)
  const { targets, snapshot, root } = trusted
  const names = [...(targets.delegations?.roles.keys() ?? [])].slice(0, maxDelegatedRoles)
  const expiries = listExpiries(trusted)
  for (const role of names) {
    const listed = snapshot.meta.get(`${role}.json`)?.version
    const version = root.consistentSnapshot ? listed : undefined
    const bytes = await port.fetchRole(role, version, limits.maxTargetsBytes)
    expiries.push({ role, expires: acceptDelegated(trusted, targets, role, bytes).expires })
  }
  return expiries
}

function listExpiries({ root, timestamp, snapshot, targets }: TrustedSet): Expiry[] {
  return [
    { role: 'root', expires: root.expires },
    ...(timestamp === undefined
      ? []
      : [
          {
            role: 'timestamp',
            expires: timestamp.expires,
            ...(timestamp.signedAt !== undefined && { signedAt: timestamp.signedAt }),
          },
        ]),
    ...(snapshot === undefined ? [] : [{ role: 'snapshot', expires: snapshot.expires }]),
    ...(targets === undefined ? [] : [{ role: 'targets', expires: targets.expires }]),
  ]
}

/** Foreign or damaged bytes are passed over, as the proxy would; it is the proxy that sets them aside. */
function createReadOnlyStorage(folder: string, limits: RefreshLimits): TrustStorage {
  const maxBytes = Math.max(limits.maxSnapshotBytes, limits.maxTargetsBytes)
  return {
    // Of the lists themselves: the database of floors is not opened, which could write beside it.
    readFloors: () => noFloors,
    readRoot: async (version) =>
      readBounded(join(folder, 'roots', `${version}.root.json`), limits.maxRootBytes),
    saveRoot: () => Promise.resolve(),
    read: async (role, version) =>
      readBounded(
        join(folder, version === undefined ? `${role}.json` : `${version}.${role}.json`),
        maxBytes,
      ),
    save: () => Promise.resolve(),
    commit: () => Promise.resolve(),
    setAside: () => Promise.resolve(),
  }
}

/** `undefined` where there is none. */
function readBounded(path: string, maxBytes: number): Bytes | undefined {
  try {
    return withFile(path, 'follow', ({ stats, read }) => {
      if (!stats.isFile() || stats.size > maxBytes) {
        throw new UpstreamError('TOO_LARGE', `${path} is no file of at most ${maxBytes} bytes`)
      }
      return read(maxBytes)
    })
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Throws what is a bug. */
function describeProblem(error: unknown): Failure {
  if (isTufgateError(error)) return describeReason(error)
  if (findErrno(error) === undefined) throw error
  const path = error instanceof Error && 'path' in error ? `${String(error.path)}: ` : ''
  return { code: 'STORAGE_FAILED', message: `${path}${describeErrno(error)}` }
}

function describeReason(error: TufgateError): Failure {
  const { code, message, facts } = error
  return { code, message, ...(facts.next !== undefined && { next: facts.next }) }
}
