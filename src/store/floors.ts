/**
 * The floors under which no trusted version may go, apart from the metadata cache, so that neither
 * a deleted nor a damaged cache lowers them. Written only upwards, under the lock of the database.
 *
 * A newer epoch (a rotation of the keys of timestamp or snapshot) replaces all floors but the root's.
 */

import { existsSync, writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { StorageError, VerifyError } from '../base/errors.ts'
import type { Floors } from '../tuf/floors.ts'
import { DamageFound } from './database-error.ts'
import { openDatabase, readInteger, readText, type Database } from './database.ts'
import { buildStorageError } from './storage-error.ts'

/** `lost`: there were floors once, and they are gone. Both `new` and `lost` are a first contact. */
export type Contact = 'known' | 'new' | 'lost'

export interface FloorStoreOptions {
  /** Told that a damaged database was set aside. `contact` is `lost` then. */
  readonly onDamaged?: (message: string) => void
}

const schema = `
  CREATE TABLE floors (name TEXT PRIMARY KEY, version INTEGER NOT NULL, mark INTEGER NOT NULL)
    STRICT, WITHOUT ROWID`

/** The names of roles begin with `role:`, so that no role can be called like one of these. */
const signedAtName = 'signed-at'
const epochName = 'epoch'
const rolePrefix = 'role:'

type Rows = Map<string, number>

interface KnownRows {
  readonly dataVersion: number
  readonly rows: Rows
}

export class FloorStore {
  readonly #path: string
  readonly #onDamaged: (message: string) => void
  #database: Database
  #known: KnownRows | undefined

  private constructor(path: string, options: FloorStoreOptions) {
    this.#path = path
    this.#onDamaged = options.onDamaged ?? (() => undefined)
    ;({ database: this.#database, known: this.#known } = openFloors(path, this.#onDamaged))
  }

  /** Synchronous, like all of it: a local database of a few kilobytes. */
  static open(path: string, options: FloorStoreOptions = {}): FloorStore {
    return new FloorStore(path, options)
  }

  get contact(): Contact {
    if (this.#readRows().size > 0) return 'known'
    return existsSync(markerOf(this.#path)) ? 'lost' : 'new'
  }

  isFirstContact(): boolean {
    return this.contact !== 'known'
  }

  read(): Floors {
    this.#reopenIfReplaced()
    return buildFloors(this.#readRows())
  }

  /**
   * `write` renames the metadata that the floors stand for. It runs before the floors are
   * committed: a crash between the two leaves metadata above its floors, never below.
   * Throws VerifyError VERSION_ROLLBACK, and does not run `write`, where a floor would go down.
   */
  raise(floors: Floors, write: () => void): void {
    this.#reopenIfReplaced()
    try {
      this.#database.transaction(() => {
        const rows = this.#readRows()
        requireRising(rows, floors)
        this.#writeRows(rows, floors)
        write()
      })
    } catch (error) {
      this.#known = undefined
      throw error
    }
    writeMarker(this.#path)
  }

  close(): void {
    this.#database.close()
  }

  #writeRows(rows: Rows, floors: Floors): void {
    const isNewEpoch = floors.epoch > (rows.get(epochName) ?? 0)
    if (isNewEpoch) this.#forgetEpoch(rows, floors)
    for (const [role, version] of floors.versions) {
      this.#writeRow(rows, `${rolePrefix}${role}`, version)
    }
    // Two processes may hear different mirrors: the newest time that either has seen stays.
    const seenAt = isNewEpoch ? 0 : (rows.get(signedAtName) ?? 0)
    this.#writeRow(rows, signedAtName, Math.max(floors.signedAt, seenAt))
    this.#writeRow(rows, epochName, floors.epoch)
  }

  /** What the new epoch does not mention goes, so that its roles may start low again. */
  #forgetEpoch(rows: Rows, floors: Floors): void {
    for (const name of rows.keys()) {
      if (name === `${rolePrefix}root`) continue
      if (floors.versions.has(name.slice(rolePrefix.length))) continue
      this.#database.run('DELETE FROM floors WHERE name = ?', name)
      rows.delete(name)
    }
  }

  #writeRow(rows: Rows, name: string, version: number): void {
    if (rows.get(name) === version) return
    rows.set(name, version)
    this.#database.run(
      'INSERT OR REPLACE INTO floors VALUES (?, ?, ?)',
      name,
      version,
      markOf(name, version),
    )
  }

  /** Read again only where another process has written: 16,384 rows take a while. */
  #readRows(): Rows {
    const dataVersion = this.#database.readDataVersion()
    if (this.#known?.dataVersion !== dataVersion) {
      this.#known = readKnown(this.#database, dataVersion)
    }
    return this.#known.rows
  }

  /** A process that found the file damaged may have put a fresh one in its place. */
  #reopenIfReplaced(): void {
    if (!this.#database.isReplaced()) return
    this.#database.close()
    ;({ database: this.#database, known: this.#known } = openFloors(this.#path, this.#onDamaged))
  }
}

/** The rows are all read to find damage; that need not be done twice. */
function openFloors(
  path: string,
  onDamaged: (message: string) => void,
): { database: Database; known: KnownRows | undefined } {
  let known: KnownRows | undefined
  const check = (opened: Database): void => {
    known = readKnown(opened, opened.readDataVersion())
  }
  const database = openDatabase(path, { schema, version: 1, onDamaged, check })
  return { database, known }
}

/** `dataVersion` was read before them: what another process writes meanwhile is read again. */
function readKnown(database: Database, dataVersion: number): KnownRows {
  return { dataVersion, rows: readAllRows(database) }
}

function readAllRows(database: Database): Rows {
  const rows: Rows = new Map()
  for (const row of database.all('SELECT name, version, mark FROM floors')) {
    const name = readText(row, 'name')
    const version = readInteger(row, 'version')
    if (readInteger(row, 'mark') !== markOf(name, version)) throw buildDamagedError(database, name)
    rows.set(name, version)
  }
  return rows
}

/** SQLite has no checksums: a flipped bit in a version would pass as a lower floor. */
function markOf(name: string, version: number): number {
  return crc32(`${name}\0${version}`)
}

function buildDamagedError(database: Database, name: string): StorageError {
  return new StorageError('STORAGE_FAILED', `${database.path}: the row ${name} is damaged`, {
    next: 'start again: a damaged file is set aside and replaced',
    cause: new DamageFound(name),
  })
}

function buildFloors(rows: Rows): Floors {
  const versions = new Map<string, number>()
  for (const [name, version] of rows) {
    if (name.startsWith(rolePrefix)) versions.set(name.slice(rolePrefix.length), version)
  }
  return { versions, signedAt: rows.get(signedAtName) ?? 0, epoch: rows.get(epochName) ?? 0 }
}

/**
 * TUF 5.3.5, 5.4.3, 5.5.5: no version below one that was trusted, by any process, and no role left out
 * that one of them has seen: whoever does not know it has not asked whether it is still listed.
 */
function requireRising(rows: Rows, floors: Floors): void {
  const epoch = rows.get(epochName) ?? 0
  if (floors.epoch < epoch) throw buildRollbackError('root', epoch, floors.epoch)
  for (const [role, version] of floors.versions) {
    // TUF 5.3.11: after a rotation, what its old keys may have driven high does not bind.
    if (floors.epoch > epoch && role !== 'root') continue
    const floor = rows.get(`${rolePrefix}${role}`) ?? 0
    if (version < floor) throw buildRollbackError(role, floor, version)
  }
  if (floors.epoch > epoch) return
  for (const [name, floor] of rows) {
    const role = name.startsWith(rolePrefix) ? name.slice(rolePrefix.length) : undefined
    if (role !== undefined && !floors.versions.has(role)) throw buildUnknownError(role, floor)
  }
}

function buildRollbackError(role: string, floor: number, version: number): VerifyError {
  return new VerifyError(
    'VERSION_ROLLBACK',
    `version ${version} of ${role} is older than ${floor}, which was trusted before`,
    {
      role,
      version,
      expected: `at least ${floor}`,
      found: String(version),
      next: rollbackAdvice,
    },
  )
}

function buildUnknownError(role: string, floor: number): VerifyError {
  return new VerifyError(
    'VERSION_ROLLBACK',
    `${role} is not known here, and ${floor} of it was trusted before`,
    { role, expected: `at least ${floor}`, found: 'nothing', next: rollbackAdvice },
  )
}

const rollbackAdvice = 'nothing was changed; another process has seen newer metadata: refresh again'

function markerOf(path: string): string {
  return `${path}.known`
}

/** Says that there were floors, where the database says that there are none. */
function writeMarker(path: string): void {
  if (existsSync(markerOf(path))) return
  try {
    writeFileSync(markerOf(path), 'floors were written beside this file\n', { mode: 0o600 })
  } catch (error) {
    throw buildStorageError(error, 'write', markerOf(path))
  }
}
