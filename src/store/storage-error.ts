/** What the operating system said, as a StorageError that names the path and the way out. */

import {
  describeError,
  describeSystemError,
  StorageError,
  type StorageCode,
} from '../base/errors.ts'

const nextByErrno: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'free space on this disk, or move the folder to another one'],
  ['EDQUOT', 'raise the disk quota of this user, or move the folder to another disk'],
  ['EROFS', 'this disk is mounted read-only: remount it writable, or move the folder'],
  ['EACCES', 'give the user that runs tufgate read and write permission here'],
  ['EPERM', 'give the user that runs tufgate read and write permission here'],
  ['EMFILE', 'raise the limit of open files (ulimit -n)'],
  ['ENFILE', 'raise the limit of open files of this machine'],
  ['EFBIG', 'raise the file size limit (ulimit -f)'],
  ['EIO', 'check the disk: it failed to read or write'],
])

/** `ENOENT` and the like; `undefined` for what did not come from the operating system. */
export function findErrno(error: unknown): string | undefined {
  // Node's own errors have a code too, such as that of a text that is not UTF-8.
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const wordsByErrno: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this user may not'],
  ['EPERM', 'this user may not'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
])

/** Whether it is the path that is wrong, and not the disk. */
export function isPathErrno(error: unknown): boolean {
  return wordsByErrno.has(findErrno(error) ?? '')
}

/** A clause for a person about a path that he gave. */
export function describeErrno(error: unknown): string {
  return wordsByErrno.get(findErrno(error) ?? '') ?? describeError(error)
}

/** `action` is the half sentence "cannot <action> <path>". */
export function buildStorageError(error: unknown, action: string, path: string): StorageError {
  if (error instanceof StorageError) return error
  const errno = findErrno(error)
  const code: StorageCode =
    errno === 'ENOSPC' || errno === 'EDQUOT' ? 'DISK_FULL' : 'STORAGE_FAILED'
  const reason = isAbout(error, path) ? describeSystemError(error) : describeError(error)
  return new StorageError(code, `cannot ${action} ${path}: ${reason}`, {
    found: errno ?? 'no error number',
    next: nextByErrno.get(errno ?? '') ?? `look at ${path} and the disk that it lies on`,
    cause: error,
  })
}

/** Or about a file that is made beside it, or about none. */
function isAbout(error: unknown, path: string): boolean {
  if (!(error instanceof Error) || !('path' in error)) return true
  return typeof error.path === 'string' && error.path.startsWith(path)
}
