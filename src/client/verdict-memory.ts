/**
 * What did not match, for a while: a client asks again several times for a refused file, and each
 * time it gets the same answer at once. Then it is forgotten, so that a passing fault heals.
 */

import type { Clock } from '../base/clock.ts'
import type { VerifyError } from '../base/errors.ts'

export class VerdictMemory {
  readonly #clock: Clock
  readonly #keepMs: number
  readonly #maxEntries: number
  /** In the order of their time: the oldest is the first. */
  readonly #verdicts = new Map<string, { readonly error: VerifyError; readonly until: number }>()

  constructor(clock: Clock, keepMs: number, maxEntries: number) {
    this.#clock = clock
    this.#keepMs = keepMs
    this.#maxEntries = maxEntries
  }

  find(key: string): VerifyError | undefined {
    const verdict = this.#verdicts.get(key)
    if (verdict === undefined) return undefined
    // A clock that was set back must not keep a verdict for longer.
    const remainingMs = verdict.until - this.#clock()
    if (remainingMs > 0 && remainingMs <= this.#keepMs) return verdict.error
    this.#verdicts.delete(key)
    return undefined
  }

  put(key: string, error: VerifyError): void {
    this.#verdicts.delete(key)
    this.#verdicts.set(key, { error, until: this.#clock() + this.#keepMs })
    for (const oldest of this.#verdicts.keys()) {
      if (this.#verdicts.size <= this.#maxEntries) return
      this.#verdicts.delete(oldest)
    }
  }
}
