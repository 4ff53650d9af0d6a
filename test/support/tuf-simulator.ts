/**
 * A TUF repository in memory that is its own mirror: it implements the ports of a refresh and of a
 * repository source, so that one line expresses one attack: `simulator.timestamp.version -= 1`.
 */

import type { Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import type { FetchedMetadata, RepositorySource } from '../../src/client/repository-source.ts'
import type { LoadRole } from '../../src/tuf/search.ts'
import {
  acceptDelegated,
  noFloors,
  trustRoot,
  type Floors,
  type TrustedSet,
} from '../../src/tuf/trusted-set.ts'
import { refresh, type Refreshed, type RefreshPort } from '../../src/tuf/update.ts'
import { TufRepository } from './tuf-repository.ts'

export class TufSimulator extends TufRepository implements RefreshPort, RepositorySource {
  readonly name = 'simulator'
  /** What is delivered in place of the genuine bytes, by role. */
  readonly tampered = new Map<string, (genuine: Bytes) => Bytes>()
  /** What is thrown in place of an answer, by request: `3.root`, `timestamp`, `7.bins-0a`. */
  readonly faults = new Map<string, Error>()
  /** Every request, in order, in the same form. */
  readonly requests: string[] = []
  /** What the client stored: `readCached` and `saveRoot`. */
  readonly cache = new Map<string, Bytes>()
  /** Whether `fetchTimestamp` answers "not modified" where the bytes are the cached ones. */
  isConditional = false

  /** The first root, trusted under the floors of an earlier run. */
  trust(floors: Floors = noFloors): TrustedSet {
    const bytes = this.publishedRoots.get(1)
    if (bytes === undefined) throw new Error('the simulator has no first root')
    return trustRoot(bytes, floors)
  }

  /** A refresh from the first root or from a set, at the time of the simulator. */
  refresh(trusted: TrustedSet = this.trust(), now: number = this.now): Promise<Refreshed> {
    return refresh(trusted, this, now)
  }

  /** Loads delegated roles from here, for `findTarget`. */
  loadRole(trusted: TrustedSet): LoadRole {
    return async (delegator, role) => {
      const version = trusted.snapshot?.meta.get(`${role}.json`)?.version
      return acceptDelegated(trusted, delegator, role, await this.fetchRole(role, version))
    }
  }

  // ---- RefreshPort

  async fetchRoot(version: number): Promise<Bytes | undefined> {
    this.#answer(`${version}.root`)
    const bytes = this.publishedRoots.get(version)
    return bytes && this.#deliver('root', bytes)
  }

  async fetchTimestamp(): Promise<Bytes | undefined> {
    this.#answer('timestamp')
    const bytes = this.#deliver('timestamp', this.render('timestamp'))
    return this.isConditional && bytes === this.cache.get('timestamp') ? undefined : bytes
  }

  async fetchRole(role: string, version?: number): Promise<Bytes> {
    this.#answer(version === undefined ? role : `${version}.${role}`)
    if (!this.hasRole(role))
      throw new UpstreamError('METADATA_UNAVAILABLE', `simulator has no ${role}`, {
        next: 'Publish it.',
      })
    return this.#deliver(role, this.render(role))
  }

  async readCached(role: string): Promise<Bytes | undefined> {
    return this.cache.get(role)
  }

  async saveRoot(version: number, bytes: Bytes): Promise<void> {
    this.cache.set(`${version}.root`, bytes)
  }

  /** Stores what a refresh accepted, as a client does at its end. */
  store(accepted: ReadonlyMap<string, Bytes>): void {
    for (const [role, bytes] of accepted) this.cache.set(role, bytes)
  }

  // ---- RepositorySource

  async fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<FetchedMetadata | 'absent' | 'unchanged'> {
    const [, rawVersion, rawRole = ''] = /^metadata\/(?:(\d+)\.)?(.+)\.json$/.exec(path) ?? []
    const role = decodeURIComponent(rawRole)
    const version = rawVersion === undefined ? undefined : Number(rawVersion)
    if (role !== 'root' && !this.hasRole(role)) return 'absent'
    const bytes =
      role === 'root' ? await this.fetchRoot(version ?? 0) : await this.fetchRole(role, version)
    if (bytes === undefined) return 'absent'
    const found = `"${sha256Hex(bytes)}"`
    if (etag === found) return 'unchanged'
    return { bytes: requireShort(path, bytes, maxBytes), etag: found }
  }

  async fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined> {
    this.#answer(path)
    const decoded = path.split('/').map(decodeURIComponent).join('/')
    for (const [target, bytes] of this.content) {
      if (decoded !== this.targetPath(target)) continue
      return requireShort(path, this.#deliver(target, bytes), maxBytes)
    }
    return undefined
  }

  /** Where the mirror keeps the target, decoded: `targets/simple/foo/<sha256>.index.json`. */
  targetPath(target: string): string {
    const segments = target.split('/')
    const last = segments.pop() ?? ''
    const digest = sha256Hex(this.content.get(target) ?? new Uint8Array())
    return [
      'targets',
      ...segments,
      this.root.consistent_snapshot ? `${digest}.${last}` : last,
    ].join('/')
  }

  #answer(request: string): void {
    this.requests.push(request)
    const fault = this.faults.get(request)
    if (fault !== undefined) throw fault
  }

  #deliver(role: string, genuine: Bytes): Bytes {
    return this.tampered.get(role)?.(genuine) ?? genuine
  }
}

function requireShort(path: string, bytes: Bytes, maxBytes: number): Bytes {
  if (bytes.length <= maxBytes) return bytes
  throw new UpstreamError('TOO_LARGE', `${path} is longer than ${maxBytes} bytes`)
}
