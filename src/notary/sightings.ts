/** When something was last seen of a name. Bounded: the longest unseen are forgotten first. */

import type { Clock } from '../base/clock.ts'

const maxNames = 100_000

export class Sightings {
  readonly #clock: Clock
  /** A Map keeps the order of insertion: the first is the longest unseen. */
  readonly #times = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  put(name: string): void {
    this.#times.delete(name)
    this.#times.set(name, this.#clock())
    for (const oldest of this.#times.keys()) {
      if (this.#times.size <= maxNames) return
      this.#times.delete(oldest)
    }
  }

  drop(name: string): void {
    this.#times.delete(name)
  }

  /** ms; `Infinity` for what was not seen, and where the clock was set back. */
  ageOf(name: string): number {
    const time = this.#times.get(name)
    const age = time === undefined ? Infinity : this.#clock() - time
    return age < 0 ? Infinity : age
  }

  get size(): number {
    return this.#times.size
  }

  countWithin(ms: number): number {
    let count = 0
    for (const name of this.#times.keys()) if (this.ageOf(name) <= ms) count += 1
    return count
  }
}
