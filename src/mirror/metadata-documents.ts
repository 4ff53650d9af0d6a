/**
 * The `signed` part of each role as a plain JSON value (TUF 4.3 to 4.6, TAP 15).
 *
 * What stands in them is decided elsewhere; this is the one place that knows how it is written.
 */

import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { PublicKey } from '../signing/public-key.ts'
import { binPrefix } from './bins.ts'

const specVersion = '1.0.34'

export interface RoleHeader {
  readonly version: number
  /** ms */
  readonly expires: number
}

export interface DelegatedKeys {
  readonly keys: ReadonlyMap<string, PublicKey>
  readonly threshold: number
}

export type TopLevelRole = 'root' | 'timestamp' | 'snapshot' | 'targets'

export interface FileDigest {
  readonly length: number
  readonly sha256: string
}

export interface MetaEntry extends Partial<FileDigest> {
  readonly version: number
}

/** What the mirror says of itself in `x-tufgate`. */
export interface MirrorStatement {
  /** ms: when this was signed. */
  readonly signed: number
  /** ms: when the index was last looked at as a whole. */
  readonly indexSeen?: number
  /** The newest entry of the journal; absent before the first. */
  readonly journal?: { readonly sequence: number; readonly sha256: string }
}

export function buildRoot(
  header: RoleHeader,
  roles: Readonly<Record<TopLevelRole, DelegatedKeys>>,
): Json {
  return {
    ...renderHeader('root', header),
    consistent_snapshot: true,
    keys: Object.assign({}, ...Object.values(roles).map(({ keys }) => renderKeys(keys))) as Json,
    roles: {
      root: renderRole(roles.root),
      timestamp: renderRole(roles.timestamp),
      snapshot: renderRole(roles.snapshot),
      targets: renderRole(roles.targets),
    },
  }
}

/** Who may sign under which paths; nothing behind a terminating one is searched (TUF 5.6.7). */
export interface Delegation extends DelegatedKeys {
  readonly name: string
  readonly paths: readonly string[]
  readonly terminating: boolean
}

/** What the top-level role delegates to, and the keys of each. */
export type DelegatedByTargets = 'deny' | 'claimed' | 'recently-claimed' | 'bins'

/**
 * The top-level targets role lists nothing itself. PEP 480: projects that sign for themselves come
 * before `bins`, which speaks for all the others; what is claimed offline comes first.
 */
export function buildTargets(
  header: RoleHeader,
  delegated: Readonly<Record<DelegatedByTargets, DelegatedKeys>>,
): Json {
  const ofProjects = ['simple/*/*', 'files/*/*']
  return buildDelegator(header, [
    { ...delegated.deny, name: 'deny', paths: ['deny/*'], terminating: true },
    { ...delegated.claimed, name: 'claimed', paths: ofProjects, terminating: false },
    {
      ...delegated['recently-claimed'],
      name: 'recently-claimed',
      paths: ofProjects,
      terminating: false,
    },
    { ...delegated.bins, name: binPrefix, paths: ['simple/*', ...ofProjects], terminating: true },
  ])
}

/** A targets role that lists nothing itself, such as `claimed`. */
export function buildDelegator(header: RoleHeader, delegations: readonly Delegation[]): Json {
  return {
    ...renderHeader('targets', header),
    targets: {},
    delegations: {
      keys: Object.assign({}, ...delegations.map(({ keys }) => renderKeys(keys))) as Json,
      roles: delegations.map((delegation) => ({
        ...renderRole(delegation),
        name: delegation.name,
        paths: [...delegation.paths],
        terminating: delegation.terminating,
      })),
    },
  }
}

/** TAP 15. */
export function buildBins(header: RoleHeader, online: DelegatedKeys, bitLength: number): Json {
  return {
    ...renderHeader('targets', header),
    targets: {},
    delegations: {
      keys: renderKeys(online.keys),
      succinct_roles: { ...renderRole(online), bit_length: bitLength, name_prefix: binPrefix },
    },
  }
}

/** A role that lists targets: one of the bins, or `deny`. */
export function buildListing(
  header: RoleHeader,
  targets: Iterable<readonly [string, FileDigest]>,
): Json {
  const entries: Record<string, Json> = {}
  for (const [path, { length, sha256 }] of targets) entries[path] = { length, hashes: { sha256 } }
  return { ...renderHeader('targets', header), targets: entries }
}

export function buildSnapshot(
  header: RoleHeader,
  meta: Iterable<readonly [string, MetaEntry]>,
): Json {
  const entries: Record<string, Json> = {}
  for (const [role, entry] of meta) entries[`${role}.json`] = renderMeta(entry)
  return { ...renderHeader('snapshot', header), meta: entries }
}

export function buildTimestamp(
  header: RoleHeader,
  snapshot: MetaEntry,
  { signed, indexSeen, journal }: MirrorStatement,
): Json {
  return {
    ...renderHeader('timestamp', header),
    meta: { 'snapshot.json': renderMeta(snapshot) },
    'x-tufgate': {
      signed: formatUtcSeconds(signed),
      ...(indexSeen !== undefined && { 'index-seen': formatUtcSeconds(indexSeen) }),
      ...(journal && { journal: { sequence: journal.sequence, sha256: journal.sha256 } }),
    },
  }
}

function renderHeader(type: string, header: RoleHeader): Record<string, Json> {
  return {
    _type: type,
    spec_version: specVersion,
    version: header.version,
    expires: formatUtcSeconds(header.expires),
  }
}

function renderMeta({ version, length, sha256 }: MetaEntry): Json {
  return length === undefined || sha256 === undefined
    ? { version }
    : { version, length, hashes: { sha256 } }
}

function renderRole({ keys, threshold }: DelegatedKeys): { keyids: string[]; threshold: number } {
  return { keyids: [...keys.keys()].toSorted(), threshold }
}

function renderKeys(keys: ReadonlyMap<string, PublicKey>): Record<string, Json> {
  const entries: Record<string, Json> = {}
  for (const [keyid, { keytype, scheme, keyval }] of keys) {
    entries[keyid] = { keytype, scheme, keyval: { public: keyval.public } }
  }
  return entries
}
