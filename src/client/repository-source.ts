/**
 * What a mirror is to the client, wherever it lies: metadata and targets by path, as untrusted
 * bytes. Paths are relative to the mirror's base and percent-encoded already:
 * `metadata/3.root.json`, `targets/simple/foo/<sha256>.index.json`.
 */

import type { Bytes } from '../base/bytes.ts'

export interface FetchedMetadata {
  readonly bytes: Bytes
  /** To hand back at the next time; absent where the source has none. */
  readonly etag?: string
}

export interface RepositorySource {
  /** For messages and logs: a URL without credentials, or a folder. */
  readonly name: string
  /** `unchanged` only where `etag` was given. Throws UpstreamError, TOO_LARGE beyond `maxBytes`. */
  fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<FetchedMetadata | 'absent' | 'unchanged'>
  /** `undefined`: the mirror does not have it. */
  fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined>
}
