/**
 * Cached metadata bytes by role. A cache and nothing more: all that is read from here is verified
 * again by whoever reads, and what is damaged is set aside and fetched anew.
 */

import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import { isStagedName, stageFile, writeFileAtomic, type StagedFile } from './atomic-file.ts'
import { makeFolderPath } from './make-folder.ts'
import { RecentNames } from './recent-names.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

/** Not the root, whose versions are all kept. */
export type TopRole = 'timestamp' | 'snapshot' | 'targets'

export interface MetadataDirectoryOptions {
  /** The least recently used go beyond it. Default 4,096. */
  readonly maxDelegatedRoles?: number
  /** Told of files that were set aside, and why. */
  readonly onWarning?: (message: string) => void
}

const maxNameLength = 120
const stagedMaxAgeMs = 3_600_000

export class MetadataDirectory {
  readonly #directory: string
  readonly #onWarning: (message: string) => void
  readonly #roles: RecentNames

  private constructor(directory: string, options: MetadataDirectoryOptions) {
    this.#directory = directory
    this.#onWarning = options.onWarning ?? (() => undefined)
    this.#roles = new RecentNames(
      options.maxDelegatedRoles ?? 4096,
      listByAge(join(directory, 'roles')),
    )
  }

  static async open(
    directory: string,
    options: MetadataDirectoryOptions = {},
  ): Promise<MetadataDirectory> {
    try {
      for (const folder of ['', 'roots', 'roles'].map((name) => join(directory, name))) {
        makeFolderPath(folder, 0o700)
        removeStaged(folder)
      }
      return new MetadataDirectory(directory, options)
    } catch (error) {
      throw buildStorageError(error, 'open the metadata in', directory)
    }
  }

  readRoot(version: number, maxBytes: number): Promise<Bytes | undefined> {
    return this.#read(this.#rootPath(version), maxBytes)
  }

  saveRoot(version: number, bytes: Bytes): Promise<void> {
    return writeFileAtomic(this.#rootPath(version), bytes)
  }

  /** `version` for snapshot and targets, whose next one stands beside the one that is in force. */
  readTop(role: TopRole, maxBytes: number, version?: number): Promise<Bytes | undefined> {
    return this.#read(this.#topPath(role, version), maxBytes)
  }

  /** For `FloorStore.raise`, whose `write` publishes targets, snapshot and, last, timestamp. */
  stageTop(role: TopRole, bytes: Bytes, version?: number): Promise<StagedFile> {
    return stageFile(this.#topPath(role, version), bytes)
  }

  /** Synchronous, so that it can run within a database transaction. */
  dropOtherVersions(role: TopRole, version: number | undefined): void {
    if (version === undefined) return
    const isOther = new RegExp(`^(?!${version}\\.)\\d+\\.${role}\\.json(?:\\.damaged)?$`)
    for (const name of readdirSync(this.#directory).filter((one) => isOther.test(one))) {
      this.#removeOrWarn(join(this.#directory, name))
    }
  }

  async readDelegated(role: string, maxBytes: number): Promise<Bytes | undefined> {
    const name = encodeRoleName(role)
    const bytes = await this.#read(this.#delegatedPath(name), maxBytes)
    if (bytes !== undefined) this.#dropOldest(this.#roles.use(name))
    return bytes
  }

  async writeDelegated(role: string, bytes: Bytes): Promise<void> {
    const name = encodeRoleName(role)
    await writeFileAtomic(this.#delegatedPath(name), bytes)
    this.#dropOldest(this.#roles.use(name))
  }

  /** For bytes that turned out not to verify: the last such file is kept for a look, never read. */
  async setAsideRoot(version: number, reason: string): Promise<void> {
    this.#setAside(this.#rootPath(version), reason)
  }

  async setAsideTop(role: TopRole, reason: string, version?: number): Promise<void> {
    this.#setAside(this.#topPath(role, version), reason)
  }

  async setAsideDelegated(role: string, reason: string): Promise<void> {
    this.#setAside(this.#delegatedPath(encodeRoleName(role)), reason)
  }

  #rootPath(version: number): string {
    if (!Number.isSafeInteger(version) || version < 1)
      throw new TypeError(`${version} is no version`)
    return join(this.#directory, 'roots', `${version}.root.json`)
  }

  #topPath(role: TopRole, version?: number): string {
    const name = version === undefined ? `${role}.json` : `${version}.${role}.json`
    return join(this.#directory, name)
  }

  /** In a folder of its own: a delegated role may be called `timestamp` too. */
  #delegatedPath(encodedName: string): string {
    return join(this.#directory, 'roles', `${encodedName}.json`)
  }

  async #read(path: string, maxBytes: number): Promise<Bytes | undefined> {
    try {
      return await readRegularFile(path, maxBytes)
    } catch (error) {
      if (findErrno(error) === 'ENOENT') return undefined
      if (!(error instanceof UnusableFile)) throw buildStorageError(error, 'read', path)
      this.#setAside(path, error.message)
      return undefined
    }
  }

  #setAside(path: string, reason: string): void {
    const aside = `${path}.damaged`
    try {
      rmSync(aside, { recursive: true, force: true })
      renameSync(path, aside)
    } catch (error) {
      if (findErrno(error) === 'ENOENT') return
      throw buildStorageError(error, 'set aside', path)
    }
    this.#onWarning(`${path} was set aside as ${aside}: ${reason}`)
  }

  #dropOldest(names: readonly string[]): void {
    for (const name of names) {
      this.#removeOrWarn(this.#delegatedPath(name))
      this.#removeOrWarn(`${this.#delegatedPath(name)}.damaged`)
    }
  }

  #removeOrWarn(path: string): void {
    try {
      rmSync(path, { force: true, recursive: true })
    } catch (error) {
      // The cache is larger than it should be; no answer depends on it.
      this.#onWarning(`${path} cannot be removed: ${describeError(error)}`)
    }
  }
}

