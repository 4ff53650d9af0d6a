/**
 * What TUF metadata says, once it has been read (TUF 4.3 to 4.6).
 *
 * Values of these types are well formed; that they are also signed is what `TrustedSet` says.
 * Times are milliseconds since 1970. Whatever is named by the network is kept in a `Map`.
 */

import type { Key } from './keys.ts'
import type { PathPattern } from './path-pattern.ts'

export type TopRole = 'root' | 'timestamp' | 'snapshot' | 'targets'

export const topRoles: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets']

/** Who may sign a role: `threshold` of these keys, which stand in the metadata that names them. */
export interface RoleKeys {
  readonly keyids: readonly string[]
  readonly threshold: number
}

/** What timestamp says of snapshot, and snapshot of the others. Hashes are hexadecimal by name. */
export interface MetaFile {
  readonly version: number
  readonly length?: number
  readonly hashes?: ReadonlyMap<string, string>
}

export interface Root {
  readonly type: 'root'
  readonly version: number
  readonly expires: number
  readonly consistentSnapshot: boolean
  readonly keys: ReadonlyMap<string, Key>
  readonly roles: Readonly<Record<TopRole, RoleKeys>>
}

export interface Timestamp {
  readonly type: 'timestamp'
  readonly version: number
  readonly expires: number
  readonly snapshot: MetaFile
  /** When it was signed, and when its mirror last saw the index: only where the mirror is ours. */
  readonly signedAt?: number
  readonly indexSeenAt?: number
}

export interface Snapshot {
  readonly type: 'snapshot'
  readonly version: number
  readonly expires: number
  /** By file name: `targets.json`, `bins-0a.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>
}

export interface TargetFile {
  readonly length: number
  /** At least one; those of a known algorithm are whole lower-case digests. */
  readonly hashes: ReadonlyMap<string, string>
}

export interface Targets {
  readonly type: 'targets'
  readonly version: number
  readonly expires: number
  readonly targets: ReadonlyMap<string, TargetFile>
  readonly delegations?: Delegations
}

/** Either `roles`, in the order in which they are searched, or `bins`. */
export interface Delegations {
  readonly keys: ReadonlyMap<string, Key>
  readonly roles: ReadonlyMap<string, DelegatedRole>
  readonly index: DelegationIndex
  readonly bins?: Bins
}

export interface DelegatedRole extends RoleKeys {
  readonly name: string
  /** Its place among the roles, which is its priority: 0 comes first. */
  readonly place: number
  readonly terminating: boolean
  readonly scope: Scope
}

/** Which target paths a delegation covers: those that match a pattern, or whose sha256 begins so. */
export type Scope =
  | { readonly kind: 'patterns'; readonly patterns: readonly PathPattern[] }
  | { readonly kind: 'hash-prefixes'; readonly prefixes: readonly string[] }

/** The same roles, so that one of 65,536 classic bins, or of thousands of owners, is found at once. */
export interface DelegationIndex {
  /** Those with a pattern that has a wildcard before its last slash. */
  readonly byPattern: readonly DelegatedRole[]
  /** By what stands before the last slash of a pattern, that slash included. */
  readonly byFolder: ReadonlyMap<string, readonly DelegatedRole[]>
  readonly byHashPrefix: ReadonlyMap<string, readonly DelegatedRole[]>
  readonly hashPrefixLengths: readonly number[]
}

/** TAP 15 `succinct_roles`: 2^bitLength roles named `<namePrefix>-<hexadecimal number>`. */
export interface Bins extends RoleKeys {
  readonly namePrefix: string
  readonly bitLength: number
}
