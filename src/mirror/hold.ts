/**
 * Changes that wait for a person: the exact record that would be signed, and why it is not.
 *
 * The record lies in a private folder under its digest, the row that names it in the database. What
 * is approved is this record, whatever the index shows by then.
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { readInteger, readText, type Database, type Row } from '../store/database.ts'
import { PrivateFiles } from '../store/private-files.ts'
import type { Change } from './change-kinds.ts'
import { describeChange } from './change-words.ts'

const heldFolder = 'held'

export interface HeldChange {
  /** Normalized. */
  readonly project: string
  /** ms: when it was seen first. The times in the record are of then. */
  readonly since: number
  /** Of the record that would be signed. */
  readonly sha256: string
  /** Of the record that is signed; absent for a project that is new. */
  readonly base?: string
  /** The index's, of the page that it was made from. */
  readonly etag?: string
  readonly serial?: number
  /** ms: what was new at `since` was not there at this time. */
  readonly lookedAt?: number
  /** All of them, the ones that are held among them. */
  readonly changes: readonly Change[]
  /** Somebody has said no: it stays as it is signed until the index shows something else. */
  readonly isRejected: boolean
}

const heldAtOnce = 1000
/** A name of a project may be as long as the longest name of a file. */
const maxNameLength = 150

export class Holds {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  find(project: string): HeldChange | undefined {
    const row = this.#database.get('SELECT * FROM held WHERE project = ?', project)
    return row && readHeld(row)
  }

  /** Names in order, after the given one. */
  list(after: string, limit: number): HeldChange[] {
    const sql = 'SELECT * FROM held WHERE project > ? ORDER BY project LIMIT ?'
    return this.#database.all(sql, after, limit).map(readHeld)
  }

  /** All of them, a page of the table at a time. */
  *walk(): Generator<HeldChange, void> {
    let page = this.list('', heldAtOnce)
    while (page.length > 0) {
      yield* page
      page = this.list(page.at(-1)?.project ?? '', heldAtOnce)
    }
  }

  /** Without those that were rejected. */
  countWaiting(): number {
    const row = this.#database.get('SELECT count(*) AS n FROM held WHERE rejected = 0')
    return row === undefined ? 0 : readInteger(row, 'n')
  }

  put(held: HeldChange): void {
    const { project, since, sha256, changes, isRejected } = held
    const { base = null, etag = null, serial = null, lookedAt = null } = held
    const sql = `INSERT OR REPLACE INTO held
         (project, since, sha256, base, etag, serial, looked_at, changes, rejected)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
    const isNo = isRejected ? 1 : 0
    const text = JSON.stringify(changes)
    this.#database.run(sql, project, since, sha256, base, etag, serial, lookedAt, text, isNo)
  }

  /** Of an index that counts anew. */
  forgetSerials(): void {
    this.#database.run('UPDATE held SET serial = NULL WHERE serial IS NOT NULL')
  }

  remove(project: string): void {
    this.#database.run('DELETE FROM held WHERE project = ?', project)
  }
}

/** Our own writing, of the same program: it is not judged again. */
function readHeld(row: Row): HeldChange {
  const { base, etag, serial, looked_at: lookedAt } = row
  return {
    project: readText(row, 'project'),
    since: readInteger(row, 'since'),
    sha256: readText(row, 'sha256'),
    ...(typeof base === 'string' && { base }),
    ...(typeof etag === 'string' && { etag }),
    ...(typeof serial === 'number' && { serial }),
    ...(typeof lookedAt === 'number' && { lookedAt }),
    changes: JSON.parse(readText(row, 'changes')) as Change[],
    isRejected: readInteger(row, 'rejected') === 1,
  }
}

/** One line: why it waits. */
export function describeHeld(changes: readonly Change[]): string {
  return changes.map(describeChange).join('; ')
}

export interface CandidateName {
  readonly project: string
  readonly sha256: string
}

/** The records themselves. */
export class Candidates {
  readonly #files: PrivateFiles

  /** @param directory of the mirror */
  constructor(directory: string) {
    this.#files = new PrivateFiles(join(directory, heldFolder))
  }

  put(name: CandidateName, bytes: Bytes): Promise<void> {
    return this.#files.put(fileName(name), bytes)
  }

  /** `undefined` where it is missing, or is not what was put there. */
  read(name: CandidateName): Bytes | undefined {
    const bytes = this.#files.read(fileName(name))
    return bytes !== undefined && sha256Hex(bytes) === name.sha256 ? bytes : undefined
  }

  remove(name: CandidateName): void {
    this.#files.remove(fileName(name))
  }

  /** What a crash has left behind: files that no row names. */
  sweep(holds: Holds): void {
    const files = this.#files.list()
    if (files.length === 0) return
    const named = new Set(Array.from(holds.walk(), fileName))
    for (const file of files) if (!named.has(file)) this.#files.remove(file)
  }
}

function fileName({ project, sha256 }: CandidateName): string {
  return `${project.slice(0, maxNameLength)}.${sha256}.json`
}
