/**
 * When the signed list is checked again: in the background while there is traffic, waited for when
 * the last check is long ago, and without fail when nothing usable is there (product rule
 * "freshness"). It does not know what a refresh does.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'

export interface RefreshTiming {
  /** Checked again in the background after this. */
  readonly refreshMs: number
  /** A request waits for the check after this. */
  readonly recheckMs: number
  /** But not longer than this after it began, while the list that is there is usable. */
  readonly patienceMs: number
  /** After a failed check the next one waits this long. */
  readonly retryMs: number
}

export class RefreshSchedule {
  readonly #refresh: () => Promise<void>
  readonly #timing: RefreshTiming
  readonly #clock: Clock
  #running: Promise<void> | undefined
  #startedAt: number | undefined
  #checkedAt: number | undefined
  #failure: { readonly at: number; readonly error: unknown } | undefined

  constructor(refresh: () => Promise<void>, timing: RefreshTiming, clock: Clock) {
    this.#refresh = refresh
    this.#timing = timing
    this.#clock = clock
  }

  /** Since when every check has failed; `undefined` where the last one did not. */
  get failingSince(): number | undefined {
    return this.#failure === undefined ? undefined : (this.#checkedAt ?? this.#failure.at)
  }

  /** Throws what the refresh throws, but only where there is nothing usable without it. */
  async ensure(isUsable: () => boolean): Promise<void> {
    if (!isUsable()) return this.#runUnlessJustFailed()
    const age = this.#age(this.#checkedAt)
    if (age < this.#timing.refreshMs || this.#age(this.#failure?.at) < this.#timing.retryMs) return
    // A failed check was reported where it failed; the list that is there stays in force.
    const check = this.run().catch(() => undefined)
    if (age >= this.#timing.recheckMs) await this.#waitPatiently(check)
  }

  /** One refresh at a time, however many ask. */
  run(): Promise<void> {
    if (this.#running !== undefined) return this.#running
    this.#startedAt = this.#clock()
    this.#running = this.#runOnce().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Resolves once nothing runs, however it ends. */
  async settle(): Promise<void> {
    await this.#running?.catch(() => undefined)
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#refresh()
      this.#checkedAt = this.#clock()
      this.#failure = undefined
    } catch (error) {
      this.#failure = { at: this.#clock(), error }
      throw error
    }
  }

  async #runUnlessJustFailed(): Promise<void> {
    const failure = this.#failure
    if (this.#running === undefined && failure !== undefined) {
      if (this.#age(failure.at) < this.#timing.retryMs) throw failure.error
    }
    await this.run()
  }

  /** Of one slow check all requests together wait so long, not each of them anew. */
  async #waitPatiently(check: Promise<void>): Promise<void> {
    const leftMs = this.#timing.patienceMs - this.#age(this.#startedAt)
    if (leftMs <= 0) return
    const patience = new AbortController()
    const timeout = sleep(leftMs, undefined, {
      signal: patience.signal,
      ref: false,
    })
    await Promise.race([check, timeout.catch(() => undefined)])
    patience.abort()
  }

  /** A clock that was set back makes everything old: better one check too many. */
  #age(time: number | undefined): number {
    const age = time === undefined ? Infinity : this.#clock() - time
    return age < 0 ? Infinity : age
  }
}
