/** A log that cannot be written or read: the requests that it would have to tell of are refused. */

import { describeError, StorageError } from '../base/errors.ts'

export function buildAuditError(error: unknown, action: string): StorageError {
  if (error instanceof StorageError) return error
  return new StorageError('AUDIT_FAILED', `cannot ${action}: ${describeError(error)}`, {
    found: findErrno(error) ?? 'no error number',
    next: 'free space on the disk of the audit log and check its permissions; requests are served again by themselves',
    cause: error,
  })
}

export function findErrno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
