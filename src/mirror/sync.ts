/**
 * `mirror sync`: looks at the index, signs what changed, and says what it did not.
 *
 * One bad project is reported and does not stop the rest. What is held or failed keeps its old,
 * signed state.
 */

import { encodeCanonical } from '../base/canonical-json.ts'
import { describeError, isTufgateError } from '../base/errors.ts'
import { catchUp } from './catch-up.ts'
import { ChangeBatch, type ChangeBatchOptions } from './change-batch.ts'
import { SizeAsker } from './complete-sizes.ts'
import {
  defaultRemovalLimits,
  isMassRemoval,
  type Change,
  type RemovalLimits,
} from './change-kinds.ts'
import { describeChange } from './change-words.ts'
import { countConflicts } from './conflicts.ts'
import { buildHostCheck } from './host-check.ts'
import { chooseIndex, type ChosenIndex, type IndexChoice, type OpenIndex } from './index-choice.ts'
import { Candidates, describeHeld, type HeldChange } from './hold.ts'
import { isDown, reportUnseen, type LookCounts } from './index-unseen.ts'
import type { JournalEvent } from './journal.ts'
import { hasVanished, type Look, type Settlement } from './judge-look.ts'
import { isOfProject, isUnanswered } from './look-failures.ts'
import { lookAtProject, type LookOptions } from './look.ts'
import { defaultChangePolicy, judgeChanges, type ChangePolicy } from './mirror-settings.ts'
import { requireIndexClock, requireMachineClock } from './machine-clock.ts'
import { openOnlineSigners, type OnlineSigners } from './online-signers.ts'
import { settleOwned, type OwnedLook } from './owned-look.ts'
import { openMirror, requireClock, type Mirror, type MirrorContext } from './open-mirror.ts'
import { noteOutage, noteReturn } from './outage.ts'
import { updateProjectList } from './published-list.ts'
import { publishMirror, type Published } from './publish.ts'
import { selectProjects, type Selection, type SelectionOptions } from './selection.ts'
import { settings } from './settings.ts'

/** What one round of a sync is to do. */
export interface SyncRound extends SelectionOptions {
  /** What is signed, and what waits for a person. Default: `defaultChangePolicy`. */
  readonly changePolicy?: ChangePolicy
  readonly removalLimits?: Partial<RemovalLimits>
  /** Projects looked at at the same time; default 8. */
  readonly parallel?: number
  /** `false`: servers are not asked for lengths that the index does not tell. */
  readonly hasSizes?: boolean
  /**
   * When the signed time of the last look at the index moves. Default `whole`: after a look at
   * everything that is signed. `any`: after any look that was answered; `none`: not at all.
   */
  readonly seenAfter?: 'whole' | 'any' | 'none'
}

export interface SyncOptions extends MirrorContext, SyncRound, IndexChoice {
  readonly directory: string
  /** A person says that the clock of this machine is right. */
  readonly acceptClock?: boolean
  readonly openIndex: OpenIndex
}

/** What a round works with. */
export interface SyncParts {
  readonly signers: OnlineSigners
  readonly index: ChosenIndex
}

export interface SyncResult {
  readonly lookedAt: number
  /** Those, and what the list of the index says is unchanged. */
  readonly covered: number
  readonly changed: number
  readonly failed: number
  readonly held: number
  /** Projects that the index shows otherwise than they are signed, and nobody has looked into that. */
  readonly conflicts: number
  /** Whether the signed time of the last look at the index moved. */
  readonly isIndexSeen: boolean
  readonly published: Published | undefined
  /** 1 where anything failed or was held. */
  readonly exitCode: 0 | 1
}

const defaultParallel = 8
/** Of more, only the number is said. */
const maxHoldsReported = 100

export async function syncMirror(options: SyncOptions): Promise<SyncResult> {
  const mirror = await openMirror(options.directory, options)
  try {
    await catchUp(mirror)
    // Before the long work: with a wrong clock or key it could not be published.
    requireMachineClock(mirror, options.acceptClock === true)
    const signers = await openOnlineSigners(mirror)
    const index = await chooseIndex(mirror, options, options.openIndex)
    try {
      await requireIndexClock(mirror, index.port, options.acceptClock === true)
      return await syncOpened(mirror, { signers, index }, options)
    } finally {
      await index.port.close()
    }
  } finally {
    await mirror.close()
  }
}

