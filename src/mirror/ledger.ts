/**
 * The mirror's memory: which projects and files it has signed, and under which versions.
 *
 * Everything is asked for by project or by bin, so that nothing here grows with the whole index.
 */

import { decodeHex, encodeHex } from '../base/bytes.ts'
import { StorageError } from '../base/errors.ts'
import { readBlob, readInteger, readText, type Database, type Row } from '../store/database.ts'
import { putExtraTargets, type ExtraTargets } from './extra-targets.ts'

export interface SignedProject {
  readonly name: string
  readonly bin: number
  /** Of the record. */
  readonly sha256: string
  readonly length: number
  /** The index's, for the page that the record was made from. */
  readonly etag?: string
  readonly serial?: number
  /** ms: of the last look that left nothing open; absent: the page is to be read again in any case. */
  readonly lookedAt?: number
  /** Files that the index lists, those that it does not list any more, and changed ones. */
  readonly listed: number
  readonly removed: number
  readonly conflicts: number
}

export interface KnownProject extends SignedProject {
  readonly id: number
}

/** A project as it is to be signed from now on, and the files that are signed for the first time. */
export interface ProjectChange {
  readonly project: SignedProject
  readonly newPins: ReadonlyMap<string, string>
  /** What becomes a target besides the record. */
  readonly extra?: ExtraTargets
}

/** A look that found nothing to sign. */
export interface SeenProject {
  readonly name: string
  readonly etag?: string
  readonly serial?: number
  readonly lookedAt?: number
}

/** What a project was at the last look, for comparison with the list of the index. */
export interface ProjectMark {
  readonly id: number
  readonly name: string
  readonly serial?: number
  readonly lookedAt?: number
}

/** Looks are written down at most so often where they found nothing. */
const lookGrainMs = 24 * 3_600_000

export class Ledger {
  readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  findProject(name: string): KnownProject | undefined {
    const row = this.database.get('SELECT * FROM project WHERE name = ?', name)
    return row && readProject(row)
  }

  /** sha256 by file name, `.metadata` files too: all that was ever signed for the project, or imported. */
  readPins(project: string, projectId?: number): Map<string, string> {
    const imported = 'SELECT name, sha256 FROM imported_pin WHERE project = ?'
    const rows = this.database.all(imported, project)
    if (projectId !== undefined) {
      rows.push(...this.database.all('SELECT name, sha256 FROM file WHERE project = ?', projectId))
    }
    return new Map(rows.map((row) => [readText(row, 'name'), encodeHex(readBlob(row, 'sha256'))]))
  }

  /** Within a transaction. What is bound already stays bound. */
  putImportedPin(project: string, file: string, sha256: string): void {
    const sql =
      'INSERT INTO imported_pin (project, name, sha256) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
    this.database.run(sql, project, file, decodeHex(sha256) ?? new Uint8Array())
  }

  /** Names in order, after the given one: a page of a walk over all of them. */
  listNames(after: string, limit: number): string[] {
    const sql = 'SELECT name FROM project WHERE name > ? ORDER BY name LIMIT ?'
    return this.database.all(sql, after, limit).map((row) => readText(row, 'name'))
  }

  /** With those of which only pins are there. */
  listPinnedNames(after: string, limit: number): string[] {
    const sql = `SELECT name FROM project WHERE name > ?1
       UNION SELECT project FROM imported_pin WHERE project > ?1 ORDER BY 1 LIMIT ?2`
    return this.database.all(sql, after, limit).map((row) => readText(row, 'name'))
  }

  /** `openSince` (ms): only those that were not looked at since, or have no serial. */
  /** In the order in which they lie on disk: in that of the names each row would be another page. */
  listMarks(afterId: number, limit: number, openSince = Infinity): ProjectMark[] {
    const sql = `SELECT id, name, serial, looked_at FROM project WHERE id > ?
      AND (looked_at IS NULL OR serial IS NULL OR looked_at < ?) ORDER BY id LIMIT ?`
    return this.database.all(sql, afterId, openSince, limit).map((row) => ({
      id: readInteger(row, 'id'),
      name: readText(row, 'name'),
      ...readMarks(row),
    }))
  }