/** Is no file, is a link, or is longer than any metadata of its kind. */
class UnusableFile extends Error {}

// A link could lead anywhere, and a FIFO would never end.
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

async function readRegularFile(path: string, maxBytes: number): Promise<Bytes> {
  const handle = await open(path, flags).catch((error: unknown) => {
    if (findErrno(error) === 'ELOOP') throw new UnusableFile('it is a symbolic link')
    throw error
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new UnusableFile('it is not a file')
    if (stats.size > maxBytes)
      throw new UnusableFile(`${stats.size} bytes, at most ${maxBytes} are allowed`)
    const { bytesRead, buffer } = await handle.read(
      Buffer.allocUnsafeSlow(stats.size),
      0,
      stats.size,
      0,
    )
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/**
 * A role's name as a file name, whatever it is made of: every byte but letters, digits, `_` and `-`
 * as `%XX`, a long one as `=` and its sha256. Different names never meet.
 */
export function encodeRoleName(role: string): string {
  // Lone surrogates have no UTF-8 of their own: two such names would share a file.
  if (!role.isWellFormed()) {
    throw new VerifyError('MALFORMED', 'the name of a role is not well-formed Unicode', {
      found: JSON.stringify(role),
    })
  }
  const bytes = encodeUtf8(role)
  if (bytes.length > maxNameLength) return `=${sha256Hex(bytes)}`
  const encoded = Array.from(bytes, encodeByte).join('')
  return encoded.length > maxNameLength ? `=${sha256Hex(bytes)}` : encoded
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte)
  if (/[A-Za-z0-9_-]/.test(character)) return character
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** The oldest first, without their ending. */
function listByAge(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      name,
      age: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .toSorted((left, right) => left.age - right.age)
    .map(({ name }) => name.slice(0, -'.json'.length))
}

/** What a process that was killed in the middle of a write left; a young one may be under way. */
function removeStaged(folder: string): void {
  for (const name of readdirSync(folder).filter(isStagedName)) {
    const path = join(folder, name)
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (Date.now() - written > stagedMaxAgeMs) rmSync(path, { force: true })
  }
}
