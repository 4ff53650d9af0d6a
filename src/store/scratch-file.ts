/**
 * A file that is written once, from its beginning, and then read anywhere: for what is too large for
 * memory and is wanted only for a moment. It has no name any more once it is open, so that nothing is
 * left of it whatever happens.
 */

import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { createHasher, type Hasher } from '../base/digest.ts'
import { buildStorageError } from './storage-error.ts'

export class ScratchFile {
  readonly #path: string
  readonly #handle: FileHandle
  #hasher: Hasher = createHasher('sha256')
  #size = 0

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** `name` is one that no other process uses. */
  static async open(folder: string, name: string): Promise<ScratchFile> {
    const path = join(folder, name)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const handle = await open(path, 'wx+', 0o600)
      await rm(path)
      return new ScratchFile(path, handle)
    } catch (error) {
      throw buildStorageError(error, 'write', path)
    }
  }

  get size(): number {
    return this.#size
  }

  /** Forgets what was written. */
  async restart(): Promise<void> {
    this.#hasher = createHasher('sha256')
    this.#size = 0
    await this.#guard('write', () => this.#handle.truncate(0))
  }

  async write(chunk: Bytes): Promise<void> {
    this.#hasher.update(chunk)
    await this.#guard('write', () => this.#handle.write(chunk, 0, chunk.length, this.#size))
    this.#size += chunk.length
  }

  /** Of all that was written; nothing is written after it but a `restart`. */
  digestHex(): string {
    return this.#hasher.digestHex()
  }

  /** Fewer bytes only at the end. */
  async read(position: number, length: number): Promise<Bytes> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.#size - position)))
    const { bytesRead } = await this.#guard('read', () =>
      this.#handle.read(buffer, 0, buffer.length, position),
    )
    return buffer.subarray(0, bytesRead)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async #guard<T>(act: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw buildStorageError(error, act, this.#path)
    }
  }
}
