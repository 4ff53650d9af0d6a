/**
 * The only door to SQLite: a small typed wrapper whose failures are StorageErrors.
 *
 * A query is one SQL text with `?` for each value; statements are prepared once. One connection
 * belongs to one process; several processes may share the file (WAL, and a busy timeout).
 */

import { closeSync, constants, readSync, renameSync, statSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { ConfigError, describeError, StorageError } from '../base/errors.ts'
import { buildDatabaseError, DamageFound, isBusy, isDamagedAtOpening } from './database-error.ts'
import { openRegular } from './regular-file.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export type SqlValue = null | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface DatabaseOptions {
  /** SQL that makes an empty file into a database of `version`. */
  readonly schema: string
  /** At least 1. A newer one in the file is refused: ConfigError STATE_NEWER. */
  readonly version: number
  /** Brings a file of an older version up to `version`, within the transaction that opens it. */
  readonly upgrade?: (database: Database, from: number) => void
  /** More to check at the opening; throws a StorageError caused by `DamageFound`. */
  readonly check?: (database: Database) => void
  /** Told that a damaged file was set aside, and why; a fresh database is in its place then. */
  readonly onDamaged?: (message: string) => void
  /** `false`: a power cut may lose the last transactions, never the consistency. Default `true`. */
  readonly isDurable?: boolean
}

const createFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT
const maxStatements = 256
const busyTimeoutMs = 5000
/** Larger files are only checked where they are read: 100 MB take a second. */
const maxCheckedBytes = 32 * 1024 * 1024

export class Database {
  readonly path: string
  readonly #connection: DatabaseSync
  readonly #inode: number
  readonly #statements = new Map<string, StatementSync>()
  #isInTransaction = false

  constructor(path: string, connection: DatabaseSync) {
    this.path = path
    this.#connection = connection
    this.#inode = statSync(path).ino
  }

  /** The number of rows that changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes))
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values))
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values))
  }

  /** Row by row, for results that need not fit in memory. Finish it before the next write. */
  *iterate(sql: string, ...values: SqlValue[]): Generator<Row, void> {
    // A statement of its own: a shared one would be rewound by the next caller in the middle.
    const rows = this.#guard(() => this.#connection.prepare(sql).iterate(...values))
    for (;;) {
      const next = this.#guard(() => rows.next())
      if (next.done === true) return
      yield next.value
    }
  }

