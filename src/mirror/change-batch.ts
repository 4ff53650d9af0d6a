/**
 * Looks on their way into the database: files first, made durable together, then the rows that name
 * them in one transaction, with the journal's entries about them. A crash in between leaves files
 * that the next publication clears away, and never a change that the journal does not tell.
 */

import { Candidates, type HeldChange } from './hold.ts'
import type { JournalEvent } from './journal.ts'
import type { SeenProject } from './ledger.ts'
import { buildHoldEvent } from './look-events.ts'
import type { Mirror } from './open-mirror.ts'
import { listKept, listUnreferenced, type StagedChange } from './stage-record.ts'

/** Each holds up to four files open. */
const changesAtOnce = 64
const rowsAtOnce = 1000

/**
 * A first sync of a large index takes hours: what is there by then can be used, and stays. Each time
 * nearly every bin is signed anew, so the next publication waits for as many changes as all before.
 */
const publishAfterChanges = 5000
const publishAfterMs = 5 * 60_000

export interface ChangeBatchOptions {
  /** ms: when the sync began. */
  readonly now: number
  /** Signs and publishes what has been written so far. */
  readonly publish: () => Promise<void>
}

interface Rows {
  readonly changes: StagedChange[]
  readonly seen: SeenProject[]
  readonly holds: HeldChange[]
  readonly ended: HeldChange[]
  readonly events: JournalEvent[]
}

export class ChangeBatch {
  readonly #mirror: Mirror
  readonly #candidates: Candidates
  readonly #now: number
  readonly #publish: () => Promise<void>
  #unpublished = 0
  #published = 0
  #publishedAt: number
  #rows = buildRows()
  #flushing: Promise<void> = Promise.resolve()

  constructor(mirror: Mirror, { now, publish }: ChangeBatchOptions) {
    this.#mirror = mirror
    this.#candidates = new Candidates(mirror.directory)
    this.#now = now
    this.#publish = publish
    this.#publishedAt = now
  }

  /** The files of the change are staged already. Waits for the disk now and then. */
  async add(staged: StagedChange, events: readonly JournalEvent[]): Promise<void> {
    this.#rows.changes.push(staged)
    this.#rows.events.push(...events)
    await this.#flushFull()
  }

  /** Of a look that found nothing: nothing is lost with it but another look. */
  async addSeen(seen: SeenProject): Promise<void> {
    this.#rows.seen.push(seen)
    await this.#flushFull()
  }

  /** Its candidate is on disk already. */
  async addHold(held: HeldChange, events: readonly JournalEvent[]): Promise<void> {
    this.#rows.holds.push(held)
    this.#rows.events.push(...events)
    await this.#flushFull()
  }

  /** What waited does not any more; `event` says why, where nothing else does. */
  endHold(held: HeldChange, event: JournalEvent = buildHoldEvent('hold-ended', held)): void {
    this.#rows.ended.push(held)
    this.#rows.events.push(event)
  }

  async addEvent(event: JournalEvent): Promise<void> {
    this.#rows.events.push(event)
    await this.#flushFull()
  }

  async #flushFull(): Promise<void> {
    const { changes, seen, holds, events } = this.#rows
    const isFull = [seen, holds, events].some((rows) => rows.length >= rowsAtOnce)
    if (isFull || changes.length >= changesAtOnce) await this.flush()
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushOnce())
    return this.#flushing
  }

  async #flushOnce(): Promise<void> {
    // Rows first out of the queue: what is staged after this may not be visible yet.
    const rows = this.#rows
    this.#rows = buildRows()
    if (rows.changes.length > 0) {
      this.#putUnreferenced(rows.changes)
      await this.#mirror.tree.publish()
    }
    if (Object.values(rows).every((list: readonly unknown[]) => list.length === 0)) return
    const replaced = this.#put(rows)
    for (const held of replaced) this.#candidates.remove(held)
    this.#unpublished += rows.changes.length
    if (rows.changes.length > 0) await this.#publishIfDue()
  }

  /** Within the chain of flushes: no row may change between signing and `clearDirty`. */
  async #publishIfDue(): Promise<void> {
    const now = this.#mirror.clock()
    const isDue =
      this.#unpublished >= Math.max(publishAfterChanges, this.#published) ||
      now - this.#publishedAt >= publishAfterMs
    if (!isDue) return
    await this.#publish()
    this.#published += this.#unpublished
    this.#unpublished = 0
    this.#publishedAt = now
  }

  /** Candidates that nothing names any more. */
  #put({ changes, seen, holds, ended, events }: Rows): HeldChange[] {
    const { ledger, journal } = this.#mirror
    const replaced = [...ended]
    ledger.database.transaction(() => {
      // First: of a project that was asked for twice the later look holds.
      for (const project of seen) ledger.putSeen(project)
      for (const { change } of changes) ledger.putChange(change)
      this.#putSuperseded(changes)
      for (const { project } of ended) this.#mirror.holds.remove(project)
      for (const held of holds) replaced.push(...this.#putHold(held))
      journal.append(events, this.#now)
    })
    return replaced
  }

  #putHold(held: HeldChange): HeldChange[] {
    const { project, sha256 } = held
    const before = this.#mirror.holds.find(project)
    this.#mirror.holds.put(held)
    // It is asked for again at the next sync, whatever the index's list says of it.
    this.#mirror.ledger.putSeen({ name: project })
    return before === undefined || before.sha256 === sha256 ? [] : [before]
  }

  /** Until their rows are written: a crash must not leave files that nothing knows of. */
  #putUnreferenced(changes: readonly StagedChange[]): void {
    const { ledger, clock } = this.#mirror
    ledger.database.transaction(() => {
      for (const change of changes) {
        for (const path of listUnreferenced(this.#mirror, change))
          ledger.putSuperseded(path, clock())
      }
    })
  }

  /** From this moment, not from the beginning of a sync that may take days. */
  #putSuperseded(changes: readonly StagedChange[]): void {
    const now = this.#mirror.clock()
    for (const change of changes) {
      const { superseded } = change
      if (superseded !== undefined) this.#mirror.ledger.putSuperseded(superseded, now)
      for (const path of listKept(change)) this.#mirror.ledger.keep(path)
    }
  }
}

function buildRows(): Rows {
  return { changes: [], seen: [], holds: [], ended: [], events: [] }
}
