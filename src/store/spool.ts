/**
 * A file that grows while its sha256 is taken, and that gets its final name only if the digest is
 * the expected one. Two buffers at most: one fills while the other is written.
 *
 * What is hashed is our own copy, and the same copy is written: the caller may reuse its chunks.
 */

import { constants, fdatasync, openSync, write, writeSync } from 'node:fs'
import type { Bytes } from '../base/bytes.ts'
import { createHasher, type Hasher } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import { removeIfThere } from './atomic-file.ts'
import { buildStorageError } from './storage-error.ts'
import { closeDescriptor } from './verified-file.ts'

export interface Spool {
  /** One at a time: wait for the promise, which is the backpressure. */
  write(chunk: Uint8Array): Promise<void>
  readonly length: number
  /** sha256 of all that was written, in hexadecimal; no `write` after it. */
  digestHex(): string
  /** The first bytes, at most 48: what may leave before the whole is verified. */
  readPrefix(maxBytes: number): Promise<Bytes>
  /** Throws VerifyError DIGEST_MISMATCH, and keeps nothing, unless this is the digest. */
  commit(sha256: string): Promise<void>
  /** Harmless after `commit`. */
  discard(): Promise<void>
}

/** What the vault does with a whole file; `descriptor` is closed afterwards. */
export type Keep = (temporaryPath: string, descriptor: number, length: number) => void

const maxPrefixBytes = 48
const firstBufferBytes = 16 * 1024
const bufferBytes = 256 * 1024
const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW

export class FileSpool implements Spool {
  readonly #path: string
  readonly #descriptor: number
  readonly #keep: (sha256: string) => Keep
  readonly #hasher: Hasher = createHasher('sha256')
  #length = 0
  #written = 0
  #prefix: Bytes = new Uint8Array(0)
  #filling: Buffer = Buffer.allocUnsafeSlow(firstBufferBytes)
  #filled = 0
  #spare: Buffer | undefined
  #underWay: Promise<Buffer> | undefined
  #isWriting = false
  #digest: string | undefined
  #isEnded = false

  private constructor(path: string, descriptor: number, keep: (sha256: string) => Keep) {
    this.#path = path
    this.#descriptor = descriptor
    this.#keep = keep
  }

  static async create(path: string, keep: (sha256: string) => Keep): Promise<FileSpool> {
    try {
      return new FileSpool(path, openSync(path, flags, 0o600), keep)
    } catch (error) {
      throw buildStorageError(error, 'write', path)
    }
  }

  get length(): number {
    return this.#length
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isEnded || this.#digest !== undefined) throw new TypeError('a write after the end')
    if (this.#isWriting) throw new TypeError('a write before the last one has ended')
    this.#isWriting = true
    try {
      this.#keepPrefix(chunk)
      await this.#fill(chunk)
      this.#length += chunk.length
    } finally {
      this.#isWriting = false
    }
  }

  digestHex(): string {
    if (this.#digest === undefined) {
      this.#hasher.update(this.#filling.subarray(0, this.#filled))
      this.#digest = this.#hasher.digestHex()
    }
    return this.#digest
  }

  readPrefix(maxBytes: number): Promise<Bytes> {
    return Promise.resolve(this.#prefix.slice(0, maxBytes))
  }

  async commit(sha256: string): Promise<void> {
    if (this.#isEnded) throw new TypeError('a commit after the end')
    try {
      const found = this.digestHex()
      if (found !== sha256) throw buildMismatchError(sha256, found)
      await this.#flush()
      await syncData(this.#descriptor)
      this.#keep(sha256)(this.#path, this.#descriptor, this.#length)
      this.#isEnded = true
      closeDescriptor(this.#descriptor)
    } catch (error) {
      await this.discard()
      throw buildCommitError(error, this.#path)
    }
  }

  async discard(): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    // Its failure has been told or does not matter; the descriptor must outlive the write.
    await this.#underWay?.catch(() => undefined)
    closeDescriptor(this.#descriptor)
    removeIfThere(this.#path)
  }

  #keepPrefix(chunk: Uint8Array): void {
    if (this.#prefix.length >= maxPrefixBytes) return
    const more = chunk.subarray(0, maxPrefixBytes - this.#prefix.length)
    this.#prefix = Buffer.concat([this.#prefix, more])
  }

  async #fill(chunk: Uint8Array): Promise<void> {
    let at = 0
    while (at < chunk.length) {
      if (this.#filled === this.#filling.length) await this.#startWrite()
      const part = chunk.subarray(at, at + this.#filling.length - this.#filled)
      this.#filling.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
    }
  }

  /** Waits for the write before, so that never more than two buffers are in use. */
  async #startWrite(): Promise<void> {
    await this.#settle()
    const full = this.#filling.subarray(0, this.#filled)
    this.#hasher.update(full)
    this.#underWay = this.#writeBuffer(full)
    // A failure is seen by whoever waits for it next, `discard` at the latest.
    this.#underWay.catch(() => undefined)
    this.#filling = this.#spare ?? Buffer.allocUnsafeSlow(bufferBytes)
    this.#spare = undefined
    this.#filled = 0
  }

  async #settle(): Promise<void> {
    const written = await this.#underWay
    if (written?.length === bufferBytes) this.#spare = written
    this.#underWay = undefined
  }

  /** The last bytes, which `digestHex` has hashed; small content goes to memory without a wait. */
  async #flush(): Promise<void> {
    await this.#settle()
    const last = this.#filling.subarray(0, this.#filled)
    try {
      for (let at = 0; at < last.length;) {
        at += writeSync(this.#descriptor, last, at, last.length - at, this.#written + at)
      }
    } catch (error) {
      throw buildStorageError(error, 'write', this.#path)
    }
    this.#written += last.length
    this.#filled = 0
  }

  async #writeBuffer(buffer: Buffer): Promise<Buffer> {
    try {
      let at = 0
      while (at < buffer.length) {
        at += await writeAt(this.#descriptor, buffer.subarray(at), this.#written + at)
      }
      this.#written += buffer.length
      return buffer
    } catch (error) {
      throw buildStorageError(error, 'write', this.#path)
    }
  }
}

function writeAt(descriptor: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, buffer, 0, buffer.length, position, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}

function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

function buildMismatchError(expected: string, found: string): VerifyError {
  return new VerifyError('DIGEST_MISMATCH', 'the sha256 of what arrived is not the expected one', {
    expected,
    found,
    next: 'nothing was kept; the sender is at fault, or something between it and us',
  })
}

function buildCommitError(error: unknown, path: string): unknown {
  return error instanceof VerifyError ? error : buildStorageError(error, 'keep', path)
}
