/**
 * Changed projects on their way to disk: files first, made durable together, then the rows that
 * name them in one transaction. A crash in between leaves files that nothing refers to.
 */

import type { ProjectChange, SeenProject } from './ledger.ts'
import type { Mirror } from './open-mirror.ts'

/** Each holds up to four files open. */
const changesAtOnce = 64
const seenAtOnce = 1000

interface Pending {
  readonly change: ProjectChange
  /** Path of the record that this one takes the place of. */
  readonly superseded: string | undefined
  readonly kept: string
}

/** A first sync of a large index takes hours: what is there by then can be used, and stays. */
const publishAfterChanges = 5000
const publishAfterMs = 5 * 60_000

export interface ChangeBatchOptions {
  /** ms: when the sync began. */
  readonly now: number
  /** Signs and publishes what has been written so far. */
  readonly publish: () => Promise<void>
}

export class ChangeBatch {
  readonly #mirror: Mirror
  readonly #now: number
  readonly #publish: () => Promise<void>
  #unpublished = 0
  #publishedAt: number
  #pending: Pending[] = []
  #seen: SeenProject[] = []
  #flushing: Promise<void> = Promise.resolve()

  constructor(mirror: Mirror, { now, publish }: ChangeBatchOptions) {
    this.#mirror = mirror
    this.#now = now
    this.#publish = publish
    this.#publishedAt = now
  }

  /** The files of the change are staged already. Waits for the disk now and then. */
  async add(pending: Pending): Promise<void> {
    this.#pending.push(pending)
    if (this.#pending.length >= changesAtOnce) await this.flush()
  }

  /** Of a look that found nothing: nothing is lost with it but another look. */
  async addSeen(seen: SeenProject): Promise<void> {
    this.#seen.push(seen)
    if (this.#seen.length >= seenAtOnce) await this.flush()
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushOnce())
    return this.#flushing
  }

  async #flushOnce(): Promise<void> {
    // Rows first out of the queue: what is staged after this may not be visible yet.
    const pending = this.#pending
    this.#pending = []
    const seen = this.#seen
    this.#seen = []
    if (seen.length > 0) this.#mirror.ledger.putSeen(seen)
    if (pending.length === 0) return
    this.#putUnreferenced(pending)
    await this.#mirror.tree.publish()
    this.#mirror.ledger.putProjects(
      pending.map(({ change }) => change),
      () => this.#putSuperseded(pending),
    )
    this.#unpublished += pending.length
    await this.#publishIfDue()
  }

  /** Within the chain of flushes: no row may change between signing and `clearDirty`. */
  async #publishIfDue(): Promise<void> {
    const now = this.#mirror.clock()
    const isDue =
      this.#unpublished >= publishAfterChanges || now - this.#publishedAt >= publishAfterMs
    if (!isDue) return
    await this.#publish()
    this.#unpublished = 0
    this.#publishedAt = now
  }

  /** Until their rows are written: a crash must not leave files that nothing knows of. */
  #putUnreferenced(pending: readonly Pending[]): void {
    const { ledger } = this.#mirror
    ledger.database.transaction(() => {
      for (const { kept } of pending) ledger.putSuperseded(kept, this.#now)
    })
  }

  #putSuperseded(pending: readonly Pending[]): void {
    for (const { superseded, kept } of pending) {
      if (superseded !== undefined) this.#mirror.ledger.putSuperseded(superseded, this.#now)
      this.#mirror.ledger.keep(kept)
    }
  }
}
