/**
 * `mirror watch`: syncs and renews a mirror on intervals until it is told to stop. One thing at a time,
 * each under the mirror's lock for as long as it takes, so that people can work on the mirror too.
 * A failure is said, and tried again later and later; nothing ends the watch but its signal.
 */

import { join } from 'node:path'
import { formatSpan } from '../base/clock.ts'
import { describeError, isTufgateError, StorageError } from '../base/errors.ts'
import type { OpenIndex } from '../mirror/index-choice.ts'
import { readMirror, type MirrorContext } from '../mirror/open-mirror.ts'
import { renewMirror } from '../mirror/renew.ts'
import { dayMs, settings } from '../mirror/settings.ts'
import { syncMirror, type SyncResult, type SyncRound } from '../mirror/sync.ts'
import { acquireLock, type Lock } from '../store/lock.ts'
import { writeHealth } from './health-file.ts'
import { judgeHealth, type Health, type WatchRecord } from './health.ts'
import { Job, type JobName } from './job.ts'
import { makeStoppable, StoppedError } from './stoppable-index.ts'

export type WatchLevel = 'info' | 'warning' | 'error'

export interface WatchOptions extends MirrorContext {
  readonly directory: string
  readonly openIndex: OpenIndex
  /** Asked anew for each sync: settings are edited while the watch runs. */
  readonly readRound: () => SyncRound
  readonly syncEveryMs: number
  /** Default: a 24th of the life of a timestamp. */
  readonly renewEveryMs?: number
  readonly signal: AbortSignal
  /** Ends early where the signal says so, without an error. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly log: (level: WatchLevel, message: string) => void
  /** Of this program. */
  readonly version: string
}

/** A clock that jumps must not let a round be missed for long. */
const maxSleepMs = 60_000
const minRenewMs = 60_000
const maxRenewMs = dayMs / 4

/** Throws only before its first round: where there is no mirror, or another watch on it. */
export async function watchMirror(options: WatchOptions): Promise<void> {
  const timestampLifetimeMs = await readMirror(options.directory, ({ settings: store }) =>
    store.require(settings.timestampLifetimeMs),
  )
  const lock = holdWatch(options.directory)
  try {
    await new Watch(options, options.renewEveryMs ?? deriveRenewal(timestampLifetimeMs)).run()
  } finally {
    lock.release()
  }
}

function deriveRenewal(timestampLifetimeMs: number): number {
  return Math.min(maxRenewMs, Math.max(minRenewMs, timestampLifetimeMs / 24))
}

/** Two would ask the index twice as often, and write over each other's health.json. */
function holdWatch(directory: string): Lock {
  try {
    return acquireLock(join(directory, 'watch.lock'))
  } catch (error) {
    if (!isTufgateError(error) || error.code !== 'STATE_BUSY') throw error
    const { found = 'another process' } = error.facts
    throw new StorageError('STATE_BUSY', `Another watch works on ${directory}: ${found}`, {
      next: 'One is enough. Stop that one first, if this one is to take its place.',
      cause: error,
    })
  }
}

class Watch {
  readonly #options: WatchOptions
  readonly #jobs: Readonly<Record<JobName, Job>>
  #running: { readonly job: JobName; readonly since: number } | undefined
  #state: Health['state'] = 'ok'

