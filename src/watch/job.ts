/**
 * Something that is done again and again: when it is due, and after a failure how long it waits. What
 * is due later than it can have been put off, because the clock was set back, is due at once.
 */

export type JobName = 'sync' | 'renew'

export interface JobRecord {
  /** ms, each. */
  readonly lastAttempt?: number
  readonly lastSuccess?: number
  readonly nextDue: number
  readonly failuresInARow: number
  readonly lastFailure?: string
  /** Since when another process has been working on the mirror each time. */
  readonly busySince?: number
}

const firstRetryMs = 30_000
const minCapMs = 10 * 60_000
const maxCapMs = 3_600_000
const busyRetryMs = 30_000

export class Job {
  readonly name: JobName
  readonly everyMs: number
  #record: JobRecord

  constructor(name: JobName, everyMs: number, firstDue: number) {
    this.name = name
    this.everyMs = everyMs
    this.#record = { nextDue: firstDue, failuresInARow: 0 }
  }

  get record(): JobRecord {
    return this.#record
  }

  /** ms from now; 0 where it is due. */
  findDelay(now: number): number {
    const longest = Math.max(this.everyMs, maxCapMs)
    if (this.#record.nextDue - now > longest) this.#record = { ...this.#record, nextDue: now }
    return Math.max(0, this.#record.nextDue - now)
  }

  succeed(now: number): void {
    const times = { lastAttempt: now, lastSuccess: now }
    this.#record = { ...times, nextDue: now + this.everyMs, failuresInARow: 0 }
  }

  /** Gives how long (ms) until the next attempt. */
  fail(now: number, reason: string): number {
    const failuresInARow = this.#record.failuresInARow + 1
    const cap = Math.min(maxCapMs, Math.max(minCapMs, this.everyMs))
    const delay = Math.min(cap, firstRetryMs * 2 ** Math.min(20, failuresInARow - 1))
    const { lastSuccess } = this.#record
    this.#record = {
      lastAttempt: now,
      ...(lastSuccess !== undefined && { lastSuccess }),
      nextDue: now + delay,
      failuresInARow,
      lastFailure: reason,
    }
    return delay
  }

  /** Another process holds the mirror: no failure, as long as it does not go on for ever. */
  wait(now: number): number {
    const { busySince = now } = this.#record
    this.#record = { ...this.#record, nextDue: now + busyRetryMs, busySince }
    return busyRetryMs
  }
}
