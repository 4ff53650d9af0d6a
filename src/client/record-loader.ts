/**
 * Project records: from memory, from verified content on disk, from a mirror; parsed once. A record
 * counts only with the length and every known hash of its target entry (TUF 5.7).
 */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { UpstreamError, VerifyError } from '../base/errors.ts'
import { parseRecord, type ProjectRecord } from '../simple/record.ts'
import { requireContent } from '../tuf/content.ts'
import type { TargetFile } from '../tuf/metadata.ts'
import { targetPath } from './repository-path.ts'
import type { RepositorySource } from './repository-source.ts'
import { tryInOrder, type SourceFailure } from './try-in-order.ts'

/** Bytes of JSON whose parsed form is kept: it takes about four times as much. */
const maxKeptBytes = 8_000_000

/** Verified content by sha256. */
export interface ContentStore {
  read(sha256: string, maxBytes: number): Promise<Bytes | undefined>
  /** For the next start. Nobody waits for it: what cannot be kept is fetched again. */
  put(bytes: Bytes): void
}

export interface LoadedRecord {
  readonly record: ProjectRecord
  /** sha256 of the record. */
  readonly digest: string
}

interface KeptRecord extends LoadedRecord {
  readonly length: number
}

export interface TargetLocation {
  readonly path: string
  readonly target: TargetFile
  readonly consistentSnapshot: boolean
}

export class RecordLoader {
  readonly #sources: Iterable<RepositorySource>
  readonly #content: ContentStore
  readonly #maxBytes: number
  readonly #onFailure: (failure: SourceFailure) => void
  readonly #kept = new Map<string, KeptRecord>()
  readonly #loading = new Map<string, Promise<LoadedRecord>>()
  #keptBytes = 0

  constructor(
    sources: Iterable<RepositorySource>,
    content: ContentStore,
    maxBytes: number,
    onFailure: (failure: SourceFailure) => void,
  ) {
    this.#sources = sources
    this.#content = content
    this.#maxBytes = maxBytes
    this.#onFailure = onFailure
  }

  /** One load at a time for each record, however many ask. */
  async load(project: string, location: TargetLocation): Promise<LoadedRecord> {
    // All hashes and the length: an entry that differs in any of them is another target.
    const { target } = location
    const key = JSON.stringify([project, target.length, ...target.hashes])
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return kept
    }
    const loading = this.#loading.get(key) ?? this.#loadOnce(project, location, key)
    this.#loading.set(key, loading)
    return loading
  }

  async #loadOnce(project: string, location: TargetLocation, key: string): Promise<LoadedRecord> {
    try {
      const bytes = await this.loadBytes(location)
      const record = parseRecord(bytes, project)
      const loaded = { record, digest: sha256Hex(bytes), length: bytes.length }
      this.#keep(key, loaded)
      return loaded
    } finally {
      this.#loading.delete(key)
    }
  }

  /** The verified bytes of a target. */
  async loadBytes({ path, target, consistentSnapshot }: TargetLocation): Promise<Bytes> {
    const sha256 = target.hashes.get('sha256')
    if (target.length > this.#maxBytes) throw describeTooLong(path, target.length, this.#maxBytes)
    const stored =
      sha256 === undefined ? undefined : await this.#content.read(sha256, target.length)
    if (stored !== undefined) {
      requireContent(path, stored, target)
      return stored
    }
    const hash = sha256 ?? [...target.hashes.values()][0]
    const location = targetPath(path, consistentSnapshot ? hash : undefined)
    return tryInOrder(
      this.#sources,
      (source) => this.#fetch(source, location, target),
      this.#onFailure,
    )
  }

  async #fetch(source: RepositorySource, location: string, target: TargetFile): Promise<Bytes> {
    const bytes = await source.fetchTarget(location, target.length)
    if (bytes === undefined) {
      throw new UpstreamError('METADATA_UNAVAILABLE', `there is no ${location}`, {
        url: location,
        next: 'The mirror is incomplete: publish it again, the timestamp last.',
      })
    }
    requireContent(location, bytes, target)
    this.#content.put(bytes)
    return bytes
  }

  #keep(key: string, loaded: KeptRecord): void {
    this.#kept.set(key, loaded)
    this.#keptBytes += loaded.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= maxKeptBytes || oldest === key) return
      this.#kept.delete(oldest)
      this.#keptBytes -= length
    }
  }
}

function describeTooLong(path: string, length: number, maxBytes: number): VerifyError {
  return new VerifyError('LENGTH_MISMATCH', `${path} is longer than a record may be`, {
    expected: `at most ${maxBytes} bytes`,
    found: `${length} bytes`,
    next: 'If the record is genuine, raise limits.record in the settings.',
  })
}
