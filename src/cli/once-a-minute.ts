/** Keeps lines that a client can cause down to one a minute for each thing that they are about. */

import type { Clock } from '../base/clock.ts'

const quietMs = 60_000
/** More different ones within a minute are made up, and worth no line each. */
const maxKeys = 256

export class OnceAMinute {
  readonly #clock: Clock
  /** In the order of time. */
  readonly #saidAt = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether it is due, and takes it for said. */
  isDue(key: string): boolean {
    const now = this.#clock()
    for (const [old, saidAt] of this.#saidAt) {
      if (now >= saidAt && now - saidAt < quietMs) break
      this.#saidAt.delete(old)
    }
    if (this.#saidAt.has(key) || this.#saidAt.size >= maxKeys) return false
    this.#saidAt.set(key, now)
    return true
  }
}
