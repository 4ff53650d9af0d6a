/**
 * The embedded notary: looks at a project of the index when somebody asks for it, and has the mirror's
 * own machinery merge, judge and sign what it saw, under its lock. Trust on first use.
 *
 * One look at a time for a project; what was looked at at about the same time is published together.
 * Who waits for a look, and for how long, is not decided here.
 */

import type { Clock } from '../base/clock.ts'
import { isTufgateError, VerifyError } from '../base/errors.ts'
import { Admission } from '../client/admission.ts'
import { buildHostCheck } from '../mirror/host-check.ts'
import { completeHashes, hasAllDigests } from '../mirror/complete-hashes.ts'
import type { FetchedPage, IndexPort } from '../mirror/index-port.ts'
import type { OnlineSigners } from '../mirror/online-signers.ts'
import { shareMirror, type Mirror, type SharedMirror } from '../mirror/open-mirror.ts'
import { isUnanswered } from '../mirror/look-failures.ts'
import { noteOutage } from '../mirror/outage.ts'
import { publishMirror } from '../mirror/publish.ts'
import type { MirrorEvent } from '../mirror/report.ts'
import { settings, type SettingStore } from '../mirror/settings.ts'
import { explainLoss, requireNotary, type NotaryPlace } from './notary-folder.ts'
import type { Answer } from './prefetched-index.ts'
import { PublicationQueue, refuseClosed, type PublicationParts } from './publication-queue.ts'
import { prepareMirror, type PreparedMirror } from './prepare-mirror.ts'
import { raiseVersions, renewOfflineRoles } from './renew-offline.ts'
import { Sightings } from './sightings.ts'
import { waitWhileBusy } from '../store/wait-while-busy.ts'

export interface NotaryOptions {
  readonly place: NotaryPlace
  readonly index: IndexPort
  readonly clock: Clock
  readonly report: (event: MirrorEvent) => void
}

/** `absent`: the index says that there is no such project, and it was never seen. */
export type Outcome = 'absent' | 'seen'

const looksAtOnce = 16
const maxWaitingLooks = 4096
/** Of an index that tells no sha256: all files of a project, read whole. */
const hashingAtOnce = 4
/** A server that is out of order says 404 too: it counts once it was said twice, so far apart. */
const confirmAbsenceMs = 60_000
const clockToleranceMs = 4 * 60_000
/** How often the signed time of the last answer of the index moves, where nothing else is signed. */
const seenEveryMs = 10 * 60_000

export class Notary {
  readonly #options: NotaryOptions
  readonly #mirror: SharedMirror
  readonly #signers: OnlineSigners
  readonly #asking = admit(looksAtOnce)
  readonly #hashing = admit(hashingAtOnce)
  readonly #flights = new Map<string, Promise<Outcome>>()
  readonly #lookedAt: Sightings
  readonly #absentSince: Sightings
  readonly #publications: PublicationQueue
  #renewing: Promise<void> | undefined
  #isClosed = false

  /** Makes what is missing, renews what is due. Throws STORAGE_FAILED where what was seen is lost. */
  static async open(options: NotaryOptions): Promise<Notary> {
    const { place } = options
    await requireNotary(place, options.clock)
    try {
      return await Notary.#openMade(options)
    } catch (error) {
      throw explainLoss(place, error)
    }
  }

