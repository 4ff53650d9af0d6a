/**
 * Versions and expiries of the roles.
 *
 * A version is allocated and committed before it is signed, so that whatever happens in between it
 * is skipped and never given to other content: clients tell content by (role, version) alone.
 */

import { StorageError } from '../base/errors.ts'
import { readInteger, readText, type Database, type Row } from '../store/database.ts'
import { binPrefix } from './bins.ts'
import type { FileDigest } from './metadata-documents.ts'

export interface RoleState extends FileDigest {
  readonly name: string
  /** Set for `bins-NN` alone, and only while they are in use. */
  readonly bin?: number
  /** One of the bins of before: nothing delegates to it any more. */
  readonly isRetired: boolean
  /** The newest one that was written. */
  readonly version: number
  /** ms */
  readonly expires: number
}

/** A role as a snapshot says it. */
export interface ListedRole extends FileDigest {
  readonly name: string
  readonly version: number
  /** One of the bins, of now or of before. */
  readonly isBin: boolean
  readonly isRetired: boolean
}

/** What was written for a role, to be listed in the next snapshot. */
export interface WrittenRole extends FileDigest {
  readonly name: string
  readonly version: number
  readonly expires: number
}

export class RoleLedger {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** A role that has been written once. */
  add(role: Omit<RoleState, 'isRetired'>): void {
    const { name, bin = null, version, expires, length, sha256 } = role
    this.#database.run(
      `INSERT INTO role (name, bin, allocated, version, expires, length, sha256, dirty)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
      name,
      bin,
      version,
      version,
      expires,
      length,
      sha256,
    )
  }

  find(name: string): RoleState | undefined {
    const row = this.#database.get('SELECT * FROM role WHERE name = ?', name)
    return row && readRole(row)
  }

  require(name: string): RoleState {
    const role = this.find(name)
    if (role !== undefined) return role
    throw new StorageError('STORAGE_FAILED', `The mirror database has no role ${name}`, {
      role: name,
      next: 'Put mirror.db back from its backup: without its versions nothing can be signed.',
    })
  }

  /** The next version of a role, committed: it will not be given out again. */
  allocate(name: string): number {
    this.#database.run('UPDATE role SET allocated = allocated + 1 WHERE name = ?', name)
    const row = this.#database.get('SELECT allocated FROM role WHERE name = ?', name)
    return row === undefined ? this.require(name).version : readInteger(row, 'allocated')
  }

  /** The highest version that may have been signed. */
  findAllocated(name: string): number {
    const row = this.#database.get('SELECT allocated FROM role WHERE name = ?', name)
    return row === undefined ? 0 : readInteger(row, 'allocated')
  }

  /** For a version that was signed, and that this database has forgotten. */
  raiseAllocated(name: string, version: number): void {
    const sql = 'UPDATE role SET allocated = max(allocated, ?) WHERE name = ?'
    this.#database.run(sql, version, name)
  }

  /** Of every role that the mirror itself signs; those of people and owners have others to say so. */
  skipOnline(count: number): void {
    const sql = `UPDATE role SET allocated = allocated + ? WHERE bin IS NOT NULL
       OR name IN ('deny', 'recently-claimed', 'snapshot', 'timestamp')`
    this.#database.run(sql, count)
  }

  /** No snapshot lists it any more. What was allocated stays. */
  unlist(name: string): void {
    this.#database.run('UPDATE role SET version = 0 WHERE name = ?', name)
  }

  /**
   * What was published, and what this database has forgotten. A role that it does not know at all is
   * one that nothing delegates to by now: it is only listed (TUF 5.5.5).
   */
  restore({ name, version, expires, length, sha256 }: WrittenRole): void {
    this.#database.run(
      `INSERT INTO role (name, allocated, version, expires, length, sha256, dirty, retired)
       VALUES (?1, ?2, ?2, ?3, ?4, ?5, 0, ?6)
       ON CONFLICT (name) DO UPDATE SET allocated = max(allocated, ?2), version = ?2,
         expires = ?3, length = ?4, sha256 = ?5`,
      name,
      version,
      expires,
      length,
      sha256,
      name.startsWith(`${binPrefix}-`) ? 1 : 0,
    )
  }

  /** A next version for every bin that is dirty, in one commit. */
  allocateDirtyBins(): { bin: number; version: number }[] {
    return this.#database.transaction(() => {
      this.#database.run(
        'UPDATE role SET allocated = allocated + 1 WHERE dirty = 1 AND bin IS NOT NULL',
      )
      const sql = 'SELECT bin, allocated FROM role WHERE dirty = 1 AND bin IS NOT NULL ORDER BY bin'
      return this.#database.all(sql).map((row) => ({
        bin: readInteger(row, 'bin'),
        version: readInteger(row, 'allocated'),
      }))
    })
  }

  /** What stands in it has changed: the next publication signs it again. */
  markDirty(name: string): void {
    this.#database.run('UPDATE role SET dirty = 1 WHERE name = ? AND dirty = 0', name)
  }

  isDirty(name: string): boolean {
    const row = this.#database.get('SELECT dirty FROM role WHERE name = ?', name)
    return row !== undefined && readInteger(row, 'dirty') === 1
  }

  /** After a new bins key: every one of them. */
  markAllBins(): void {
    this.#database.run('UPDATE role SET dirty = 1 WHERE bin IS NOT NULL AND dirty = 0')
  }

  /** Marks the bins that expire before the given time (ms). */
  markExpiring(before: number): void {
    const sql = 'UPDATE role SET dirty = 1 WHERE bin IS NOT NULL AND dirty = 0 AND expires < ?'
    this.#database.run(sql, before)
  }

  /** All or nothing, with `within`. */
  putWritten(roles: readonly WrittenRole[], within: () => void = () => {}): void {
    this.#database.transaction(() => {
      const sql = 'UPDATE role SET version = ?, expires = ?, length = ?, sha256 = ? WHERE name = ?'
      for (const { name, version, expires, length, sha256 } of roles) {
        this.#database.run(sql, version, expires, length, sha256, name)
      }
      within()
    })
  }

  /** What an owner has signed, under a version of his own; a snapshot is due then. */
  putOwner({ name, version, expires, length, sha256 }: WrittenRole): void {
    this.#database.run(
      `INSERT INTO role (name, allocated, version, expires, length, sha256, dirty)
       VALUES (?1, ?2, ?2, ?3, ?4, ?5, 1)
       ON CONFLICT (name) DO UPDATE SET allocated = max(allocated, ?2), version = ?2,
         expires = ?3, length = ?4, sha256 = ?5, dirty = 1`,
      name,
      version,
      expires,
      length,
      sha256,
    )
  }

  /** Once a timestamp that covers them is out. */
  clearDirty(): void {
    this.#database.run('UPDATE role SET dirty = 0 WHERE dirty = 1')
  }

  listBins(): RoleState[] {
    return this.#database.all('SELECT * FROM role WHERE bin IS NOT NULL ORDER BY bin').map(readRole)
  }

  /**
   * Everything that a snapshot lists, retired bins among it (TUF 5.5.5): all but three. In the order
   * of the keys in its canonical form, so that thousands need not be sorted for each signature.
   */
  listForSnapshot(): ListedRole[] {
    const sql = `SELECT name, version, length, sha256, retired, bin FROM role WHERE version > 0
       AND name NOT IN ('root', 'snapshot', 'timestamp') ORDER BY name || '.json'`
    return this.#database.all(sql).map((row) => ({
      name: readText(row, 'name'),
      version: readInteger(row, 'version'),
      length: readInteger(row, 'length'),
      sha256: readText(row, 'sha256'),
      isRetired: readInteger(row, 'retired') === 1,
      isBin: row['bin'] !== null || readInteger(row, 'retired') === 1,
    }))
  }

  countDirty(): number {
    const row = this.#database.get('SELECT count(*) AS n FROM role WHERE dirty = 1')
    return row === undefined ? 0 : readInteger(row, 'n')
  }

  /** The highest version of any bin, and when (ms) the first of them expires. */
  summarizeBins(): { version: number; expires: number } {
    const sql = `SELECT coalesce(max(version), 0) AS version, coalesce(min(expires), 0) AS expires
       FROM role WHERE bin IS NOT NULL`
    const row = this.#database.get(sql)
    if (row === undefined) return { version: 0, expires: 0 }
    return { version: readInteger(row, 'version'), expires: readInteger(row, 'expires') }
  }
}

function readRole(row: Row): RoleState {
  const { bin } = row
  return {
    name: readText(row, 'name'),
    version: readInteger(row, 'version'),
    expires: readInteger(row, 'expires'),
    length: readInteger(row, 'length'),
    sha256: readText(row, 'sha256'),
    isRetired: readInteger(row, 'retired') === 1,
    ...(typeof bin === 'number' && { bin }),
  }
}
