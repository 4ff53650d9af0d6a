/**
 * How hard one server is pressed: faults that pass are tried again a bounded number of times, and
 * when it asks for a pause (429, 503) every request waits, not only the one that was told.
 * A server that goes on asking, or for longer than anybody can wait, is left alone.
 */

import { formatSpan, type Clock } from '../base/clock.ts'
import { UpstreamError } from '../base/errors.ts'
import { BadStatusError } from './failure.ts'
import type { IndexSource } from './index-client.ts'
import { isPassingFault } from './retry.ts'

export interface PaceLimits {
  /** Further tries of one request. */
  readonly retries: number
  readonly baseDelayMs: number
  /** The longest pause that is kept; who asks for a longer one is not asked again before its end. */
  readonly maxPauseMs: number
  /** Pauses in a row, without one good answer in between. */
  readonly maxPauses: number
}

const defaultPaceLimits: PaceLimits = {
  retries: 4,
  baseDelayMs: 500,
  maxPauseMs: 5 * 60_000,
  maxPauses: 5,
}

export interface PaceOptions {
  readonly limits?: Partial<PaceLimits>
  /** Milliseconds that never jump. */
  readonly now: Clock
  readonly sleep: (milliseconds: number) => Promise<void>
}

export class RequestPace {
  readonly #limits: PaceLimits
  readonly #now: Clock
  readonly #sleep: PaceOptions['sleep']
  #pausedUntil = -Infinity
  /** Counts up with each pause: answers to requests from before it belong to the same one. */
  #generation = 0
  #pausesInRow = 0
  #isClosed = false

  constructor({ limits, now, sleep }: PaceOptions) {
    this.#limits = { ...defaultPaceLimits, ...limits }
    this.#now = now
    this.#sleep = sleep
  }

  /** No jitter: one process asks, and its parallel requests are spread by their own answers. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      await this.#waitForTurn()
      const generation = this.#generation
      try {
        const result = await attempt()
        this.#pausesInRow = 0
        return result
      } catch (error) {
        if (isPauseAsked(error)) this.#pause(error, generation)
        if (tries >= this.#limits.retries || !isPassingFault(error)) throw error
        if (!isPauseAsked(error)) await this.#sleep(this.#limits.baseDelayMs * 2 ** tries)
      }
    }
  }

  async #waitForTurn(): Promise<void> {
    // What ends one pause may find the next one.
    for (;;) {
      const left = this.#pausedUntil - this.#now()
      if (left <= 0) {
        this.#isClosed = false
        return
      }
      if (this.#isClosed) throw refuseToPress(left)
      await this.#sleep(left)
    }
  }

  #pause({ retryAfterMs }: BadStatusError, generation: number): void {
    const { baseDelayMs, maxPauseMs, maxPauses } = this.#limits
    const isNew = generation === this.#generation
    if (isNew) {
      this.#generation += 1
      this.#pausesInRow += 1
    }
    const ownMs = Math.min(maxPauseMs, baseDelayMs * 2 ** this.#pausesInRow)
    const pauseMs = retryAfterMs ?? ownMs
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + pauseMs)
    if (pauseMs <= maxPauseMs && this.#pausesInRow <= maxPauses) return
    this.#isClosed = true
    this.#pausesInRow = 0
  }
}

/** RFC 6585 4 and RFC 9110 15.6.4: 429 always, 503 where it says when. */
function isPauseAsked(error: unknown): error is BadStatusError {
  if (!(error instanceof BadStatusError)) return false
  return error.status === 429 || (error.status === 503 && error.retryAfterMs !== undefined)
}

function refuseToPress(leftMs: number): UpstreamError {
  return new UpstreamError(
    'UNREACHABLE',
    `the index asks not to be asked for another ${formatSpan(leftMs)}`,
    {
      found: 'Retry-After',
      next: 'Sync again later, with a smaller --parallel if it goes on; what was seen is kept.',
    },
  )
}

/** The same index, at this pace. */
export function paceIndex(source: IndexSource, pace: RequestPace): IndexSource {
  return {
    name: source.name,
    fetchProject: (project, known) => pace.run(() => source.fetchProject(project, known)),
    fetchProjectList: (known) => pace.run(() => source.fetchProjectList(known)),
    findSize: (url) => pace.run(() => source.findSize(url)),
    hashFile: (url) => pace.run(() => source.hashFile(url)),
    fetchFile: (url, sink) => pace.run(() => source.fetchFile(url, sink)),
  }
}
