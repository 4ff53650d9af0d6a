/**
 * Delegated targets metadata: from memory, from the cache on disk, from a mirror, in this order,
 * and accepted under the keys of the role that delegates to it, every time that this role differs.
 */

import type { Bytes } from '../base/bytes.ts'
import { UpstreamError, VerifyError } from '../base/errors.ts'
import type { MetaFile, Targets } from '../tuf/metadata.ts'
import { acceptDelegated, type TrustedSet } from '../tuf/trusted-set.ts'
import { metadataPath } from './repository-path.ts'
import type { RepositorySource } from './repository-source.ts'
import { tryInOrder, type SourceFailure } from './try-in-order.ts'

/** Enough for the roles of one install, a few MB at most. */
const maxLoadedRoles = 256

export interface RoleCache {
  read(role: string): Promise<Bytes | undefined>
  save(role: string, bytes: Bytes): Promise<void>
}

interface LoadedRole {
  readonly delegator: Targets
  readonly meta: MetaFile
  readonly targets: Promise<Targets>
}

export class RoleLoader {
  readonly #sources: Iterable<RepositorySource>
  readonly #cache: RoleCache
  readonly #maxBytes: number
  readonly #onFailure: (failure: SourceFailure) => void
  readonly #loaded = new Map<string, LoadedRole>()

  constructor(
    sources: Iterable<RepositorySource>,
    cache: RoleCache,
    maxBytes: number,
    onFailure: (failure: SourceFailure) => void,
  ) {
    this.#sources = sources
    this.#cache = cache
    this.#maxBytes = maxBytes
    this.#onFailure = onFailure
  }

  load(
    trusted: TrustedSet,
    delegator: Targets,
    role: string,
    delegatorName: string,
  ): Promise<Targets> {
    const meta = trusted.snapshot?.meta.get(`${role}.json`)
    if (meta === undefined) {
      // TUF 5.6: a role that snapshot does not list is not part of the repository.
      const message = `The snapshot does not list the delegated role ${role}`
      return Promise.reject(new VerifyError('ROLE_NOT_IN_SNAPSHOT', message, { role }))
    }
    // Verification belongs to the edge: the same role below another delegator is another entry.
    const edge = JSON.stringify([delegatorName, role])
    const loaded = this.#loaded.get(edge)
    if (loaded?.delegator === delegator && isSameFile(loaded.meta, meta)) {
      this.#loaded.delete(edge)
      this.#loaded.set(edge, loaded)
      return loaded.targets
    }
    const targets = this.#loadOnce(trusted, delegator, role, meta)
    this.#remember(edge, { delegator, meta, targets })
    return targets
  }

  #remember(edge: string, entry: LoadedRole): void {
    this.#loaded.delete(edge)
    this.#loaded.set(edge, entry)
    entry.targets.catch(() => {
      if (this.#loaded.get(edge) === entry) this.#loaded.delete(edge)
    })
    const [oldest] = this.#loaded.keys()
    if (this.#loaded.size > maxLoadedRoles && oldest !== undefined) this.#loaded.delete(oldest)
  }

  async #loadOnce(
    trusted: TrustedSet,
    delegator: Targets,
    role: string,
    meta: MetaFile,
  ): Promise<Targets> {
    const cached = await this.#cache.read(role)
    if (cached !== undefined) {
      try {
        return acceptDelegated(trusted, delegator, role, cached)
      } catch (error) {
        // An older version, as a rule; a damaged one is replaced in the same way.
        if (!(error instanceof VerifyError)) throw error
      }
    }
    const version = trusted.root.consistentSnapshot ? meta.version : undefined
    const maxBytes = Math.min(meta.length ?? this.#maxBytes, this.#maxBytes)
    return tryInOrder(
      this.#sources,
      async (source) => {
        const bytes = await fetchMetadata(source, metadataPath(role, version), maxBytes)
        const targets = acceptDelegated(trusted, delegator, role, bytes)
        await this.#cache.save(role, bytes)
        return targets
      },
      this.#onFailure,
    )
  }
}

/** Throws UpstreamError METADATA_UNAVAILABLE where the mirror has no such file. */
export async function fetchMetadata(
  source: RepositorySource,
  path: string,
  maxBytes: number,
): Promise<Bytes> {
  const fetched = await source.fetchMetadata(path, maxBytes)
  if (typeof fetched === 'object') return fetched.bytes
  throw new UpstreamError('METADATA_UNAVAILABLE', `there is no ${path}`, {
    url: path,
    next: 'The mirror is incomplete: publish it again, the timestamp last.',
  })
}

function isSameFile(left: MetaFile, right: MetaFile): boolean {
  if (left === right) return true
  const hashes = [...(left.hashes ?? [])]
  return (
    left.version === right.version &&
    left.length === right.length &&
    (left.hashes?.size ?? 0) === (right.hashes?.size ?? 0) &&
    hashes.every(([name, digest]) => right.hashes?.get(name) === digest)
  )
}
