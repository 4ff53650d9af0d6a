/**
 * Mirrors in the order of the settings, but for a while those last that made somebody wait in vain:
 * with a mirror that never answers each bin and each record would cost its time out anew.
 *
 * It decides on patience only: what a mirror sends is verified whatever its place.
 */

import type { Clock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { RepositorySource } from './repository-source.ts'
import type { SourceFailure } from './try-in-order.ts'

const lastForMs = 60_000

/** Failures that cost time. What is refused or not there is told at once, and may be there next time. */
const slowCodes: ReadonlySet<ErrorCode> = new Set(['TIMED_OUT', 'TOO_SLOW', 'UNREACHABLE'])

export class MirrorOrder implements Iterable<RepositorySource> {
  readonly #sources: readonly RepositorySource[]
  readonly #clock: Clock
  /** By name: ms. */
  readonly #slowAt = new Map<string, number>()

  constructor(sources: readonly RepositorySource[], clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  /** As it is at the beginning of an attempt. */
  [Symbol.iterator](): Iterator<RepositorySource> {
    const now = this.#clock()
    const isSlow = ({ name }: RepositorySource): boolean => this.#isSlow(name, now)
    const patient = this.#sources.filter((source) => !isSlow(source))
    return [...patient, ...this.#sources.filter(isSlow)].values()
  }

  noteFailure({ source, error }: SourceFailure): void {
    if (slowCodes.has(error.code)) this.#slowAt.set(source, this.#clock())
  }

  /** A clock that was set back forgets. */
  #isSlow(name: string, now: number): boolean {
    const age = now - (this.#slowAt.get(name) ?? -Infinity)
    return age >= 0 && age < lastForMs
  }
}