  hasProjects(): boolean {
    return this.database.get('SELECT 1 FROM project LIMIT 1') !== undefined
  }

  /** Reads an entry for each of them: 10 ms at 736,000. */
  countProjects(): number {
    return readCount(this.database.get('SELECT count(*) AS n FROM project'))
  }

  /** All or nothing, with `within`; the bins of what changed are marked, to be signed again. */
  putProjects(changes: readonly ProjectChange[], within: () => void = () => {}): void {
    this.database.transaction(() => {
      for (const change of changes) this.putChange(change)
      within()
    })
  }

  /** Within a transaction. */
  putChange({ project, newPins, extra }: ProjectChange): void {
    this.#putProject(project, newPins)
    if (extra !== undefined) putExtraTargets(this.database, project.name, extra)
  }

  #putProject(project: SignedProject, newPins: ReadonlyMap<string, string>): void {
    const { name, bin, sha256, length, etag = null, listed, removed, conflicts } = project
    const { serial = null, lookedAt = null } = project
    this.database.run(
      `INSERT INTO project
         (name, bin, sha256, length, etag, listed, removed, conflicts, serial, looked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET bin = excluded.bin, sha256 = excluded.sha256,
         length = excluded.length, etag = excluded.etag, listed = excluded.listed,
         removed = excluded.removed, conflicts = excluded.conflicts,
         serial = coalesce(max(serial, excluded.serial), excluded.serial, serial),
         looked_at = excluded.looked_at`,
      name,
      bin,
      sha256,
      length,
      etag,
      listed,
      removed,
      conflicts,
      serial,
      lookedAt,
    )
    this.markBin(bin)
    this.#takeImported(name)
    if (newPins.size === 0) return
    const id = readInteger(this.#requireRow('SELECT id FROM project WHERE name = ?', name), 'id')
    for (const [file, digest] of newPins) {
      // A pin is for ever: what is there already stays.
      const sql = 'INSERT INTO file (project, name, sha256) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
      this.database.run(sql, id, file, decodeHex(digest) ?? new Uint8Array())
    }
  }

