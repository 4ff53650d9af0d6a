/**
 * The notary's journal: what was seen and what became of it, append-only. Each entry carries the
 * sha256 of the one before, over its canonical JSON, and timestamp.json signs the newest one.
 *
 * Entries are written in the transaction of the ledger change that they tell of.
 */

import { decodeHex, encodeHex, encodeUtf8 } from '../base/bytes.ts'
import { encodeCanonicalDocument, type Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { readBlob, readInteger, readText, type Database, type Row } from '../store/database.ts'
import { changeKinds, type ChangeKind } from './change-kinds.ts'

/** What is told besides changes of a project. */
const actKinds = [
  /** Held changes that a person has approved, or refused. */
  'approved',
  'rejected',
  /** The index does not show any more what was held. */
  'hold-ended',
  /** What the index shows otherwise than it is signed: a person has looked into it. */
  'acknowledged',
  'serial-back',
  /** A file that was downloaded to compare it with what is signed of it. */
  'file-differs',
  'index-unreachable',
  'index-reachable',
  /** PEP 480: who may sign a project, what its owners signed, and what was withdrawn whoever signed it. */
  'claim-added',
  'owner-signed',
  'claim-promoted',
  'claim-removed',
  'denied',
  'deny-lifted',
  /** A database from a backup: `first` to `last` were written and are lost. */
  'entries-missing',
] as const

export type JournalKind = ChangeKind | (typeof actKinds)[number]

export const journalKinds: readonly JournalKind[] = [...changeKinds, ...actKinds]

export interface JournalEvent {
  readonly kind: JournalKind
  /** Normalized. */
  readonly project?: string
  readonly detail: Readonly<Record<string, Json>>
}

/** The newest entry; sequence 0 before the first. */
export interface JournalHead {
  readonly sequence: number
  readonly sha256: string
}

export interface JournalEntry extends JournalHead {
  /** ms, whole seconds. */
  readonly time: number
  /** The sha256 of the entry before. */
  readonly prev: string
  /** As it was written: a kind of a newer program, too. */
  readonly kind: string
  readonly project?: string
  /** Canonical JSON of an object. */
  readonly detail: string
}

export interface JournalFilter {
  readonly project?: string
  readonly kinds?: readonly string[]
  /** ms */
  readonly since?: number
}

export const noEntryBefore: JournalHead = { sequence: 0, sha256: '0'.repeat(64) }

export class Journal {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  head(): JournalHead {
    const sql = 'SELECT sequence, digest FROM journal ORDER BY sequence DESC LIMIT 1'
    const row = this.#database.get(sql)
    return row === undefined ? noEntryBefore : readHead(row)
  }

  /** Within a transaction, that of what the events tell of. */
  append(events: readonly JournalEvent[], now: number): void {
    let before = this.head()
    for (const event of events) before = this.#put(before, event, now)
  }

  /**
   * For a database that has forgotten entries which were signed: goes on from the signed head, and
   * says so. Within a transaction.
   */
  skipTo(head: JournalHead, now: number): void {
    const first = this.head().sequence + 1
    // Its predecessor is not here: it names it itself.
    const detail = { first, last: head.sequence, prev: head.sha256 }
    this.#put(head, { kind: 'entries-missing', detail }, now)
  }

  /** For entries that are here again, from what was published. They must follow the newest one. */
  restore(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#insert(entry)
  }

  #put(before: JournalHead, { kind, project, detail }: JournalEvent, now: number): JournalHead {
    const entry = {
      sequence: before.sequence + 1,
      time: Math.floor(now / 1000) * 1000,
      prev: before.sha256,
      kind,
      ...(project !== undefined && { project }),
      detail: encodeCanonicalDocument(detail),
    }
    const sha256 = digestEntry(entry)
    this.#insert({ ...entry, sha256 })
    return { sequence: entry.sequence, sha256 }
  }

  #insert(entry: JournalEntry): void {
    const { sequence, time, kind, detail, sha256 } = entry
    const project = entry.project ?? null
    const sql = `INSERT INTO journal (sequence, time, project, kind, detail, digest)
       VALUES (?, ?, ?, ?, ?, ?)`
    const digest = decodeHex(sha256) ?? new Uint8Array()
    this.#database.run(sql, sequence, time, project, kind, detail, digest)
  }

  /** The digest of one entry; `undefined` where there is none of this number. */
  findDigest(sequence: number): string | undefined {
    if (sequence === 0) return noEntryBefore.sha256
    const row = this.#database.get('SELECT digest FROM journal WHERE sequence = ?', sequence)
    return row === undefined ? undefined : encodeHex(readBlob(row, 'digest'))
  }

  /** The newest entry of a project. */
  findLast(project: string): JournalEntry | undefined {
    const sql = 'SELECT * FROM journal WHERE project = ? ORDER BY sequence DESC LIMIT 1'
    const row = this.#database.get(sql, project)
    return row === undefined ? undefined : readEntry(row, '')
  }

  /** In order; `prev` is right where nothing was filtered out, as it is in `walk`. */
  *list({ project, kinds, since = 0 }: JournalFilter): Generator<JournalEntry, void> {
    const [clause, values] =
      project === undefined ? (['', []] as const) : (['AND project = ?', [project]] as const)
    const wanted = kinds === undefined ? undefined : new Set(kinds)
    const sql = `SELECT * FROM journal WHERE time >= ? ${clause} ORDER BY sequence`
    for (const row of this.#database.iterate(sql, since, ...values)) {
      if (wanted?.has(readText(row, 'kind')) ?? true) yield readEntry(row, '')
    }
  }

  /** `first` to `last`, each with its predecessor's digest. */
  *walk(first: number, last: number): Generator<JournalEntry, void> {
    let prev = this.findDigest(first - 1) ?? ''
    const sql = 'SELECT * FROM journal WHERE sequence BETWEEN ? AND ? ORDER BY sequence'
    for (const row of this.#database.iterate(sql, first, last)) {
      const entry = readEntry(row, prev)
      yield entry
      prev = entry.sha256
    }
  }
}

/** The canonical form that is hashed; with the digest left out, which the next entry carries. */
export function renderEntry(entry: Omit<JournalEntry, 'sha256'>): string {
  const { sequence, time, prev, kind, project, detail } = entry
  return encodeCanonicalDocument({
    prev,
    ...(JSON.parse(detail) as Record<string, Json>),
    sequence,
    time: formatUtcSeconds(time),
    kind,
    ...(project !== undefined && { project }),
  })
}

export function digestEntry(entry: Omit<JournalEntry, 'sha256'>): string {
  return sha256Hex(encodeUtf8(renderEntry(entry)))
}

function readHead(row: Row): JournalHead {
  return { sequence: readInteger(row, 'sequence'), sha256: encodeHex(readBlob(row, 'digest')) }
}

function readEntry(row: Row, prev: string): JournalEntry {
  const { project } = row
  return {
    ...readHead(row),
    time: readInteger(row, 'time'),
    prev,
    kind: readText(row, 'kind'),
    ...(typeof project === 'string' && { project }),
    detail: readText(row, 'detail'),
  }
}
