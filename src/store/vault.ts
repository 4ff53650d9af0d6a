/**
 * Files on disk by their sha256: a final name means that the content was verified.
 *
 * The name alone is not believed: at its first use in each process a file is hashed again, and
 * whenever it may have changed since. What does not hash to its name is removed.
 */

import {
  fchmodSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeHex, type Bytes } from '../base/bytes.ts'
import { createRandomBytes, isSha256, sha256Hex } from '../base/digest.ts'
import { removeIfThere } from './atomic-file.ts'
import { currentOwner, type ProcessOwner } from './process-owner.ts'
import { FileSpool, type Spool } from './spool.ts'
import { buildStorageError } from './storage-error.ts'
import { buildOpenedFile, hashFile, isSettled, openVaultFile, readIdentity } from './vault-files.ts'
import type { OpenedFile } from './vault-files.ts'
import { VaultIndex, type IndexedFile } from './vault-index.ts'
import { closeDescriptor, OpenFile, type VerifiedFile } from './verified-file.ts'

export interface VaultOptions {
  /** The least recently used files go beyond it; files that are being served stay readable. */
  readonly maxBytes: number
  /** Told of files that were removed because they did not hash to their name. */
  readonly onWarning?: (message: string) => void
}

/** Identities are remembered for so many files; the others are hashed again. */
const maxRemembered = 100_000
const strangerMaxAgeMs = 24 * 3_600_000

interface Check {
  readonly identity: string
  readonly isGood: Promise<boolean>
}

export class Vault {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #onWarning: (message: string) => void
  readonly #index: VaultIndex
  readonly #temporaryPrefix: string
  /** By sha256: the identity of the file that was verified. */
  readonly #verified = new Map<string, string>()
  readonly #checks = new Map<string, Check>()
  readonly #puts = new Set<Promise<string>>()

  private constructor(directory: string, options: VaultOptions, owner: string) {
    this.#directory = directory
    this.#maxBytes = options.maxBytes
    this.#onWarning = options.onWarning ?? (() => undefined)
    this.#temporaryPrefix = join(directory, 'tmp', owner)
    this.#index = new VaultIndex(join(directory, 'index.db'), this.#onWarning)
  }

