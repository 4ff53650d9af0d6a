/** How long things took, as numbers by upper bound: a few additions for each, whoever reads it and when. */

const boundsMs = [5, 25, 100, 250, 1000, 2500, 10_000, 30_000, 120_000] as const

export interface DurationCounts {
  /** Each with the number of those that took no longer; the others are in `count` alone. */
  readonly buckets: readonly { readonly maxMs: number; readonly count: number }[]
  readonly count: number
  readonly sumMs: number
}

export class Durations {
  readonly #counts = boundsMs.map(() => 0)
  #count = 0
  #sumMs = 0

  note(ms: number): void {
    this.#count += 1
    this.#sumMs += ms
    const at = boundsMs.findIndex((bound) => ms <= bound)
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  read(): DurationCounts {
    let count = 0
    const buckets = boundsMs.map((maxMs, at) => {
      count += this.#counts[at] ?? 0
      return { maxMs, count }
    })
    return { buckets, count: this.#count, sumMs: this.#sumMs }
  }
}
