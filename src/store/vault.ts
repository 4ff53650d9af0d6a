/** Verified files on disk by sha256. */

import type { Bytes } from '../base/bytes.ts'

export interface VerifiedFile {
  readonly size: number
  readonly sha256: string
  /** Number of bytes read into the start of `buffer`; fewer than `length` only at the end of the file. */
  read(buffer: Uint8Array, position: number, length: number): Promise<number>
  /** The whole file; for small ones. Throws StorageError TOO large beyond `maxBytes`. */
  readAll(): Promise<Bytes>
  close(): Promise<void>
}

export interface Spool {
  /** One at a time; the chunk may be reused once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>
  readonly length: number
  /** sha256 of all that was written; no `write` after it. */
  digestHex(): string
  readPrefix(maxBytes: number): Promise<Bytes>
  /** Throws VerifyError DIGEST_MISMATCH unless `sha256` is the digest of what was written. */
  commit(sha256: string): Promise<void>
  discard(): Promise<void>
}

export interface VaultOptions {
  readonly maxBytes: number
  /** Told of files that did not hash to their name, of a damaged index, ... */
  readonly onWarning?: (message: string) => void
}

export class Vault {
  static async open(_directory: string, _options: VaultOptions): Promise<Vault> {
    return new Vault()
  }

  async open(_sha256: string): Promise<VerifiedFile | undefined> {
    throw new Error('to come')
  }

  async createSpool(): Promise<Spool> {
    throw new Error('to come')
  }

  async put(_bytes: Bytes): Promise<string> {
    throw new Error('to come')
  }

  async close(): Promise<void> {}
}