  /** What others have seen is a pin like any other once the project itself is signed. */
  #takeImported(name: string): void {
    const sql = `INSERT INTO file (project, name, sha256)
       SELECT project.id, imported_pin.name, imported_pin.sha256
       FROM imported_pin JOIN project ON project.name = imported_pin.project
       WHERE imported_pin.project = ? ON CONFLICT DO NOTHING`
    this.database.run(sql, name)
  }

  /** Within a transaction. Records that are what they were. Where all else is too, nothing is written. */
  putSeen(seen: SeenProject): void {
    const { name, etag = null, serial = null, lookedAt = null } = seen
    const sql = `UPDATE project SET etag = ?1, looked_at = ?3,
         serial = coalesce(max(serial, ?2), ?2, serial)
       WHERE name = ?4 AND (etag IS NOT ?1 OR looked_at IS NULL
         OR ?3 IS NULL OR looked_at < ?3 - ${lookGrainMs} OR coalesce(serial, -1) < ?2)`
    this.database.run(sql, etag, serial, lookedAt, name)
  }

  /** After this every page is read in full again, because it would be judged differently. */
  forgetEtags(): void {
    this.database.run('UPDATE project SET etag = NULL, looked_at = NULL')
  }

  /** Of an index that counts anew. */
  forgetSerials(): void {
    this.database.run('UPDATE project SET serial = NULL WHERE serial IS NOT NULL')
  }

  markBin(bin: number): void {
    this.database.run('UPDATE role SET dirty = 1 WHERE bin = ? AND dirty = 0', bin)
  }

  /** The records of one bin, without those of projects that sign for themselves. */
  listBin(bin: number): { name: string; sha256: string; length: number }[] {
    const sql = `SELECT name, sha256, length FROM project AS signed WHERE bin = ? AND NOT EXISTS (
        SELECT 1 FROM claim WHERE claim.project = signed.name AND claim.state <> 'pending')
      ORDER BY name`
    return this.database.all(sql, bin).map((row) => ({
      name: readText(row, 'name'),
      sha256: readText(row, 'sha256'),
      length: readInteger(row, 'length'),
    }))
  }

  listConflicted(limit: number): { name: string; sha256: string }[] {
    const sql = 'SELECT name, sha256 FROM project WHERE conflicts > 0 ORDER BY name LIMIT ?'
    const rows = this.database.all(sql, limit)
    return rows.map((row) => ({ name: readText(row, 'name'), sha256: readText(row, 'sha256') }))
  }

  countFiles(): { listed: number; removed: number; conflicts: number } {
    const row = this.#requireRow(
      `SELECT coalesce(sum(listed), 0) AS listed, coalesce(sum(removed), 0) AS removed,
        coalesce(sum(conflicts), 0) AS conflicts FROM project`,
    )
    const [listed, removed] = [readInteger(row, 'listed'), readInteger(row, 'removed')]
    return { listed, removed, conflicts: readInteger(row, 'conflicts') }
  }

  /** Where files are targets: those that are listed, and are none. `.metadata` never is. */
  countFilesWithoutTarget(): number {
    const row = this.#requireRow(
      `SELECT coalesce(sum(listed - conflicts), 0) - (SELECT count(*) FROM file WHERE bin IS NOT NULL)
         AS n FROM project`,
    )
    return Math.max(0, readInteger(row, 'n'))
  }

  /** Within a transaction: pages of projects some of whose files have no known length come in full. */
  forgetEtagsOfUnsized(): void {
    this.database.run(
      `UPDATE project SET etag = NULL, looked_at = NULL WHERE listed - conflicts > (
         SELECT count(*) FROM file WHERE file.project = project.id AND file.bin IS NOT NULL)`,
    )
  }

  /** A file that readers of an older snapshot may still ask for, until it is `takeSuperseded`. */
  putSuperseded(path: string, since: number): void {
    const sql = 'INSERT OR REPLACE INTO superseded (path, since) VALUES (?, ?)'
    this.database.run(sql, path, since)
  }

  /** What is signed again is not superseded any more. */
  keep(path: string): void {
    this.database.run('DELETE FROM superseded WHERE path = ?', path)
  }

  listSuperseded(before: number, limit: number): string[] {
    const sql = 'SELECT path FROM superseded WHERE since < ? ORDER BY since LIMIT ?'
    return this.database.all(sql, before, limit).map((row) => readText(row, 'path'))
  }

  close(): void {
    this.database.close()
  }

  #requireRow(sql: string, ...values: string[]): Row {
    const row = this.database.get(sql, ...values)
    if (row !== undefined) return row
    throw new StorageError(
      'STORAGE_FAILED',
      'The mirror database does not hold what was just written',
      {
        next: 'Put mirror.db back from its backup.',
      },
    )
  }
}

function readProject(row: Row): KnownProject {
  const { etag } = row
  return {
    id: readInteger(row, 'id'),
    name: readText(row, 'name'),
    bin: readInteger(row, 'bin'),
    sha256: readText(row, 'sha256'),
    length: readInteger(row, 'length'),
    listed: readInteger(row, 'listed'),
    removed: readInteger(row, 'removed'),
    conflicts: readInteger(row, 'conflicts'),
    ...readMarks(row),
    ...(typeof etag === 'string' && { etag }),
  }
}

function readMarks({ serial, looked_at: lookedAt }: Row): { serial?: number; lookedAt?: number } {
  return {
    ...(typeof serial === 'number' && { serial }),
    ...(typeof lookedAt === 'number' && { lookedAt }),
  }
}

function readCount(row: Row | undefined): number {
  return row === undefined ? 0 : readInteger(row, 'n')
}
