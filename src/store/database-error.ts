/** What SQLite said, as a StorageError that names the file and the way out. */

import { describeError, StorageError } from '../base/errors.ts'

/** SQLite's primary result code; `undefined` for what is not an error of SQLite. */
function findSqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

const busyCodes: readonly (number | undefined)[] = [5, 6]
const damagedCodes: readonly (number | undefined)[] = [11, 26]

/** What a check of the whole file found; a cause, like the errors of SQLite itself. */
export class DamageFound extends Error {}

/** SQLITE_CORRUPT, SQLITE_NOTADB, or found by the check. */
function isDamaged(error: unknown): boolean {
  const cause = findCause(error)
  return cause instanceof DamageFound || damagedCodes.includes(findSqliteCode(cause))
}

/**
 * While a file is opened, whose SQL is ours: a damaged header makes SQLite say that the format is
 * unsupported (1) or that the database is read-only (8, and not one of its extended codes, which
 * tell of folders); a damaged schema, that there is no such table or column (1).
 */
export function isDamagedAtOpening(error: unknown): boolean {
  const cause = findCause(error)
  const code: unknown = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined
  return isDamaged(error) || code === 1 || code === 8
}

export function isBusy(error: unknown): boolean {
  return busyCodes.includes(findSqliteCode(findCause(error)))
}

function findCause(error: unknown): unknown {
  return error instanceof StorageError ? error.cause : error
}

/** What is not an error of SQLite, a bug or an error of the caller's own, passes unchanged. */
export function buildDatabaseError(error: unknown, path: string): unknown {
  const code = findSqliteCode(error)
  if (code === undefined) return error
  const facts = { found: `SQLite error ${code}`, cause: error }
  const reason = describeError(error)
  if (busyCodes.includes(code)) {
    const next = 'wait for the other process, or stop it'
    return new StorageError('STATE_BUSY', `another process keeps ${path} busy: ${reason}`, {
      ...facts,
      next,
    })
  }
  if (code === 13) {
    const next = 'free space on this disk, or move the folder to another one'
    return new StorageError('DISK_FULL', `cannot write ${path}: ${reason}`, { ...facts, next })
  }
  const next = damagedCodes.includes(code)
    ? 'start again: a damaged file is set aside and replaced'
    : 'look at the file, its permissions and its disk'
  return new StorageError('STORAGE_FAILED', `cannot use ${path}: ${reason}`, { ...facts, next })
}
