/**
 * Which files the vault holds, how large they are and when they were last used: what eviction needs
 * without looking at 100,000 files. Several processes share it. It decides nothing about trust, and
 * can be made again from the files.
 */

import { decodeHex, encodeHex, type Bytes } from '../base/bytes.ts'
import { describeError } from '../base/errors.ts'
import { openDatabase, readBlob, readInteger, type Database } from './database.ts'

const schema = `
  CREATE TABLE files (sha256 BLOB PRIMARY KEY, size INTEGER NOT NULL, used INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE INDEX files_by_use ON files (used);
  CREATE TABLE total (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (1, 0);
  CREATE TRIGGER add_size AFTER INSERT ON files
    BEGIN UPDATE total SET bytes = bytes + new.size; END;
  CREATE TRIGGER change_size AFTER UPDATE OF size ON files
    BEGIN UPDATE total SET bytes = bytes + new.size - old.size; END;
  CREATE TRIGGER drop_size AFTER DELETE ON files
    BEGIN UPDATE total SET bytes = bytes - old.size; END;`

/** Uses are gathered: one that a crash loses only makes a file look a little older. */
const maxGatheredUses = 512
const gatherMs = 5000
const evictedAtOnce = 64
/** Room is made for a while, so that not each new file has to. */
const keptShare = 0.9

export interface IndexedFile {
  readonly sha256: string
  readonly size: number
  /** Milliseconds. */
  readonly used: number
}

export class VaultIndex {
  readonly #database: Database
  readonly #onWarning: (message: string) => void
  readonly #uses = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(path: string, onWarning: (message: string) => void) {
    this.#database = openDatabase(path, {
      schema,
      version: 1,
      isDurable: false,
      onDamaged: onWarning,
      check: requireTables,
    })
    this.#onWarning = onWarning
  }

  isEmpty(): boolean {
    return this.#database.get('SELECT 1 FROM files LIMIT 1') === undefined
  }

  /** Known files keep the later use. */
  putAll(files: readonly IndexedFile[]): void {
    this.#database.transaction(() => {
      for (const { sha256, size, used } of files) {
        this.#database.run(
          `INSERT INTO files VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET size = excluded.size, used = max(used, excluded.used)`,
          keyOf(sha256),
          size,
          used,
        )
      }
    })
  }

  remove(sha256: string): void {
    this.#uses.delete(sha256)
    this.#database.run('DELETE FROM files WHERE sha256 = ?', keyOf(sha256))
  }

  /** Cheap: written together with others, within a few seconds. */
  noteUse(sha256: string): void {
    this.#uses.set(sha256, Date.now())
    if (this.#uses.size >= maxGatheredUses) this.#writeUsesOrWarn()
    else this.#timer ??= setTimeout(() => this.#writeUsesOrWarn(), gatherMs).unref()
  }

  readTotalBytes(): number {
    const row = this.#database.get('SELECT bytes FROM total')
    return row === undefined ? 0 : readInteger(row, 'bytes')
  }

  /**
   * Takes the least recently used files out until there is room, but never `keep`. `unlink` runs
   * within the transaction: a process that puts the same file back has written its use before it
   * renames, so that it comes either before the choice or after the unlink.
   */
  evict(maxBytes: number, keep: string, unlink: (sha256: string) => void): void {
    if (this.readTotalBytes() <= maxBytes) return
    this.#writeUsesOrWarn()
    while (this.#evictSome(maxBytes * keptShare, keep, unlink)) {
      // One transaction after the other, so that other processes come in between.
    }
  }

  close(): void {
    this.#writeUsesOrWarn()
    this.#database.close()
  }

  /** Whether there may be more to evict. */
  #evictSome(maxBytes: number, keep: string, unlink: (sha256: string) => void): boolean {
    return this.#database.transaction(() => {
      let excess = this.readTotalBytes() - maxBytes
      const sql = 'SELECT sha256, size FROM files WHERE sha256 <> ? ORDER BY used LIMIT ?'
      const oldest = this.#database.all(sql, keyOf(keep), evictedAtOnce)
      for (const row of oldest) {
        if (excess <= 0) return false
        const sha256 = encodeHex(readBlob(row, 'sha256'))
        this.remove(sha256)
        unlink(sha256)
        excess -= readInteger(row, 'size')
      }
      return oldest.length === evictedAtOnce
    })
  }

  /** The order of eviction suffers where this fails, never an answer. */
  #writeUsesOrWarn(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#uses.size === 0) return
    try {
      this.#writeUses()
    } catch (error) {
      this.#onWarning(`the last uses of ${this.#uses.size} files are lost: ${describeError(error)}`)
    }
    this.#uses.clear()
  }

  #writeUses(): void {
    this.#database.transaction(() => {
      for (const [sha256, used] of this.#uses) {
        this.#database.run('UPDATE files SET used = ? WHERE sha256 = ?', used, keyOf(sha256))
      }
    })
  }
}

/** Runs every trigger once: SQLite itself does not tell that the text of one was damaged. */
function requireTables(database: Database): void {
  const none = new Uint8Array(0)
  database.transaction(() => {
    database.run('INSERT INTO files VALUES (?, 1, 0)', none)
    database.run('UPDATE files SET size = 2 WHERE sha256 = ?', none)
    database.run('DELETE FROM files WHERE sha256 = ?', none)
    database.get('SELECT bytes FROM total')
  })
}

function keyOf(sha256: string): Bytes {
  return decodeHex(sha256) ?? new Uint8Array(0)
}
