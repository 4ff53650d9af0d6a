/**
 * `mirror sync`: looks at the index, signs what changed, and says what it did not.
 *
 * One bad project is reported and does not stop the rest. What is held or failed keeps its old,
 * signed state.
 */

import { formatSpan } from '../base/clock.ts'
import { describeError, isTufgateError, type TufgateError } from '../base/errors.ts'
import { catchUp } from './catch-up.ts'
import { ChangeBatch, type ChangeBatchOptions } from './change-batch.ts'
import { SizeAsker } from './complete-sizes.ts'
import { buildHostCheck } from './host-check.ts'
import { chooseIndex, type ChosenIndex, type IndexChoice, type OpenIndex } from './index-choice.ts'
import { lookAtProject, type Look, type LookOptions } from './look.ts'
import { defaultRemovalLimits, isMassRemoval, type RemovalLimits } from './merge.ts'
import { openOnlineSigners, type OnlineSigners } from './online-signers.ts'
import { openMirror, requireClock, type Mirror, type MirrorContext } from './open-mirror.ts'
import { updateProjectList } from './published-list.ts'
import { publishMirror, type Published } from './publish.ts'
import { selectProjects, type SelectionOptions } from './selection.ts'
import { settings } from './settings.ts'
import { recordTarget, targetPath } from './tree-layout.ts'

/** What one round of a sync is to do. */
export interface SyncRound extends SelectionOptions {
  /** What is gone is taken for gone, however much it is. */
  readonly acceptRemovals?: boolean
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
  /** Whether the signed time of the last look at the index moved. */
  readonly isIndexSeen: boolean
  readonly published: Published | undefined
  /** 1 where anything failed or was held. */
  readonly exitCode: 0 | 1
}

const defaultParallel = 8