  static async open(directory: string, options: VaultOptions): Promise<Vault> {
    const owner = currentOwner()
    try {
      for (const folder of ['', 'tmp', 'sha256']) {
        mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 })
      }
      removeTemporaries(join(directory, 'tmp'), owner)
    } catch (error) {
      throw buildStorageError(error, 'open the vault', directory)
    }
    const vault = new Vault(directory, options, owner.id)
    if (vault.#index.isEmpty()) vault.#indexFiles()
    return vault
  }

  /** `undefined` where the file is not there, or was not what its name says. */
  async open(sha256: string): Promise<VerifiedFile | undefined> {
    const path = this.#pathOf(sha256)
    const opened = openVaultFile(path)
    if (opened === 'absent') return undefined
    if (opened === 'not ours') {
      this.#remove(sha256, 'it is a link, has a second name, or is no file')
      return undefined
    }
    try {
      if (await this.#isVerified(sha256, opened)) return this.#serve(sha256, opened)
    } catch (error) {
      closeDescriptor(opened.descriptor)
      throw error
    }
    closeDescriptor(opened.descriptor)
    return undefined
  }

  async createSpool(): Promise<Spool> {
    const path = `${this.#temporaryPrefix}-${encodeHex(createRandomBytes(8))}`
    return FileSpool.create(
      path,
      (sha256) => (temporary, descriptor, length) =>
        this.#keep(sha256, { temporary, descriptor, length }),
    )
  }

  /** Keeps small content, such as a record, and tells its sha256. `close` waits for it. */
  async put(bytes: Bytes): Promise<string> {
    const putting = this.#put(bytes)
    this.#puts.add(putting)
    try {
      return await putting
    } finally {
      this.#puts.delete(putting)
    }
  }

  async #put(bytes: Bytes): Promise<string> {
    const sha256 = sha256Hex(bytes)
    const spool = await this.createSpool()
    try {
      await spool.write(bytes)
      await spool.commit(sha256)
      return sha256
    } catch (error) {
      await spool.discard()
      throw error
    }
  }

  /** Of the files in it. */
  readTotalBytes(): number {
    return this.#index.readTotalBytes()
  }

  /** Files that are still open stay readable. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#puts)
    this.#index.close()
  }

  #pathOf(sha256: string): string {
    if (!isSha256(sha256)) throw new TypeError('the name of a vault file is a sha256 in lower case')
    return join(this.#directory, 'sha256', sha256.slice(0, 2), sha256)
  }

  #serve(sha256: string, opened: OpenedFile): VerifiedFile {
    this.#index.noteUse(sha256)
    return new OpenFile(opened, sha256)
  }

  /** Many that want one file wait for one check. */
  async #isVerified(sha256: string, opened: OpenedFile): Promise<boolean> {
    for (;;) {
      if (this.#verified.get(sha256) === opened.identity) return true
      const running = this.#checks.get(sha256)
      if (running === undefined) return this.#startCheck(sha256, opened)
      const isGood = await running.isGood
      if (running.identity === opened.identity) return isGood
    }
  }

  #startCheck(sha256: string, opened: OpenedFile): Promise<boolean> {
    const isGood = this.#check(sha256, opened).finally(() => this.#checks.delete(sha256))
    this.#checks.set(sha256, { identity: opened.identity, isGood })
    return isGood
  }

  async #check(sha256: string, { descriptor, identity }: OpenedFile): Promise<boolean> {
    const willShow = isSettled(descriptor)
    const found = await hashFile(descriptor)
    if (found !== sha256) {
      this.#remove(sha256, `its content has the sha256 ${found}`)
      return false
    }
    // Changed while it was read: nobody knows what a second reading would find.
    if (readIdentity(descriptor) !== identity) return false
    if (willShow) this.#remember(sha256, identity)
    return true
  }

  #remember(sha256: string, identity: string): void {
    this.#verified.delete(sha256)
    const [oldest] = this.#verified.size >= maxRemembered ? this.#verified.keys() : []
    if (oldest !== undefined) this.#verified.delete(oldest)
    this.#verified.set(sha256, identity)
  }

  #keep(
    sha256: string,
    { temporary, descriptor, length }: { temporary: string; descriptor: number; length: number },
  ): void {
    const path = this.#pathOf(sha256)
    // First, see VaultIndex.evict. A file that is there already is equal, or damaged: replaced.
    this.#index.putAll([{ sha256, size: length, used: Date.now() }])
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    fchmodSync(descriptor, 0o400)
    renameSync(temporary, path)
    const stats = fstatSync(descriptor, { bigint: true })
    this.#remember(sha256, buildOpenedFile(descriptor, stats).identity)
    // The content is on disk. A name that a crash loses costs a fetch, so nobody waits for the folder.
    this.#index.evict(this.#maxBytes, sha256, (evicted) => removeIfThere(this.#pathOf(evicted)))
  }

  #remove(sha256: string, reason: string): void {
    const path = this.#pathOf(sha256)
    this.#verified.delete(sha256)
    try {
      rmSync(path, { force: true, recursive: true })
      this.#index.remove(sha256)
    } catch (error) {
      throw buildStorageError(error, 'remove the damaged file', path)
    }
    this.#onWarning(`${path} was removed from the vault: ${reason}`)
  }

  /** After the loss of the index. */
  #indexFiles(): void {
    const root = join(this.#directory, 'sha256')
    for (const folder of readdirSync(root)) {
      const files = readdirSync(join(root, folder)).filter(isSha256)
      this.#index.putAll(files.map((sha256) => describeFile(join(root, folder, sha256), sha256)))
    }
  }
}

function describeFile(path: string, sha256: string): IndexedFile {
  const stats = statSync(path, { throwIfNoEntry: false })
  return { sha256, size: stats?.size ?? 0, used: Math.floor(stats?.mtimeMs ?? 0) }
}

/** What killed processes left behind. Of other containers only what is old: they cannot be asked about. */
function removeTemporaries(folder: string, owners: ProcessOwner): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const [owner = ''] = name.split('-')
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (!owners.isAlive(owner) || age > strangerMaxAgeMs)
      rmSync(path, { force: true, recursive: true })
  }
}
