/**
 * How much may go on at once: so many holders, so many bytes. Who comes first is let in first.
 * A request for more bytes than there are at all is let in when it is alone.
 */

import { UpstreamError } from '../base/errors.ts'

export interface AdmissionLimits {
  readonly maxConcurrent: number
  readonly maxBytes: number
  readonly maxWaiting: number
}

interface Waiter {
  readonly bytes: number
  readonly admit: () => void
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #waiters: Waiter[] = []
  #holders = 0
  #bytes = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** Resolves to the function that gives the place back. Throws UNREACHABLE when too many wait. */
  async enter(bytes: number): Promise<() => void> {
    if (this.#waiters.length > 0 || !this.#hasRoom(bytes)) await this.#wait(bytes)
    else this.#take(bytes)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#leave(bytes)
    }
  }

  #wait(bytes: number): Promise<void> {
    if (this.#waiters.length >= this.#limits.maxWaiting) {
      throw new UpstreamError('UNREACHABLE', 'too many fetches are waiting already', {
        expected: `at most ${this.#limits.maxWaiting} waiting`,
        next: 'Try again in a moment.',
      })
    }
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, admit: resolve })
    })
  }

  #hasRoom(bytes: number): boolean {
    if (this.#holders === 0) return true
    return (
      this.#holders < this.#limits.maxConcurrent && this.#bytes + bytes <= this.#limits.maxBytes
    )
  }

  #take(bytes: number): void {
    this.#holders += 1
    this.#bytes += bytes
  }

  #leave(bytes: number): void {
    this.#holders -= 1
    this.#bytes -= bytes
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      if (!this.#hasRoom(next.bytes)) return
      this.#waiters.shift()
      this.#take(next.bytes)
      next.admit()
    }
  }
}