  constructor(options: WatchOptions, renewEveryMs: number) {
    this.#options = options
    const now = options.clock()
    this.#jobs = {
      sync: new Job('sync', options.syncEveryMs, now),
      renew: new Job('renew', renewEveryMs, now + renewEveryMs),
    }
  }

  async run(): Promise<void> {
    const { signal, sleep, clock, log } = this.#options
    const { sync, renew } = this.#jobs
    log(
      'info',
      `watching ${this.#options.directory}: sync every ${formatSpan(sync.everyMs)}, renew every ${formatSpan(renew.everyMs)}`,
    )
    while (!signal.aborted) {
      const now = clock()
      const [first, second] = [sync, renew].map((job) => ({ job, delay: job.findDelay(now) }))
      const next =
        first !== undefined && first.delay <= (second?.delay ?? Infinity) ? first : second
      if (next === undefined) return
      if (next.delay > 0) await sleep(Math.min(next.delay, maxSleepMs), signal)
      else await this.#runJob(next.job)
    }
    await this.#writeHealth(true)
    log('info', 'stopped; what is published stays valid until it expires')
  }

  async #runJob(job: Job): Promise<void> {
    const { clock, signal, log } = this.#options
    this.#running = { job: job.name, since: clock() }
    await this.#writeHealth(false)
    try {
      await (job.name === 'sync' ? this.#sync() : this.#renew())
      job.succeed(clock())
    } catch (error) {
      if (error instanceof StoppedError && signal.aborted) log('info', `sync ${error.message}`)
      else this.#takeFailure(job, error)
    }
    this.#running = undefined
    if (!signal.aborted) await this.#writeHealth(false)
  }

  #takeFailure(job: Job, error: unknown): void {
    const { clock, log } = this.#options
    const now = clock()
    const isBusy = isTufgateError(error) && error.code === 'STATE_BUSY'
    const delay = isBusy ? job.wait(now) : job.fail(now, describeError(error))
    const again = `${job.name} is tried again in ${formatSpan(delay)}`
    log(isBusy ? 'info' : 'error', `${describeFailure(error)}\n${again}`)
  }

  async #sync(): Promise<void> {
    const { directory, clock, report, check, openIndex, readRound, signal } = this.#options
    const result = await syncMirror({
      ...readRound(),
      directory,
      clock,
      report,
      ...(check !== undefined && { check }),
      openIndex: makeStoppable(openIndex, signal),
    })
    this.#options.log('info', describeRound(result))
    if (!result.isIndexSeen && result.lookedAt > 0)
      throw new Error('the index could not be seen as a whole')
  }

  async #renew(): Promise<void> {
    const { directory, clock, report, check, openIndex, signal } = this.#options
    const { published } = await renewMirror({
      directory,
      clock,
      report,
      ...(check !== undefined && { check }),
      openIndex: makeStoppable(openIndex, signal),
    })
    if (published !== undefined)
      this.#options.log('info', `renewed: timestamp ${published.timestamp}, ${published.bins} bins`)
  }

  /** That it cannot be written is said, and no reason to stop signing. */
  async #writeHealth(isStopped: boolean): Promise<void> {
    const { directory, clock, log, version } = this.#options
    const now = clock()
    const watch: WatchRecord = {
      version,
      writtenAt: now,
      isStopped,
      ...(this.#running !== undefined && { running: this.#running }),
      sync: this.#jobs.sync.record,
      renew: this.#jobs.renew.record,
    }
    try {
      const health = await readMirror(directory, (memory) =>
        judgeHealth(memory, watch, { now, directory }),
      )
      await writeHealth(directory, health)
      if (!isStopped) this.#sayChange(health)
    } catch (error) {
      log('error', `health.json is not up to date: ${describeError(error)}`)
    }
  }

  #sayChange({ state, problems }: Health): void {
    if (state === this.#state) return
    this.#state = state
    const reasons = problems.map(({ message, next }) => `${message}. ${next}`)
    const level = state === 'ok' ? 'info' : state === 'warning' ? 'warning' : 'error'
    this.#options.log(level, [`the mirror is ${state}`, ...reasons].join('\n'))
  }
}

function describeRound(result: SyncResult): string {
  const { lookedAt, changed, failed, held, conflicts, published } = result
  const outcome = published === undefined ? 'nothing published' : `timestamp ${published.timestamp}`
  const inConflict = conflicts === 0 ? '' : `, ${conflicts} in conflict`
  return `synced: ${lookedAt} looked at, ${changed} changed, ${failed} failed, ${held} held${inConflict}; ${outcome}`
}

function describeFailure(error: unknown): string {
  if (!isTufgateError(error)) {
    // A bug has a place; what happened is not enough to find it.
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const { next } = error.facts
  return next === undefined ? error.message : `${error.message}\n${next}`
}
