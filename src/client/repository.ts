/**
 * One TUF repository as the proxy uses it: kept fresh, and asked for the record of a project.
 *
 * The trusted set is a value; a refresh makes a new one and swaps the pointer at its end, so that a
 * request sees one consistent snapshot, and a half-failed refresh changes nothing.
 */

import type { Bytes } from '../base/bytes.ts'
import { formatSpan, type Clock } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { isTufgateError, UpstreamError, VerifyError, type TufgateError } from '../base/errors.ts'
import type { Denial } from '../simple/denial.ts'
import { parseProjectListJson } from '../simple/project-list.ts'
import type { ServedPath } from '../simple/record.ts'
import { fileTarget, ownerRole } from '../simple/project-targets.ts'
import type { ProjectRecord } from '../simple/record.ts'
import { findSigners } from '../tuf/delegation.ts'
import { findTarget, type LoadRole } from '../tuf/search.ts'
import type { Signers } from '../tuf/threshold.ts'
import { requireUnexpired } from '../tuf/freshness.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'
import { refreshRoles, refreshRoot, type RefreshLimits } from '../tuf/update.ts'
import { requireFileTarget } from './file-target.ts'
import { MirrorOrder } from './mirror-order.ts'
import { MirrorPort } from './mirror-port.ts'
import { explainOwnerExpiry } from './owner-expiry.ts'
import { RecordFinder, versionsOf, type FoundRecord, type TrustVersions } from './record-finder.ts'
import { RecordLoader, type ContentStore } from './record-loader.ts'
import { RefreshSchedule, type RefreshTiming } from './refresh-schedule.ts'
import type { RepositorySource } from './repository-source.ts'
import { RoleLoader } from './role-loader.ts'
import { loadTrustedState, type LoadedState, type TrustStorage } from './trusted-state.ts'
import { SnapshotHold } from './snapshot-hold.ts'
import { tryInOrder, type SourceFailure } from './try-in-order.ts'

export type { FoundRecord, TrustVersions } from './record-finder.ts'

export interface RepositoryOptions {
  readonly pinnedRoot: Bytes
  /** For messages: the file that it came from. */
  readonly pinnedRootName: string
  readonly sources: readonly RepositorySource[]
  readonly storage: TrustStorage
  readonly content: ContentStore
  /** Target path of a project's record, with `{project}` in it. */
  readonly recordPath: string
  readonly timing: RefreshTiming
  readonly maxUnseenMs: number
  readonly limits: RefreshLimits
  readonly maxRecordBytes: number
  readonly maxDelegations: number
  readonly clock: Clock
  /** One list for all answers, as long as nothing is taken away: see `SnapshotHold`. */
  readonly holdsSnapshot?: boolean
  readonly report: (event: RepositoryEvent) => void
}

export type RepositoryEvent =
  | {
      readonly kind: 'refreshed'
      readonly source: string
      readonly trust: TrustVersions
      /** Set in the last quarter of the list's life, which an honest mirror does not let come: ms. */
      readonly leftMs?: number
    }
  | {
      readonly kind: 'failed'
      /** At the check of the whole list, or when a role or a record was fetched. */
      readonly at: 'refresh' | 'fetch'
      readonly failure: SourceFailure
      /** Whether a list that was trusted before is served from meanwhile. */
      readonly isServing: boolean
      readonly trust: TrustVersions
    }
  | { readonly kind: 'unusable'; readonly error: TufgateError; readonly trust: TrustVersions }

/** What whoever signs a project himself has to know of what is signed now. */
export interface OwnerView {
  /** Of the owner's role, the last that was published; 0 where there was none. */
  readonly version: number
  readonly record?: ProjectRecord
  /** Signed by owners, not by the mirror. */
  readonly isOwned: boolean
  /** Whose signatures clients demand of it now; absent where the mirror signs it. */
  readonly owners?: Signers
  readonly denials: readonly Denial[]
}

