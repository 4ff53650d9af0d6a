/**
 * A folder that is made once and must not be made again without a word: what stands in it was seen
 * once and cannot be seen again. A mark beside it, outside of it, says that it was made.
 */

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import { readMember, readObject, readString } from '../base/decode.ts'
import { describeError, StorageError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'
import { removeIfThere, syncFolder, writeFileAtomic } from './atomic-file.ts'
import { makeFolderPath } from './make-folder.ts'
import { isFile } from './published-tree.ts'
import { readRegular } from './regular-file.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export interface FirstUseFolder {
  readonly path: string
  readonly markPath: string
}

/** Whose first sights there are, in a folder of such folders, by their marks. */
export function listSubjects(parent: string): string[] {
  return listNames(parent)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(parent, name.slice(0, -'.json'.length)))
    .flatMap((path) => findMark({ path, markPath: `${path}.json` }) ?? [])
}

function listNames(parent: string): string[] {
  try {
    return readdirSync(parent).toSorted()
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return []
    throw buildStorageError(error, 'read', parent)
  }
}

/** Whose first sight it is; `undefined` where there was none. A damaged mark is not an absent one. */
export function findMark({ markPath }: FirstUseFolder): string | undefined {
  try {
    return readMember(readObject(parseJson(readRegular(markPath))), 'subject', readString)
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    if (findErrno(error) !== undefined) throw buildStorageError(error, 'read', markPath)
    throw new StorageError('STORAGE_FAILED', `${markPath} is damaged: ${describeError(error)}`, {
      next: 'Put it back from a backup.',
      cause: error,
    })
  }
}

export function putMark({ markPath }: FirstUseFolder, subject: string): Promise<void> {
  return writeFileAtomic(markPath, encodeUtf8(`${JSON.stringify({ format: 1, subject })}\n`))
}

/** 0700, with the folders above it. */
export function makePrivateFolder(path: string): void {
  try {
    makeFolderPath(path, 0o700)
  } catch (error) {
    throw buildStorageError(error, 'make', path)
  }
}

/**
 * `make` works in a folder beside it, and gives the one in there that then takes its name: a crash
 * leaves all of it or nothing. What an earlier crash has left is thrown away: nobody has used it.
 */
export async function makeWhole(
  { path }: FirstUseFolder,
  make: (folder: string) => Promise<string>,
): Promise<void> {
  const making = `${path}.making`
  removeFolder(making)
  await moveFolder(await make(making), path)
  removeFolder(making)
}

/** Puts it aside, with its mark. Whether there was anything but the mark. */
export async function forgetFolder(folder: FirstUseFolder, aside: string): Promise<boolean> {
  const isThere = existsSync(folder.path)
  if (isThere) await moveFolder(folder.path, aside)
  removeIfThere(folder.markPath)
  return isThere
}

export async function moveFolder(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
    syncFolder(dirname(to))
  } catch (error) {
    throw buildStorageError(error, 'move', from)
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    throw buildStorageError(error, 'remove', path)
  }
}

/** Whether it is there whole, as its mark says; `fileName` is a file that every such folder has. */
export function isWhole({ path }: FirstUseFolder, fileName: string): Promise<boolean> {
  return isFile(`${path}/${fileName}`)
}