export async function syncMirror(options: SyncOptions): Promise<SyncResult> {
  const mirror = await openMirror(options.directory, options)
  try {
    // Before the long work: with a wrong clock or key it could not be published.
    requireClock(mirror, mirror.clock())
    await catchUp(mirror)
    const signers = await openOnlineSigners(mirror)
    const index = await chooseIndex(mirror, options, options.openIndex)
    try {
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
  await updateProjectList(mirror, now)
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
  readonly #emptied: string[] = []
  #lookedAt = 0
  /** Looked at, or listed by the index as unchanged. */
  #covered = 0
  #changed = 0
  #failed = 0
  /** Of those that failed. */
  #unanswered = 0
  #held = 0
  #isMassRemoval = false

  constructor(mirror: Mirror, index: ChosenIndex, options: SyncRound, batch: ChangeBatchOptions) {
    this.#mirror = mirror
    this.#index = index
    this.#options = options
    const isAllowedUrl = buildHostCheck(index.port.fileHosts)
    this.#look = {
      index: index.port,
      bitLength: mirror.settings.require(settings.bitLength),
      fileHosts: index.port.fileHosts,
      isAllowedUrl,
      ...(options.hasSizes !== false && { sizes: new SizeAsker(index.port, { isAllowedUrl }) }),
      limits: { ...defaultRemovalLimits, ...options.removalLimits },
      now: batch.now,
    }
    this.#batch = new ChangeBatch(mirror, batch)
  }

  async run(): Promise<Omit<SyncResult, 'published'>> {
    const selection = await selectProjects(this.#mirror, this.#options, this.#index.port)
    this.#look = { ...this.#look, index: selection.port }
    this.#covered = selection.covered
    await this.#lookAtAll(selection.names, selection.total)
    await this.#settleEmptied()
    await this.#batch.flush()
    selection.settle(this.#failed + this.#held === 0)
    const { seenAfter = 'whole' } = this.#options
    const isIndexSeen =
      seenAfter !== 'none' && this.#isAnswered() && (seenAfter === 'any' || selection.isComplete())
    if (isIndexSeen) this.#mirror.settings.put(settings.indexSeenAt, this.#look.now)
    else if (seenAfter === 'whole') this.#reportUnseen()
    return {
      lookedAt: this.#lookedAt,
      covered: this.#covered,
      changed: this.#changed,
      failed: this.#failed,
      held: this.#held,
      isIndexSeen,
      exitCode: this.#failed + this.#held > 0 ? 1 : 0,
    }
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
        await this.#lookAtOne(next.value, this.#options.acceptRemovals === true)
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

  async #lookAtOne(project: string, acceptsRemovals: boolean): Promise<void> {
    try {
      const look = await lookAtProject(this.#mirror, project, this.#look, acceptsRemovals)
      this.#index.remember()
      await this.#take(project, look)
    } catch (error) {
      // Our own disk is everybody's problem; anything else is this project's.
      if (!isTufgateError(error) || !isOfProject(error.code)) throw error
      this.#failed += 1
      if (isUnanswered(error)) this.#unanswered += 1
      const message = describeError(error)
      this.#mirror.report({ kind: 'failed', project, code: error.code, message })
    }
  }

  async #take(project: string, look: Look): Promise<void> {
    switch (look.kind) {
      case 'unchanged':
        await this.#batch.addSeen(look.seen)
        break
      case 'changed': {
        this.#changed += 1
        const kept = targetPath(recordTarget(project), look.change.project.sha256)
        await this.#batch.add({ change: look.change, superseded: look.superseded, kept })
        break
      }
      case 'held':
        this.#hold(project, look.reason)
        break
      case 'emptied':
        this.#emptied.push(project)
        break
    }
  }

  /** One project may vanish. Many at once are more likely a fault of the index, or an attack. */
  async #settleEmptied(): Promise<void> {
    const { limits } = this.#look
    this.#isMassRemoval = isMassRemoval(this.#emptied.length, this.#covered, limits)
    for (const project of this.#emptied) {
      if (this.#isMassRemoval)
        this.#hold(project, 'the index does not list any file of it any more')
      else await this.#lookAtOne(project, true)
    }
    if (!this.#isMassRemoval) return
    const message = `The index lists nothing any more of ${this.#emptied.length} of ${this.#covered} projects`
    this.#mirror.report({ kind: 'held', message })
  }

  #hold(project: string, reason: string): void {
    this.#held += 1
    this.#mirror.ledger.putHeld(project, reason)
    const message = `${reason}; if that is right, sync it with --accept-removals`
    this.#mirror.report({ kind: 'held', project, message })
  }

  #reportUnseen(): void {
    // Of a first sync that failed there is nothing to renew yet.
    if (this.#lookedAt === 0 || this.#mirror.ledger.countProjects() === 0) return
    this.#mirror.report({
      kind: 'warning',
      message: this.#describeUnseen(),
      next: describeDeadline(this.#mirror, this.#look.now),
    })
  }

  /** Why the signed time of the last look at the index stays as it was. */
  #describeUnseen(): string {
    const all = this.#lookedAt === 1 ? '1 project' : `${this.#lookedAt} projects`
    if (this.#unanswered * 2 > this.#lookedAt)
      return `The index was down: no answer for ${this.#unanswered} of ${all}.`
    if (this.#failed * 2 > this.#lookedAt)
      return `${this.#failed} of ${all} could not be looked at.`
    return this.#isMassRemoval
      ? 'What the index shows is held for a person, so it does not count as a look.'
      : 'Only a part of what is signed was looked at.'
  }
}

/** Until when a look at everything must have succeeded. */
function describeDeadline(mirror: Mirror, now: number): string {
  const command = `Run "tufgate mirror sync ${mirror.directory}"`
  const seen = mirror.settings.find(settings.indexSeenAt)
  const left = seen === undefined ? 0 : seen + mirror.settings.require(settings.maxUnseenMs) - now
  return left > 0
    ? `${command} within ${formatSpan(left)} (max-unseen), or renew will refuse.`
    : `${command}; until it has succeeded renew refuses (max-unseen).`
}

const unansweredCodes: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'TIMED_OUT',
  'TOO_SLOW',
  'BROKEN_OFF',
])

function isUnanswered({ code, facts }: TufgateError): boolean {
  return unansweredCodes.has(code) || (code === 'BAD_STATUS' && /^5\d\d$/.test(facts.found ?? ''))
}

function isOfProject(code: string): boolean {
  return !['DISK_FULL', 'STORAGE_FAILED', 'STATE_BUSY', 'AUDIT_FAILED'].includes(code)
}