export class Repository {
  readonly #options: RepositoryOptions
  readonly #roles: RoleLoader
  readonly #records: RecordLoader
  readonly #finder: RecordFinder
  readonly #hold: SnapshotHold | undefined
  readonly #schedule: RefreshSchedule
  readonly #ports: ReadonlyMap<RepositorySource, MirrorPort>
  readonly #pinnedVersion: number
  #trusted: TrustedSet
  #isSettling = false
  /** Why nothing on disk was usable at the start; gone with the first refresh. */
  #unusable: TufgateError | undefined

  /** Throws VerifyError where the pinned root does not verify. Needs no network. */
  static async open(options: RepositoryOptions): Promise<Repository> {
    const { pinnedRoot, storage, clock, report } = options
    const loaded = await loadTrustedState(pinnedRoot, storage, clock())
    const { trusted, unusable } = loaded
    if (unusable !== undefined)
      report({ kind: 'unusable', error: unusable, trust: versionsOf(trusted) })
    return new Repository(options, loaded)
  }

  private constructor(
    options: RepositoryOptions,
    { trusted, pinnedVersion, unusable }: LoadedState,
  ) {
    const { sources, storage, content, maxRecordBytes, timing, clock } = options
    const { maxTargetsBytes } = options.limits
    const order = new MirrorOrder(sources, clock)
    const onFailure = (failure: SourceFailure): void => {
      order.noteFailure(failure)
      this.#reportFailure(failure, 'fetch')
    }
    this.#pinnedVersion = pinnedVersion
    this.#options = options
    this.#trusted = trusted
    this.#unusable = unusable
    const openRoles = (): RoleLoader => new RoleLoader(order, storage, maxTargetsBytes, onFailure)
    this.#roles = openRoles()
    this.#records = new RecordLoader(order, content, maxRecordBytes, onFailure)
    this.#finder = new RecordFinder(options, this.#roles, this.#records)
    // With roles of its own: what is held stays in memory while a newer list is looked at.
    if (options.holdsSnapshot === true) this.#hold = this.#createHold(openRoles())
    this.#schedule = new RefreshSchedule(() => this.#refresh(), timing, clock)
    this.#ports = new Map(sources.map((source) => [source, this.#createPort(source, storage)]))
  }

