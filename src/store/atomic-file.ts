/**
 * Files that are replaced whole: whoever reads, and whenever the power goes, it is the old content
 * or the new one. TUF rules of this project: temp file beside it, fsync, rename, fsync the folder.
 */

import { closeSync, constants, fsyncSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { encodeHex, type Bytes } from '../base/bytes.ts'
import { createRandomBytes } from '../base/digest.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export interface AtomicFileOptions {
  /** Default 0600. */
  readonly mode?: number
}

export interface StagedFile {
  /** Synchronous, so that it can run within a database transaction. */
  publish(): void
  discard(): void
}

/** Writes the next content of `path` beside it, durably; nothing is visible before `publish`. */
export async function stageFile(
  path: string,
  bytes: Bytes,
  { mode = 0o600 }: AtomicFileOptions = {},
): Promise<StagedFile> {
  const temporary = `${path}.new-${encodeHex(createRandomBytes(8))}`
  try {
    await writeDurably(temporary, bytes, mode)
  } catch (error) {
    removeIfThere(temporary)
    throw buildStorageError(error, 'write', path)
  }
  return {
    publish: () => publishFile(temporary, path),
    discard: () => removeIfThere(temporary),
  }
}

export async function writeFileAtomic(
  path: string,
  bytes: Bytes,
  options: AtomicFileOptions = {},
): Promise<void> {
  const staged = await stageFile(path, bytes, options)
  staged.publish()
}

/** Whether a name is one that a crash may have left behind. */
export function isStagedName(name: string): boolean {
  return /\.new-[0-9a-f]{16}$/.test(name)
}

/** A rename is durable only once its folder is on disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (findErrno(error) !== 'ENOENT') throw buildStorageError(error, 'remove', path)
  }
}

async function writeDurably(path: string, bytes: Bytes, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(bytes)
    // `mode` went through the umask, which may take bits away from a public tree.
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function publishFile(temporary: string, path: string): void {
  try {
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (error) {
    removeIfThere(temporary)
    throw buildStorageError(error, 'write', path)
  }
}
