/**
 * What the index answered, on its way into the mirror: merged, judged, signed and published under its
 * lock, all together that came at about the same time. One batch at a time.
 */

import { UpstreamError, type VerifyError } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { ChosenIndex } from '../mirror/index-choice.ts'
import { defaultRemovalLimits } from '../mirror/change-kinds.ts'
import type { OnlineSigners } from '../mirror/online-signers.ts'
import type { Mirror } from '../mirror/open-mirror.ts'
import { dayMs } from '../mirror/settings.ts'
import { syncOpened } from '../mirror/sync.ts'
import { createPrefetchedIndex, type Answer } from './prefetched-index.ts'
import { Sightings } from './sightings.ts'

export interface PublicationParts {
  readonly signers: OnlineSigners
  readonly chosen: ChosenIndex
  /** Under the lock. */
  readonly use: <T>(work: (mirror: Mirror) => Promise<T>) => Promise<T>
  /** Why a project of the batch under way was not taken, by name. */
  readonly failures: Map<string, VerifyError>
  readonly clock: Clock
}

interface Look {
  readonly project: string
  readonly answer: Answer
  readonly settle: (error?: unknown) => void
}

const batchSize = 64

export class PublicationQueue {
  readonly #parts: PublicationParts
  readonly #vanished: Sightings
  #queue: Look[] = []
  #working: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: PublicationParts) {
    this.#parts = parts
    this.#vanished = new Sightings(parts.clock)
  }

  /** Resolves once it is published. */
  add(project: string, answer: Answer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const settle = (error?: unknown): void => {
      if (error === undefined) resolve()
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what was thrown, as it was
      else reject(error)
    }
    this.#queue.push({ project, answer, settle })
    // One batch at a time; what comes meanwhile is the next one.
    if (this.#queue.length === 1) void this.run(() => this.#drain())
    return promise
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, batchSize)
      this.#queue = this.#queue.slice(batchSize)
      await this.#publishBatch(batch)
    }
  }

  async #publishBatch(batch: readonly Look[]): Promise<void> {
    const { failures, use } = this.#parts
    failures.clear()
    try {
      if (this.#isClosed) refuseClosed()
      await use((mirror) => this.#sync(mirror, batch))
      for (const { project, settle } of batch) settle(failures.get(project))
    } catch (error) {
      for (const { settle } of batch) settle(error)
    }
  }

  async #sync(mirror: Mirror, batch: readonly Look[]): Promise<void> {
    const answers = new Map(batch.map(({ project, answer }) => [project, answer]))
    const { signers, chosen } = this.#parts
    const port = createPrefetchedIndex(chosen.port, answers)
    const removalLimits = { projects: this.#findRemovalLimit() }
    for (const [project, { page }] of answers) {
      const isListed = (mirror.ledger.findProject(project)?.listed ?? 0) > 0
      if (page === 'absent' && isListed) this.#vanished.put(project)
    }
    await syncOpened(
      mirror,
      { signers, index: { ...chosen, port } },
      {
        projects: [...answers.keys()],
        seenAfter: 'any',
        // One at a time or all at once, it is the same removal.
        removalLimits,
      },
    )
  }

  /** How many more projects may vanish today before a person has to look. */
  #findRemovalLimit(): number {
    return Math.max(1, defaultRemovalLimits.projects - this.#vanished.countWithin(dayMs))
  }

  /** Behind what is under way. */
  run(work: () => Promise<void>): Promise<void> {
    const running = this.#working.then(work)
    this.#working = running.catch(() => undefined)
    return running
  }

  /** Resolves when nothing is written any more; what waits is given up. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#working
  }
}

export function refuseClosed(): never {
  throw new UpstreamError('UNREACHABLE', 'the look was given up because tufgate stops', {
    next: 'Try again when it runs again.',
  })
}
