/**
 * The floor under which an upstream is too slow (slow retrieval attack): so many bytes in each
 * window of time. Time in which we ourselves did not read does not count. No clock of its own.
 */

export interface ThroughputLimits {
  readonly minBytesPerSecond: number
  readonly windowMs: number
}

export class ThroughputMeter {
  readonly #limits: ThroughputLimits
  #windowBytes = 0
  /** Reading time in this window before `#readingSince`. */
  #windowMs = 0
  #readingSince: number | undefined

  constructor(limits: ThroughputLimits, now: number) {
    this.#limits = limits
    this.#readingSince = now
  }

  addBytes(count: number): void {
    this.#windowBytes += count
  }

  pause(now: number): void {
    this.#windowMs += this.#sinceReading(now)
    this.#readingSince = undefined
  }

  resume(now: number): void {
    this.#readingSince ??= now
  }

  /** Bytes per second of a window that fell under the floor; `undefined` while all is well. */
  findTooSlow(now: number): number | undefined {
    const elapsedMs = this.#windowMs + this.#sinceReading(now)
    if (elapsedMs < this.#limits.windowMs) return undefined
    const rate = (this.#windowBytes * 1000) / elapsedMs
    this.#startWindow(now)
    return rate < this.#limits.minBytesPerSecond ? rate : undefined
  }

  #startWindow(now: number): void {
    this.#windowBytes = 0
    this.#windowMs = 0
    if (this.#readingSince !== undefined) this.#readingSince = now
  }

  #sinceReading(now: number): number {
    return this.#readingSince === undefined ? 0 : now - this.#readingSince
  }
}
