/** One mirror as a refresh sees it: the paths of TUF metadata, and the ETag of the timestamp. */

import type { Bytes } from '../base/bytes.ts'
import { UpstreamError } from '../base/errors.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'
import type { RefreshPort } from '../tuf/update.ts'
import { metadataPath } from './repository-path.ts'
import type { RepositorySource } from './repository-source.ts'
import { fetchMetadata } from './role-loader.ts'
import type { TrustStorage } from './trusted-state.ts'

export class MirrorPort implements RefreshPort {
  readonly #source: RepositorySource
  readonly #storage: TrustStorage
  readonly #onRoot: (trusted: TrustedSet) => void
  #etag: string | undefined
  #offeredEtag: string | undefined

  /** @param onRoot told of each new root as soon as it is on disk */
  constructor(
    source: RepositorySource,
    storage: TrustStorage,
    onRoot: (trusted: TrustedSet) => void = () => undefined,
  ) {
    this.#source = source
    this.#storage = storage
    this.#onRoot = onRoot
  }

  async fetchRoot(version: number, maxBytes: number): Promise<Bytes | undefined> {
    // TUF 5.3.3: root is always version-prefixed.
    const fetched = await this.#source.fetchMetadata(metadataPath('root', version), maxBytes)
    return typeof fetched === 'object' ? fetched.bytes : undefined
  }

  async fetchTimestamp(maxBytes: number): Promise<Bytes | undefined> {
    const path = metadataPath('timestamp', undefined)
    const fetched = await this.#source.fetchMetadata(path, maxBytes, this.#etag)
    if (fetched === 'unchanged') return undefined
    if (fetched === 'absent') {
      throw new UpstreamError('METADATA_UNAVAILABLE', `there is no ${path}`, {
        next: 'Check that the URL is the folder that contains metadata/.',
      })
    }
    this.#etag = undefined
    this.#offeredEtag = fetched.etag
    return fetched.bytes
  }

  /** Only a timestamp that became the trusted one may be asked for conditionally. */
  acceptTimestampEtag(): void {
    this.#etag ??= this.#offeredEtag
  }

  fetchRole(role: string, version: number | undefined, maxBytes: number): Promise<Bytes> {
    return fetchMetadata(this.#source, metadataPath(role, version), maxBytes)
  }

  readCached(role: string, version?: number): Promise<Bytes | undefined> {
    return this.#storage.read(role, version)
  }

  async saveRoot(version: number, bytes: Bytes, trusted: TrustedSet): Promise<void> {
    await this.#storage.saveRoot(version, bytes)
    this.#onRoot(trusted)
  }
}
