/** A log that cannot be written or read: the requests that it would have to tell of are refused. */

import { describeSystemError, StorageError } from '../base/errors.ts'

export function buildAuditError(error: unknown, action: string): StorageError {
  if (error instanceof StorageError) return error
  const errno = findErrno(error)
  return new StorageError('AUDIT_FAILED', `cannot ${action}: ${describeSystemError(error)}`, {
    found: errno ?? 'no error number',
    next: nextByErrno.get(errno ?? '') ?? 'look at the folder of the audit log and its disk',
    cause: error,
  })
}

const permit = 'give the user that runs tufgate write permission in the folder of the audit log'

const nextByErrno: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'free space on the disk of the audit log'],
  ['EDQUOT', 'raise the disk quota of the user that runs tufgate'],
  ['EROFS', 'the disk of the audit log is mounted read-only: remount it writable'],
  ['EACCES', permit],
  ['EPERM', permit],
])

export function findErrno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