/** One round on a mirror that is open already, for a process that keeps it so. */
export async function syncOpened(
  mirror: Mirror,
  { signers, index }: SyncParts,
  round: SyncRound,
): Promise<SyncResult> {
  const now = mirror.clock()
  requireClock(mirror, now)
  const publish = async (): Promise<void> => {
    await publishMirror(mirror, signers, { now: mirror.clock(), isTimestampDue: true })
  }
  const outcome = await new Sync(mirror, index, round, { now, publish }).run()
  await updateProjectList(mirror, mirror.clock())
  const published = await publishMirror(mirror, signers, {
    // Signed times are of the signing; a long sync must not give out half-spent timestamps.
    now: mirror.clock(),
    isTimestampDue: outcome.isIndexSeen || outcome.changed > 0,
  })
  return { ...outcome, published }
}

class Sync {
  readonly #mirror: Mirror
  readonly #index: ChosenIndex
  readonly #options: SyncRound
  #look: LookOptions
  readonly #batch: ChangeBatch
  /** Of which the index lists nothing any more: to be settled at the end, and those that wait already. */
  readonly #vanished: string[] = []
  readonly #owned: OwnedLook[] = []
  #vanishedBefore = 0
  #lookedAt = 0
  /** Looked at, or listed by the index as unchanged. */
  #covered = 0
  #changed = 0
  #failed = 0
  /** Of those that failed. */
  #unanswered = 0
  readonly #held = new Set<string>()
  #isMassRemoval = false