  static async #openMade(options: NotaryOptions): Promise<Notary> {
    const { place, index } = options
    const failures = new Map<string, VerifyError>()
    let opened: SharedMirror | undefined
    const clock = (): number => findSigningTime(options.clock(), opened?.memory.settings)
    const report = (event: MirrorEvent): void => {
      if (event.kind === 'failed') {
        failures.set(event.project, new VerifyError('RECORD_REFUSED', event.message))
      }
      options.report(event)
    }
    const mirror = await shareMirror(place.path, { clock, report })
    opened = mirror
    try {
      const prepared = await waitWhileBusy(() =>
        mirror.use((held) => prepareMirror(held, { index, url: place.index, clock })),
      )
      return new Notary({ ...options, clock }, mirror, { ...prepared, failures })
    } catch (error) {
      mirror.close()
      throw error
    }
  }

  private constructor(
    options: NotaryOptions,
    mirror: SharedMirror,
    prepared: PreparedMirror & { readonly failures: Map<string, VerifyError> },
  ) {
    this.#options = options
    this.#mirror = mirror
    this.#signers = prepared.signers
    const use: PublicationParts['use'] = (work) => this.#use(work)
    this.#publications = new PublicationQueue({ ...prepared, use, clock: options.clock })
    this.#lookedAt = new Sightings(options.clock)
    this.#absentSince = new Sightings(options.clock)
  }

  /** The newest timestamp that is out, whichever process has signed it. */
  get timestamp(): number {
    return this.#mirror.memory.roles.require('timestamp').version
  }

  isKnown(project: string): boolean {
    return this.#mirror.memory.ledger.findProject(project) !== undefined
  }

  /** ms since this process has last had an answer about the project; `Infinity` where it never had. */
  ageOf(project: string): number {
    return this.#lookedAt.ageOf(project)
  }

  countProjects(): number {
    return this.#mirror.memory.ledger.countProjects()
  }

  /** A page of all that was ever seen, in order. */
  listNames(after: string, limit: number): string[] {
    return this.#mirror.memory.ledger.listNames(after, limit)
  }

  /** The look that is under way, or a new one. Throws UpstreamError and VerifyError. */
  look(project: string): Promise<Outcome> {
    const running = this.#flights.get(project)
    if (running !== undefined) return running
    const flight = this.#lookOnce(project).finally(() => this.#flights.delete(project))
    // Nobody may be waiting any more when it fails.
    flight.catch(() => undefined)
    this.#flights.set(project, flight)
    return flight
  }

  /** Signs again what is past half of its life, whatever becomes of the index. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renewOnce(): Promise<void> {
    const { clock } = this.#options
    await this.#use(async (mirror) => {
      await renewOfflineRoles(mirror, clock())
      await publishMirror(mirror, this.#signers, { now: clock(), isTimestampDue: false })
    })
  }

  /** `floors`: what was trusted of it before, which an older copy of its folder does not know. */
  async outrun(floors: ReadonlyMap<string, number>): Promise<void> {
    const { place, clock, report } = this.#options
    const { roles } = this.#mirror.memory
    const isBehind = [...floors].some(
      ([role, floor]) => (roles.find(role)?.version ?? floor) < floor,
    )
    if (!isBehind) return
    await this.#use(async (mirror) => {
      if (!(await raiseVersions(mirror, floors, clock()))) return
      await publishMirror(mirror, this.#signers, { now: clock(), isTimestampDue: true })
    })
    report({
      kind: 'warning',
      message: `${place.path} is an older copy: what was seen first since it was made is not known any more`,
      next: 'If nobody has put a backup back, find out who did this.',
    })
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#publications.close()
    await this.#renewing?.catch(() => undefined)
    this.#mirror.close()
  }

  async #lookOnce(project: string): Promise<Outcome> {
    const answer = await this.#ask(project)
    if (answer.page === 'absent' && !this.isKnown(project)) return 'absent'
    if (!this.#isConfirmed(project, answer)) {
      this.#lookedAt.put(project)
      return 'seen'
    }
    const isNews = answer.page !== 'unchanged' || this.#isUnfinished(project)
    if (isNews || this.#isSeenDue()) await this.#publications.add(project, answer)
    this.#lookedAt.put(project)
    return 'seen'
  }

  #isConfirmed(project: string, { page }: Answer): boolean {
    if (page !== 'absent') {
      this.#absentSince.drop(project)
      return true
    }
    const age = this.#absentSince.ageOf(project)
    if (age < Infinity) return age >= confirmAbsenceMs
    this.#absentSince.put(project)
    const message = `${project}: the index says that there is none any more (404); not proven, so it is asked again before that counts`
    this.#options.report({ kind: 'warning', message })
    return false
  }

  async #ask(project: string): Promise<Answer> {
    const leave = await this.#asking.enter(0)
    let answer: Answer
    try {
      if (this.#isClosed) refuseClosed()
      const { ledger, holds } = this.#mirror.memory
      // What waits for a person is compared with the page that it was made from.
      const { etag: askedWith } = holds.find(project) ?? ledger.findProject(project) ?? {}
      answer = { page: await this.#options.index.fetchPage(project, askedWith), askedWith }
    } catch (error) {
      if (isTufgateError(error) && isUnanswered(error)) this.#noteOutage()
      throw error
    } finally {
      leave()
    }
    const { page, askedWith } = answer
    return typeof page === 'string'
      ? answer
      : { page: await this.#complete(project, page), askedWith }
  }

  /** Before the lock is taken: a large or endless file of one project must not hold up the others. */
  async #complete(project: string, fetched: FetchedPage): Promise<FetchedPage> {
    if (hasAllDigests(fetched.page)) return fetched
    const leave = await this.#hashing.enter(0)
    try {
      if (this.#isClosed) refuseClosed()
      const { index } = this.#options
      const { fileHosts } = index
      const { ledger } = this.#mirror.memory
      const pins = ledger.readPins(project, ledger.findProject(project)?.id)
      const options = { index, fileHosts, isAllowedUrl: buildHostCheck(fileHosts) }
      const { page, isComplete } = await completeHashes(fetched.page, pins, options)
      const { etag: _, ...rest } = fetched
      // What could not be hashed is tried again with the next look, so the page has to come again.
      return { ...(isComplete ? fetched : rest), page }
    } finally {
      leave()
    }
  }

  /** Into the journal, once; that it is over is written with the next look. */
  #noteOutage(): void {
    const { index, clock } = this.#options
    if ((this.#mirror.memory.settings.find(settings.unreachableSince) ?? 0) > 0) return
    const write = (): Promise<void> =>
      this.#use(async (mirror) => noteOutage(mirror, index.name, clock()))
    // Nobody waits for it: what failed is told to whoever asked.
    this.#publications.run(write).catch(() => undefined)
  }

  /** Something waits: for a person, or because a process was killed before it could publish. */
  #isUnfinished(project: string): boolean {
    const { holds, roles } = this.#mirror.memory
    return holds.find(project) !== undefined || roles.countDirty() > 0
  }

  #isSeenDue(): boolean {
    const seenAt = this.#mirror.memory.settings.find(settings.indexSeenAt) ?? 0
    return this.#options.clock() - seenAt >= seenEveryMs
  }

  #use<T>(work: (mirror: Mirror) => Promise<T>): Promise<T> {
    return waitWhileBusy(() => this.#mirror.use(work))
  }
}

/**
 * A clock that was set back by a little, as it is all the time, must not stop what is signed in order:
 * clients of this list accept a signed time that is 5 minutes ahead.
 */
function findSigningTime(now: number, kept: SettingStore | undefined): number {
  const last = kept?.find(settings.lastSignedAt) ?? 0
  return now < last && last - now <= clockToleranceMs ? last : now
}

function admit(maxConcurrent: number): Admission {
  const maxBytes = Number.MAX_SAFE_INTEGER
  return new Admission({ maxConcurrent, maxBytes, maxWaiting: maxWaitingLooks })
}