  /** Each new root holds at once, though the next one cannot be had: its old keys are dead (TUF 5.3.11). */
  #createPort(source: RepositorySource, storage: TrustStorage): MirrorPort {
    return new MirrorPort(source, storage, (trusted) => {
      this.#trusted = trusted
    })
  }

  #createHold(roles: RoleLoader): SnapshotHold {
    const newer = new RecordFinder(this.#options, roles, this.#records)
    return new SnapshotHold({
      isUsable: (trusted) => this.#findProblem(trusted) === undefined,
      findRecord: async (trusted, project) => (await newer.findRecord(trusted, project))?.record,
    })
  }

  get trust(): TrustVersions {
    return versionsOf(this.#trusted)
  }

  /** As it is now, to be shown. Whoever serves from it asks with `requireFresh`. */
  get shown(): TrustedSet {
    return this.#trusted
  }

  /** Throws VerifyError EXPIRED, CLOCK_WRONG or INDEX_UNSEEN where nothing may be served now. */
  requireUsable(): void {
    this.#requireUsable(this.#trusted)
  }

  #requireUsable(trusted: TrustedSet): void {
    requireUnexpired(trusted, this.#options.clock(), this.#options.maxUnseenMs)
  }

  /** Whether there is a list that may be served from now. */
  isUsable(): boolean {
    return this.#findProblem(this.#trusted) === undefined
  }

  /** Asks the mirrors now. Throws where none of them has something usable. */
  refresh(): Promise<void> {
    return this.#schedule.run()
  }

  /** Before what it rests on is closed: a check that is under way is waited for, and not told of. */
  async settle(): Promise<void> {
    this.#isSettling = true
    await this.#schedule.settle()
  }

  get isSettling(): boolean {
    return this.#isSettling
  }

  /**
   * The signed record of a project; `undefined` where it is proven that there is none.
   * Throws VerifyError, or UpstreamError METADATA_UNAVAILABLE.
   */
  async findRecord(project: string): Promise<FoundRecord | undefined> {
    try {
      return await this.#answer(async (trusted) => {
        const found = await this.#finder.findRecord(trusted, project)
        if (found !== undefined) this.#hold?.noteAnswer(trusted, project, found.record)
        return found
      })
    } catch (error) {
      throw explainOwnerExpiry(error, project)
    }
  }

  /** For an owner who signs again: nothing is subtracted, and his own role may have expired. */
  async findForOwner(project: string): Promise<OwnerView> {
    const trusted = await this.requireFresh()
    const path = this.#finder.pathOf(project)
    const role = ownerRole(project)
    let owners: Signers | undefined
    const loadRole: LoadRole = (delegator, name, delegatorName) => {
      if (name === role) owners = delegator.delegations && findSigners(delegator.delegations, role)
      return this.#roles.load(trusted, delegator, name, delegatorName)
    }
    const { clock, maxDelegations: maxRoles } = this.#options
    const options = { now: clock(), maxRoles, renewed: role }
    const { target, role: foundIn } = await findTarget(trusted, path, loadRole, options)
    const version = trusted.snapshot?.meta.get(`${role}.json`)?.version ?? 0
    const denials = await this.#finder.findDenials(trusted, project)
    const view = { version, denials, ...(owners !== undefined && { owners }) }
    if (target === undefined) return { ...view, isOwned: false }
    const { record } = await this.#finder.loadRecord(project, { trusted, path, target })
    return { ...view, record, isOwned: foundIn === role }
  }

  /**
   * A file with the length of its own target, for clients that demand one. Throws VerifyError where
   * there is none or it does not agree, and what `findRecord` throws.
   */
  async requireSignedFile(project: string, served: ServedPath): Promise<ServedPath> {
    const path = fileTarget(project, served.file.filename)
    const { target } = await this.#answer((trusted) => this.#finder.search(trusted, path))
    return requireFileTarget(served, target)
  }

  /** The signed list of project names, where the mirror publishes one. */
  async findProjectList(): Promise<{ names: readonly string[]; digest: string } | undefined> {
    const path = projectListPath(this.#options.recordPath)
    return this.#answer(async (trusted) => {
      const { target } = await this.#finder.search(trusted, path)
      if (target === undefined) return undefined
      const { consistentSnapshot } = trusted.root
      const bytes = await this.#records.loadBytes({ path, target, consistentSnapshot })
      return { names: parseProjectListJson(bytes), digest: sha256Hex(bytes) }
    })
  }

  /** From the list that is held, or from the newest where that one cannot answer any more. */
  async #answer<T>(find: (trusted: TrustedSet) => Promise<T>): Promise<T> {
    const trusted = await this.requireFresh()
    try {
      return await find(trusted)
    } catch (error) {
      // One of its roles has expired, or the mirror does not keep what it needs.
      if (this.#hold?.release(trusted, this.#trusted) !== true) throw error
      return find(this.#trusted)
    }
  }

  /** Expiry is checked at use (TUF 5.1 fixes it for a refresh only): here, for every request. */
  async requireFresh(): Promise<TrustedSet> {
    try {
      await this.#schedule.ensure(() => this.isUsable())
    } catch (error) {
      throw this.#explainUnusable(error)
    }
    this.requireUsable()
    return this.#hold?.choose(this.#trusted) ?? this.#trusted
  }

  #findProblem(trusted: TrustedSet): TufgateError | undefined {
    try {
      this.#requireUsable(trusted)
      return undefined
    } catch (error) {
      if (isTufgateError(error)) return error
      throw error
    }
  }

  /** That the list is too old is the reason even when what failed is the fetch of a newer one. */
  #explainUnusable(error: unknown): unknown {
    const problem = this.#unusable ?? this.#findProblem(this.#trusted)
    if (!(error instanceof UpstreamError && problem instanceof VerifyError)) return error
    const since = this.#schedule.failingSince ?? this.#options.clock()
    const span = formatSpan(this.#options.clock() - since)
    const message = `${problem.message}; no mirror could be reached for ${span}`
    return new VerifyError(problem.code, message, { ...problem.facts, cause: error })
  }

  async #refresh(): Promise<void> {
    await tryInOrder(
      this.#options.sources,
      async (source) => {
        try {
          await this.#refreshFrom(source)
        } catch (error) {
          throw this.#explainForeignRoot(error)
        }
      },
      (failure) => this.#reportFailure(failure, 'refresh'),
    )
  }

  async #refreshFrom(source: RepositorySource): Promise<void> {
    const { clock, limits, report } = this.#options
    const port = this.#ports.get(source) ?? this.#createPort(source, this.#options.storage)
    const now = clock()
    this.#trusted = await refreshRoot(this.#trusted, port, now, limits)
    const { trusted, accepted } = await refreshRoles(this.#trusted, port, now, limits)
    await this.#commit(trusted, accepted)
    port.acceptTimestampEtag()
    this.requireUsable()
    await this.#hold?.review(this.#trusted)
    const leftMs = findLastQuarter(this.#trusted, clock())
    const age = leftMs === undefined ? {} : { leftMs }
    report({ kind: 'refreshed', source: source.name, trust: this.trust, ...age })
  }

  /** While nothing of the mirror was ever accepted, the pinned root may be that of another one. */
  #explainForeignRoot(error: unknown): unknown {
    const { root, floors } = this.#trusted
    const isFirst = floors.versions.get('timestamp') === undefined
    if (!isFirst || root.version !== this.#pinnedVersion) return error
    if (!(error instanceof VerifyError) || error.code !== 'SIGNATURE_THRESHOLD') return error
    const { pinnedRoot, pinnedRootName } = this.#options
    const digest = `${sha256Hex(pinnedRoot).slice(0, 12)}...`
    return new VerifyError(
      error.code,
      `The mirror's list is not signed by the keys of ${pinnedRootName} (sha256 ${digest})`,
      {
        ...(error.facts.role !== undefined && { role: error.facts.role }),
        next: 'If this root is of another mirror, give the right one with --root. Otherwise ask whoever runs the mirror, and use nothing of it until then.',
        cause: error,
      },
    )
  }

  async #commit(trusted: TrustedSet, accepted: ReadonlyMap<string, Bytes>): Promise<void> {
    const { storage, pinnedRoot, clock } = this.#options
    try {
      await storage.commit(trusted.floors, accepted)
      this.#trusted = trusted
      this.#unusable = undefined
    } catch (error) {
      if (!(error instanceof VerifyError && error.code === 'VERSION_ROLLBACK')) throw error
      // Another process that shares the state is further: go on from where it is.
      this.#trusted = (await loadTrustedState(pinnedRoot, storage, clock())).trusted
    }
  }

  #reportFailure(failure: SourceFailure, at: 'refresh' | 'fetch'): void {
    if (this.#isSettling) return
    const isServing = this.isUsable()
    this.#options.report({ kind: 'failed', at, failure, isServing, trust: this.trust })
  }
}

/** `simple/{project}/index.json` -> `simple/index.json` */
function projectListPath(recordPath: string): string {
  return recordPath.replace('{project}/', () => '').replace('{project}', () => 'index')
}

/** What is left of a life that is nearly over. A freeze is told before it ends in a refusal. */
function findLastQuarter({ timestamp }: TrustedSet, now: number): number | undefined {
  if (timestamp?.signedAt === undefined) return undefined
  const leftMs = timestamp.expires - now
  return leftMs < (timestamp.expires - timestamp.signedAt) / 4 ? leftMs : undefined
}