  constructor(mirror: Mirror, index: ChosenIndex, options: SyncRound, batch: ChangeBatchOptions) {
    this.#mirror = mirror
    this.#index = index
    this.#options = options
    const isAllowedUrl = buildHostCheck(index.port.fileHosts)
    // A target has a length.
    const isRequired = mirror.settings.find(settings.signsFiles) === true
    this.#look = {
      index: index.port,
      fileHosts: index.port.fileHosts,
      isAllowedUrl,
      ...(isRequired || options.hasSizes !== false
        ? { sizes: new SizeAsker(index.port, { isAllowedUrl, isRequired }) }
        : {}),
      limits: { ...defaultRemovalLimits, ...options.removalLimits },
      policy: options.changePolicy ?? defaultChangePolicy,
      now: batch.now,
      isFull: options.full === true,
    }
    this.#batch = new ChangeBatch(mirror, batch)
  }

  async run(): Promise<Omit<SyncResult, 'published'>> {
    new Candidates(this.#mirror.directory).sweep(this.#mirror.holds)
    const selection = await this.#select()
    this.#look = { ...this.#look, index: selection.port }
    this.#covered = selection.covered
    await this.#lookAtAll(selection.names, selection.total)
    await this.#settleVanished()
    await this.#batch.flush()
    await settleOwned(this.#mirror, this.#owned, this.#look.now)
    this.#noteReachability()
    selection.settle(this.#failed + this.#held.size === 0)
    const { seenAfter = 'whole' } = this.#options
    const isIndexSeen =
      seenAfter !== 'none' && this.#isAnswered() && (seenAfter === 'any' || selection.isComplete())
    if (isIndexSeen) this.#mirror.settings.put(settings.indexSeenAt, this.#look.now)
    else if (seenAfter === 'whole') reportUnseen(this.#mirror, this.#counts(), this.#look.now)
    return {
      lookedAt: this.#lookedAt,
      covered: this.#covered,
      changed: this.#changed,
      failed: this.#failed,
      held: this.#held.size,
      conflicts: countConflicts(this.#mirror, this.#look.now),
      isIndexSeen,
      exitCode: this.#failed + this.#held.size > 0 ? 1 : 0,
    }
  }

  async #select(): Promise<Selection> {
    const { port } = this.#index
    try {
      return await selectProjects(this.#mirror, this.#options, port)
    } catch (error) {
      if (isTufgateError(error) && isUnanswered(error))
        noteOutage(this.#mirror, port.name, this.#look.now)
      throw error
    }
  }

  #noteReachability(): void {
    const { name } = this.#index.port
    if (isDown(this.#counts())) noteOutage(this.#mirror, name, this.#look.now)
    else if (this.#lookedAt > 0) noteReturn(this.#mirror, name, this.#look.now)
  }

  /** An index that fails for most of its projects has not been seen. */
  #isAnswered(): boolean {
    return !this.#isMassRemoval && this.#covered > 0 && this.#failed * 2 <= this.#covered
  }

  /** A failure of our own ends all workers, and is thrown once none of them is at work any more. */
  async #lookAtAll(names: Iterable<string>, total: number): Promise<void> {
    const queue = names[Symbol.iterator]()
    const failures: unknown[] = []
    const work = async (): Promise<void> => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) {
        if (failures.length > 0) return
        this.#lookedAt += 1
        await this.#lookAtOne(next.value)
        this.#mirror.report({ kind: 'progress', done: this.#lookedAt, total })
      }
    }
    const count = Math.max(1, this.#options.parallel ?? defaultParallel)
    const workers = Array.from({ length: count }, () =>
      work().catch((error) => failures.push(error)),
    )
    await Promise.all(workers)
    if (failures.length > 0) throw failures[0]
  }

  async #lookAtOne(project: string, settlement?: Settlement): Promise<void> {
    try {
      const look = await lookAtProject(this.#mirror, project, this.#look, settlement)
      this.#index.remember()
      await this.#take(project, look)
    } catch (error) {
      if (!isTufgateError(error) || !isOfProject(error)) throw error
      this.#failed += 1
      if (isUnanswered(error)) this.#unanswered += 1
      const message = describeError(error)
      this.#mirror.report({ kind: 'failed', project, code: error.code, message })
    }
  }

  async #take(project: string, look: Look): Promise<void> {
    switch (look.kind) {
      case 'unchanged':
        if (look.ended !== undefined) this.#endHold(look.ended)
        await this.#batch.addSeen(look.seen)
        break
      case 'changed':
        this.#changed += 1
        this.#warn(project, look.warned)
        if (look.ended !== undefined) this.#endHold(look.ended)
        await this.#batch.add(look.staged, look.events)
        break
      case 'held':
        await this.#hold(look.held, look.events)
        break
      case 'vanished':
        this.#vanished.push(project)
        break
      case 'owned':
        this.#owned.push(look.look)
        if (look.look.ended !== undefined) this.#endHold(look.look.ended)
        await this.#batch.addSeen(look.look.seen)
        break
      case 'rolled-back':
        await this.#refuseRollback(project, look)
        break
    }
  }

  /** What has an event of its own is said already. */
  #warn(project: string, changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'hash-changed' || change.kind === 'another-spelling') continue
      const stays = change.kind === 'requires-python-changed' ? '; it is not taken over' : ''
      const message = `${project}: ${describeChange(change)}${stays}`
      this.#mirror.report({ kind: 'warning', message })
    }
  }

  #endHold(held: HeldChange): void {
    this.#batch.endHold(held)
    const message = `${held.project}: the index does not show any more what was held for a person`
    if (!held.isRejected) this.#mirror.report({ kind: 'note', message })
  }

  async #hold(held: HeldChange, events: readonly JournalEvent[]): Promise<void> {
    const { project, changes, isRejected, since, sha256 } = held
    if (events.length > 0) await this.#batch.addHold(held, events)
    // A copy of a cache is asked for again: the same project may come twice.
    if (isRejected || this.#held.has(project)) return
    if (hasVanished(changes)) this.#vanishedBefore += 1
    this.#held.add(project)
    if (this.#held.size > maxHoldsReported) return
    const reasons = judgeChanges(changes, this.#look.policy).held
    const message = describeHeld(reasons)
    this.#mirror.report({ kind: 'held', project, message, since, sha256 })
  }

  async #refuseRollback(
    project: string,
    { expected, found }: { readonly expected: number; readonly found: number },
  ): Promise<void> {
    this.#failed += 1
    const message = `its page has serial ${found}, and serial ${expected} was seen before: an old copy is not used`
    this.#mirror.report({ kind: 'failed', project, code: 'VERSION_ROLLBACK', message })
    const event = { kind: 'serial-back', project, detail: { expected, found } } as const
    // The same again is no news.
    const last = this.#mirror.journal.findLast(project)
    const isSame = last?.kind === event.kind && last.detail === encodeCanonical(event.detail)
    if (!isSame) await this.#batch.addEvent(event)
  }

  /** One project may vanish. Many at once are more likely a fault of the index, or an attack. */
  async #settleVanished(): Promise<void> {
    const gone = this.#vanished.length + this.#vanishedBefore
    const { limits, policy } = this.#look
    const isMass = isMassRemoval(gone, this.#covered, limits)
    this.#isMassRemoval = isMass && policy['many-removed'] === 'hold'
    const mass = isMass ? { mass: { gone, of: this.#covered } } : {}
    for (const project of this.#vanished) await this.#lookAtOne(project, mass)
    if (!this.#isMassRemoval) return
    const message = `The index lists nothing any more of ${gone} of ${this.#covered} projects`
    this.#mirror.report({ kind: 'held', message })
  }

  #counts(): LookCounts {
    return {
      lookedAt: this.#lookedAt,
      failed: this.#failed,
      unanswered: this.#unanswered,
      isMassRemoval: this.#isMassRemoval,
    }
  }
}
