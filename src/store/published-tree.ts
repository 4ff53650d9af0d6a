/**
 * A tree of files that a static server hands out while one process writes it.
 *
 * What is staged is invisible until `publish`, which makes a whole batch durable before the first
 * of its names appears: one wait for the disk for many files. The names appear in the order of
 * staging. One process writes at a time; whoever opens the tree holds the lock for it.
 */

import { gunzip, gzip } from 'node:zlib'
import { closeSync, fchmodSync, fsync, open as openFile, writeFileSync } from 'node:fs'
import { link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { equalBytes, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { makeFolderPath } from './make-folder.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export interface StageOptions {
  /** A `.gz` beside it, which appears first: a server that prefers it never has an older one. */
  readonly hasTwin?: boolean
  /** A second name for the same content, which appears after the first. */
  readonly alsoAs?: string
}

interface Staged {
  readonly temporary: string
  readonly path: string
  /** Still to be made durable; a second name needs none of its own. */
  readonly descriptor?: number
}

const compress = promisify(gzip)
const decompress = promisify<Bytes, { maxOutputLength: number }, Bytes>(gunzip)
// Not FileHandles: what only touches memory, to write and to close, is then done without a thread.
const open = promisify<string, string, number>(openFile)
const synchronise = promisify(fsync)
/** Written once, fetched for years: the last per cent counts, a tenth in a snapshot. */
const gzipLevel = 9
const parallelSyncs = 8

/** Inside of the tree, so that a rename does not cross a mount; its mode keeps servers out. */
const stagingName = '.staging'

export class PublishedTree {
  readonly folder: string
  #staged: Staged[] = []
  #count = 0
  /** `false`: no server hands it out, so that nobody would ask for one. */
  readonly #hasTwins: boolean

  private constructor(folder: string, hasTwins: boolean) {
    this.folder = folder
    this.#hasTwins = hasTwins
  }

  /** Makes the folder if it is missing, and throws away what a crash left staged. */
  static async open(folder: string, { hasTwins = true } = {}): Promise<PublishedTree> {
    const staging = join(folder, stagingName)
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 })
      await rm(staging, { recursive: true, force: true })
      await mkdir(staging, { mode: 0o700 })
      return new PublishedTree(folder, hasTwins)
    } catch (error) {
      throw buildStorageError(error, 'prepare', folder)
    }
  }

  /** `path` is relative, `/` between segments; nothing is visible before `publish`. */
  async stage(path: string, bytes: Bytes, options: StageOptions = {}): Promise<void> {
    const { alsoAs } = options
    const hasTwin = this.#hasTwins && options.hasTwin === true
    const names = alsoAs === undefined ? [path] : [path, alsoAs]
    try {
      if (hasTwin)
        await this.#stageAs(
          names.map((name) => `${name}.gz`),
          await compress(bytes, { level: gzipLevel }),
        )
      await this.#stageAs(names, bytes)
    } catch (error) {
      throw buildStorageError(error, 'write', join(this.folder, path))
    }
  }

  async #stageAs([first = '', ...others]: readonly string[], bytes: Bytes): Promise<void> {
    const temporary = this.#nextTemporary()
    const descriptor = await writeReadable(temporary, bytes)
    const staged: Staged[] = [{ temporary, path: join(this.folder, first), descriptor }]
    try {
      for (const other of others) {
        const second = this.#nextTemporary()
        // Nothing in the tree is ever changed in place, so that two names can share the content.
        await link(temporary, second)
        staged.push({ temporary: second, path: join(this.folder, other) })
      }
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    // Only now, whole: somebody else may publish at any time.
    this.#staged.push(...staged)
  }

  #nextTemporary(): string {
    this.#count += 1
    return join(this.folder, stagingName, String(this.#count))
  }

  /** All that is staged: on disk, then visible, then visible for good. */
  async publish(): Promise<void> {
    const batch = this.#staged
    this.#staged = []
    try {
      await forEachParallel(batch, finishFile)
      const folders = new Set<string>()
      for (const { temporary, path } of batch) {
        await renameInto(temporary, path, folders)
        folders.add(dirname(path))
      }
      await forEachParallel([...folders], syncPath)
    } catch (error) {
      throw buildStorageError(error, 'publish into', this.folder)
    } finally {
      closeAll(batch)
    }
  }

  /** What is still staged is given up. */
  close(): Promise<void> {
    closeAll(this.#staged)
    this.#staged = []
    return Promise.resolve()
  }

  async read(path: string): Promise<Bytes | undefined> {
    try {
      return await readFile(join(this.folder, path))
    } catch (error) {
      if (findErrno(error) === 'ENOENT') return undefined
      throw buildStorageError(error, 'read', join(this.folder, path))
    }
  }

  /** In bytes; `undefined` where there is no such file. */
  findLength(path: string): Promise<number | undefined> {
    return findFileLength(join(this.folder, path))
  }

  /** Whether a server that prefers the compressed form sends these bytes too. Without one it does. */
  async isTwinOf(path: string, bytes: Bytes): Promise<boolean> {
    const twin = await this.read(`${path}.gz`)
    if (twin === undefined) return true
    try {
      return equalBytes(await decompress(twin, { maxOutputLength: bytes.length + 1 }), bytes)
    } catch {
      // Not compressed at all, or longer.
      return false
    }
  }

  /** The file and its twin; that it is missing is no error. */
  async remove(path: string): Promise<void> {
    try {
      await rm(join(this.folder, `${path}.gz`), { force: true })
      await rm(join(this.folder, path), { force: true })
    } catch (error) {
      throw buildStorageError(error, 'remove', join(this.folder, path))
    }
  }
}

/** Throws CONFIG_INVALID where something stands there already, and makes nothing. */
export async function requireVacant(folder: string, next: string): Promise<void> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return
    throw buildStorageError(error, 'read', folder)
  }
  if (names.length === 0) return
  throw new ConfigError('CONFIG_INVALID', `${folder} is not empty`, { found: names[0] ?? '', next })
}

/** With the folders above it; that it is there already is no error. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    makeFolderPath(folder, 0o755)
  } catch (error) {
    throw buildStorageError(error, 'make', folder)
  }
}

export async function isFile(path: string): Promise<boolean> {
  return (await findFileLength(path)) !== undefined
}

async function findFileLength(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (findErrno(error) === 'ENOENT' || findErrno(error) === 'ENOTDIR') return undefined
    throw buildStorageError(error, 'look at', path)
  }
}

/** A new folder's own name is durable only when its parent is synchronised too. */
async function renameInto(from: string, to: string, folders: Set<string>): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (findErrno(error) !== 'ENOENT') throw error
    await mkdir(dirname(to), { recursive: true, mode: 0o755 })
    folders.add(dirname(dirname(to)))
    await rename(from, to)
  }
}

async function writeReadable(path: string, bytes: Bytes): Promise<number> {
  const descriptor = await open(path, 'wx')
  try {
    writeFileSync(descriptor, bytes)
    // The umask must not make the tree unreadable for the server.
    fchmodSync(descriptor, 0o644)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

async function finishFile({ descriptor }: Staged): Promise<void> {
  if (descriptor !== undefined) await synchronise(descriptor)
}

function closeAll(batch: readonly Staged[]): void {
  for (const { descriptor } of batch) if (descriptor !== undefined) closeSync(descriptor)
}

async function syncPath(path: string): Promise<void> {
  const descriptor = await open(path, 'r')
  try {
    await synchronise(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Waits for all that has begun, even where something failed: what it works on is closed next. */
async function forEachParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelSyncs, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