  /** BEGIN IMMEDIATE, `work`, COMMIT; ROLLBACK where `work` throws. `work` cannot be async. */
  transaction<T>(work: () => T): T {
    if (this.#isInTransaction) throw new TypeError('a transaction within a transaction')
    this.#guard(() => this.#connection.exec('BEGIN IMMEDIATE'))
    this.#isInTransaction = true
    try {
      const result = work()
      if (result instanceof Promise) throw new TypeError('a transaction cannot wait')
      this.#guard(() => this.#connection.exec('COMMIT'))
      return result
    } catch (error) {
      this.#rollBack()
      throw error
    } finally {
      this.#isInTransaction = false
    }
  }

  /** Differs from the last one where another connection has written since. */
  readDataVersion(): number {
    const row = this.get('PRAGMA data_version')
    return row === undefined ? 0 : readInteger(row, 'data_version')
  }

  /** Whether another process has set this file aside: what is written here is lost then. */
  isReplaced(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode
  }

  close(): void {
    this.#statements.clear()
    if (this.#connection.isOpen) this.#connection.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= maxStatements) this.#statements.clear()
    const statement = this.#connection.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #rollBack(): void {
    try {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself already; the first error is the one that matters.
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw buildDatabaseError(error, this.path)
    }
  }
}

/** Opens the file or makes it. A damaged one becomes `<path>.damaged-<time>`. */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  try {
    return openChecked(path, options)
  } catch (error) {
    if (!isDamagedAtOpening(error)) throw error
    return replaceDamaged(path, options)
  }
}

/** Under a lock: of two processes that see the damage, the second must not set the fresh file aside. */
function replaceDamaged(path: string, options: DatabaseOptions): Database {
  const lock = holdExclusively(`${path}.mending`, busyTimeoutMs)
  try {
    return openChecked(path, options)
  } catch (error) {
    if (!isDamagedAtOpening(error)) throw error
    const aside = setAside(path)
    options.onDamaged?.(`${describeError(error)}; set aside as ${aside}`)
    return openChecked(path, options)
  } finally {
    lock.close()
  }
}

function openChecked(path: string, options: DatabaseOptions): Database {
  try {
    // SQLite would make it readable for everybody; its -wal and -shm take the mode of the file.
    closeSync(openRegular(path, createFlags))
  } catch (error) {
    throw buildStorageError(error, 'open', path)
  }
  const connection = new DatabaseSync(path, { timeout: busyTimeoutMs, defensive: true })
  const database = new Database(path, connection)
  try {
    requireWritable(path)
    requireWhole(database)
    useWriteAheadLog(database)
    database.run(`PRAGMA synchronous = ${options.isDurable === false ? 'NORMAL' : 'FULL'}`)
    requireVersion(database, connection, options)
    options.check?.(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function requireWhole(database: Database): void {
  if (statSync(database.path).size > maxCheckedBytes) return
  const row = database.get('PRAGMA quick_check(1)')
  const verdict = row === undefined ? 'no answer' : readText(row, 'quick_check')
  if (verdict !== 'ok') throw buildDamagedError(database.path, verdict)
}

/** With a write version above 2 SQLite opens the file to read only, and says so at the first write. */
function requireWritable(path: string): void {
  const header = Buffer.alloc(19)
  const descriptor = openRegular(path)
  try {
    // Of an empty file there is none yet.
    if (readSync(descriptor, header, 0, header.length, 0) < header.length) return
  } finally {
    closeSync(descriptor)
  }
  const writeVersion = header.readUInt8(18)
  if (writeVersion === 1 || writeVersion === 2) return
  throw buildDamagedError(path, `its header has the write version ${writeVersion}`)
}

function buildDamagedError(path: string, verdict: string): StorageError {
  return new StorageError('STORAGE_FAILED', `${path} is damaged: ${verdict}`, {
    found: verdict,
    next: 'start again: a damaged file is set aside and replaced',
    cause: new DamageFound(verdict),
  })
}

/** The switch does not wait for others by itself; a file that has the mode needs no switch. */
function useWriteAheadLog(database: Database): void {
  for (
    let attempt = 0;
    database.get('PRAGMA journal_mode')?.['journal_mode'] !== 'wal';
    attempt += 1
  ) {
    try {
      database.get('PRAGMA journal_mode = WAL')
    } catch (error) {
      if (!isBusy(error) || attempt >= 100) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

function requireVersion(
  database: Database,
  connection: DatabaseSync,
  { schema, version, upgrade }: DatabaseOptions,
): void {
  const found = readUserVersion(database)
  if (found === version) return
  database.transaction(() => {
    // Another process may have been first.
    const from = readUserVersion(database)
    if (from === version) return
    requireVersionMark(database, from)
    if (from > version) throw buildNewerError(database.path, version, from)
    if (from === 0) connection.exec(schema)
    else if (upgrade === undefined) throw buildOlderError(database.path, version, from)
    else upgrade(database, from)
    connection.exec(`PRAGMA user_version = ${version}`)
    connection.exec(`PRAGMA application_id = ${markOf(version)}`)
  })
}

/** A version that differs is believed only with its mark: a flipped bit must not pass for a newer format. */
function requireVersionMark(database: Database, found: number): void {
  const row = database.get('PRAGMA application_id')
  const mark = row === undefined ? 0 : readInteger(row, 'application_id')
  if (mark === markOf(found)) return
  throw buildDamagedError(database.path, `its version ${found} does not have its mark`)
}

/** 31 bits; 0 for the version of an empty file. */
function markOf(version: number): number {
  return version === 0 ? 0 : crc32(`tufgate database ${version}`) >>> 1
}

function readUserVersion(database: Database): number {
  const row = database.get('PRAGMA user_version')
  return row === undefined ? 0 : readInteger(row, 'user_version')
}

function buildNewerError(path: string, expected: number, found: number): ConfigError {
  return new ConfigError(
    'STATE_NEWER',
    `${path} was written by a newer tufgate (format ${found})`,
    {
      expected: `format ${expected}`,
      found: `format ${found}`,
      next: 'use the newer tufgate, or another state folder',
    },
  )
}

function buildOlderError(path: string, expected: number, found: number): StorageError {
  return new StorageError('STORAGE_FAILED', `${path} has format ${found}, which is not known`, {
    expected: `format ${expected}`,
    found: `format ${found}`,
    next: 'move the file away and start again',
  })
}

/** With its write-ahead log, so that somebody can still look into it. */
function setAside(path: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      renameSync(`${path}${suffix}`, `${aside}${suffix}`)
    } catch (error) {
      if (findErrno(error) !== 'ENOENT') throw buildStorageError(error, 'set aside', path)
    }
  }
  return aside
}

/**
 * Keeps every other process out of the same call, until `close` or the end of this process,
 * however it ends. The file stays. Throws StorageError STATE_BUSY.
 */
export function holdExclusively(path: string, timeoutMs: number): { close(): void } {
  try {
    closeSync(openRegular(path, createFlags))
  } catch (error) {
    throw buildStorageError(error, 'lock', path)
  }
  const connection = new DatabaseSync(path, { timeout: timeoutMs })
  try {
    connection.exec('BEGIN EXCLUSIVE')
    return connection
  } catch (error) {
    connection.close()
    throw buildDatabaseError(error, path)
  }
}

export function readText(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : refuseColumn(value, column, 'text')
}

export function readInteger(row: Row, column: string): number {
  const value = row[column]
  return Number.isSafeInteger(value) ? (value as number) : refuseColumn(value, column, 'an integer')
}

export function readBlob(row: Row, column: string): Uint8Array {
  const value = row[column]
  return value instanceof Uint8Array ? value : refuseColumn(value, column, 'bytes')
}

function refuseColumn(value: SqlValue | undefined, column: string, expected: string): never {
  throw new StorageError('STORAGE_FAILED', `column ${column} of the database is not ${expected}`, {
    expected,
    found: value === null ? 'null' : typeof value,
    next: 'the database was written by something else: move it away and start again',
  })
}
