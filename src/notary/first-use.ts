/**
 * Records with trust on first use: what the notary remembers, through the same verification as any
 * mirror's, and how long a request waits for the notary to look again.
 *
 * A project that was never seen is waited for; one that was is served from what was seen first.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { isTufgateError, RequestError, UpstreamError } from '../base/errors.ts'
import type { FoundRecord, Repository } from '../client/repository.ts'
import { restateFailure } from './restate-failure.ts'
import type { Notary, Outcome } from './notary.ts'
import { Sightings } from './sightings.ts'

export interface FirstUseOptions {
  readonly index: string
  /** Where what was seen is kept. */
  readonly folder: string
  readonly notary: Notary
  readonly repository: Repository
  readonly clock: Clock
  readonly patience?: Partial<Patience>
}

/** How long a request waits for the index; ms. */
export interface Patience {
  /** While what was seen before could be served. */
  readonly known: number
  /** For what was never seen: pip gives up after 15 s of silence. */
  readonly first: number
}

/** How many projects were asked for, and what was done for them. */
export interface FirstUseCounts {
  /** Nothing was known of them. */
  readonly first: number
  /** The index was compared with what it had shown before. */
  readonly compared: number
  /** The index did not answer: served from what was seen before. */
  readonly unasked: number
}

/** After this the index is asked again, with each request for a page. */
const recheckMs = 60_000
const defaultPatience: Patience = { known: 3000, first: 12_000 }
/** The index did not answer just now: nobody waits for it while there is something to serve. */
const downMs = 30_000
const maxRefreshes = 5

export class FirstUse {
  readonly #options: FirstUseOptions
  readonly #patience: Patience
  readonly #sights: Readonly<Record<'first' | 'compared' | 'unasked', Sightings>>
  #unansweredAt = -Infinity

  constructor(options: FirstUseOptions) {
    this.#options = options
    this.#patience = { ...defaultPatience, ...options.patience }
    const { clock } = options
    this.#sights = {
      first: new Sightings(clock),
      compared: new Sightings(clock),
      unasked: new Sightings(clock),
    }
  }

  get counts(): FirstUseCounts {
    const { first, compared, unasked } = this.#sights
    return {
      first: first.size,
      compared: compared.size,
      unasked: unasked.size,
    }
  }

  /**
   * `undefined` where the index says that there is no such project: that is not proven.
   * Throws VerifyError, UpstreamError or StorageError.
   */
  async findRecord(project: string, purpose: 'page' | 'file'): Promise<FoundRecord | undefined> {
    try {
      const kept = await this.#findKept(project)
      if (kept === undefined) return await this.#findFirst(project)
      const looking = this.#lookAgain(project)
      if (looking === undefined || purpose === 'file') return kept
      await this.#waitFor(looking, this.#isDown() ? 0 : this.#patience.known)
      return (await this.#findKept(project)) ?? kept
    } catch (error) {
      const { index, folder } = this.#options
      throw restateFailure(error, { index, folder, project })
    }
  }

  /** The record as it is now; `undefined` where there is none, or nothing may be served at all. */
  async #findKept(project: string): Promise<FoundRecord | undefined> {
    const { notary, repository } = this.#options
    if (!notary.isKnown(project)) return undefined
    await this.#refresh()
    if (this.#isExpired()) {
      // Nobody was here to renew it, as when a laptop slept; how long ago the index was seen stays.
      await notary.renew()
      await this.#refresh()
    }
    return repository.isUsable() ? repository.findRecord(project) : undefined
  }

  #isExpired(): boolean {
    try {
      this.#options.repository.requireUsable()
      return false
    } catch (error) {
      return isTufgateError(error) && error.code === 'EXPIRED'
    }
  }

  /** This process or another one has signed since. */
  async #refresh(): Promise<void> {
    const { notary, repository } = this.#options
    const { timestamp } = notary
    // A refresh that is under way may have begun before the publication.
    for (let tries = 0; tries < maxRefreshes; tries += 1) {
      if ((repository.trust.timestamp ?? 0) >= timestamp) return
      await repository.refresh().catch(ignoreUnusable)
    }
  }

  async #findFirst(project: string): Promise<FoundRecord | undefined> {
    const { notary, repository } = this.#options
    const isFirst = !notary.isKnown(project)
    const looking = this.#look(project, isFirst)
    // Whoever has waited too long is gone when it fails.
    looking.catch(() => undefined)
    try {
      const waited = await this.#waitFor(looking, this.#patience.first)
      if (waited === 'late') throw this.#describeLate(project)
      if ((await looking) === 'absent') return undefined
    } catch (error) {
      // That what is there is too old is the reason even when what failed is the look.
      if (!isFirst && error instanceof UpstreamError) repository.requireUsable()
      throw error
    }
    await this.#refresh()
    return (await repository.findRecord(project)) ?? refuseHeld(project)
  }

  /** `undefined` where the last look is young enough. */
  #lookAgain(project: string): Promise<Outcome> | undefined {
    if (this.#options.notary.ageOf(project) < recheckMs) return undefined
    const looking = this.#look(project, false)
    looking.catch(() => undefined)
    return looking
  }

  async #look(project: string, isFirst: boolean): Promise<Outcome> {
    try {
      const outcome = await this.#options.notary.look(project)
      this.#unansweredAt = -Infinity
      if (outcome === 'seen') this.#count(isFirst ? 'first' : 'compared', project)
      return outcome
    } catch (error) {
      if (error instanceof UpstreamError) this.#unansweredAt = this.#options.clock()
      this.#count('unasked', project)
      throw error
    }
  }

  /** A project counts once, as what it was at first. */
  #count(sight: 'first' | 'compared' | 'unasked', project: string): void {
    const { first, compared, unasked } = this.#sights
    const isCounted = first.ageOf(project) < Infinity || compared.ageOf(project) < Infinity
    if (isCounted) return
    if (sight !== 'unasked') unasked.drop(project)
    this.#sights[sight].put(project)
  }

  #isDown(): boolean {
    const age = this.#options.clock() - this.#unansweredAt
    return age >= 0 && age < downMs
  }

  /** Never longer than that; what is waited for goes on. Throws only what a first look throws. */
  async #waitFor(looking: Promise<Outcome>, ms: number): Promise<'done' | 'late'> {
    const patience = new AbortController()
    const late = sleep(ms, 'late' as const, { signal: patience.signal, ref: false })
    const done = looking.then(
      () => 'done' as const,
      () => 'done' as const,
    )
    try {
      return await Promise.race([done, late])
    } finally {
      patience.abort()
      late.catch(() => undefined)
    }
  }

  #describeLate(project: string): UpstreamError {
    const { index } = this.#options
    const message = `${index} has not answered for project ${project} yet; it is seen for the first time`
    return new UpstreamError('TIMED_OUT', message, {
      url: index,
      next: 'Ask again in a moment: the look goes on.',
    })
  }
}

/** The index has it, and the policy of the journal did not let it in. */
function refuseHeld(project: string): never {
  throw new RequestError('NOT_SIGNED', `project ${project} is held for a person`, {
    next: 'The log of the proxy says why, and how to accept it.',
  })
}

/** What is not usable is said where the record is asked for. */
function ignoreUnusable(error: unknown): void {
  if (!isTufgateError(error)) throw error
}
