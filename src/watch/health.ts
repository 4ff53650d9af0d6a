/**
 * How a mirror is, as a value: what the watch wrote last, and what the mirror itself says of its
 * roles and its index, judged at the moment of asking.
 */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { conflictDays, countConflicts, listConflicts } from '../mirror/conflicts.ts'
import type { MirrorMemory } from '../mirror/open-mirror.ts'
import {
  adviseRenewal,
  listExpiries,
  type JudgedExpiry,
  type Urgency,
} from '../mirror/role-expiries.ts'
import { settings } from '../mirror/settings.ts'
import type { JobRecord } from './job.ts'

export interface Problem {
  readonly urgency: Exclude<Urgency, 'ok'>
  readonly message: string
  readonly next: string
}

/** What a running watch says of itself. */
export interface WatchRecord {
  readonly version: string
  readonly writtenAt: number
  readonly isStopped: boolean
  readonly running?: { readonly job: 'sync' | 'renew'; readonly since: number }
  readonly sync: JobRecord
  readonly renew: JobRecord
}

export interface Health {
  readonly state: Urgency
  readonly problems: readonly Problem[]
  readonly roles: readonly JudgedExpiry[]
  /** Changes that wait for a person. */
  readonly held: number
  /** Projects that the index shows otherwise than they are signed, and nobody has looked into that. */
  readonly conflicts: number
  /** ms */
  readonly indexSeenAt?: number
  readonly watch?: WatchRecord
}

/** One failure may be the network's mood. */
const failuresUntilWarning = 3
const failuresUntilFailing = 10
const overdueMs = 15 * 60_000
const maxClockErrorMs = 5 * 60_000
const maxBusyMs = 3_600_000
const maxRunningMs = 48 * 3_600_000

export interface Asked {
  /** ms */
  readonly now: number
  /** Of the mirror, for the commands that mend it. */
  readonly directory: string
}

export function judgeHealth(
  memory: MirrorMemory,
  record: WatchRecord | 'damaged' | undefined,
  { now, directory }: Asked,
): Health {
  const watch = record === 'damaged' ? undefined : record
  const roles = listExpiries(memory, now)
  const held = memory.holds.countWaiting()
  const conflicts = countConflicts(memory, now)
  const indexSeenAt = memory.settings.find(settings.indexSeenAt)
  const problems = [
    ...(record === 'damaged' ? [damagedRecord] : []),
    ...(watch === undefined ? [] : listWatchProblems(watch, { now, directory })),
    ...listClockProblems(memory, { now, directory }),
    ...listIndexProblems(memory, { now, directory }),
    ...roles.flatMap((role) => listRoleProblems(role, { now, directory })),
    ...listHeldProblems(held, directory),
    ...(conflicts === 0 ? [] : [describeConflicts(memory, conflicts, { now, directory })]),
  ]
  return {
    state: decideState(problems),
    problems,
    roles,
    held,
    conflicts,
    ...(indexSeenAt !== undefined && { indexSeenAt }),
    ...(watch !== undefined && { watch }),
  }
}

/** Whether the watch is alive nobody knows then. */
const damagedRecord: Problem = {
  urgency: 'warning',
  message: 'health.json cannot be read',
  next: 'See whether tufgate mirror watch still runs: it writes it anew. Where timers do its work, remove it.',
}

function decideState(problems: readonly Problem[]): Urgency {
  if (problems.some(({ urgency }) => urgency === 'failing')) return 'failing'
  return problems.length === 0 ? 'ok' : 'warning'
}

function listRoleProblems(role: JudgedExpiry, asked: Asked): Problem[] {
  const { now } = asked
  const { urgency, expires } = role
  if (urgency === 'ok') return []
  const when = expires > now ? `expires in ${formatSpan(expires - now)}` : 'has expired'
  const message = `${role.role} ${when} (${formatUtcSeconds(expires)})`
  return [{ urgency, message, next: adviseRenewal(role, asked) }]
}

/** Nothing is signed then, and everything else that is judged here by the clock is judged wrong. */
function listClockProblems(
  { settings: store }: MirrorMemory,
  { now, directory }: Asked,
): Problem[] {
  const last = store.find(settings.lastSignedAt) ?? 0
  if (last - now <= maxClockErrorMs) return []
  const message = `the clock says ${formatUtcSeconds(now)}, ${formatSpan(last - now)} before the last signature`
  const next = `Set the clock right; if it was ahead before: tufgate mirror sync ${directory} --accept-clock`
  return [{ urgency: 'failing', message, next }]
}

function listIndexProblems(
  { settings: store, ledger }: MirrorMemory,
  { now, directory }: Asked,
): Problem[] {
  const seen = store.find(settings.indexSeenAt)
  const maxUnseen = store.require(settings.maxUnseenMs)
  // Nothing was ever signed: nothing to lose.
  if (seen === undefined && !ledger.hasProjects()) return []
  const age = seen === undefined ? Infinity : now - seen
  if (age <= maxUnseen / 2) return []
  const last = seen === undefined ? 'never seen as a whole' : `last seen ${formatSpan(age)} ago`
  return [
    {
      urgency: age > maxUnseen ? 'failing' : 'warning',
      message: `the index was ${last}; after ${formatSpan(maxUnseen)} nothing is renewed`,
      next: `Look into why this does not succeed: tufgate mirror sync ${directory}`,
    },
  ]
}

function listHeldProblems(held: number, directory: string): Problem[] {
  if (held === 0) return []
  const message = `${held} ${held === 1 ? 'project waits' : 'projects wait'} for a person`
  return [
    { urgency: 'warning', message, next: `Look at what is held: tufgate mirror held ${directory}` },
  ]
}

const maxNamed = 10

/** Its end is in the help of `mirror acknowledge` too. */
function describeConflicts(
  memory: MirrorMemory,
  count: number,
  { now, directory }: Asked,
): Problem {
  const names = listConflicts(memory, now, maxNamed).map(({ project }) => project)
  const rest = count > names.length ? ` and ${count - names.length} more projects` : ''
  const which = count === 1 ? names.join() : '--all'
  return {
    urgency: 'warning',
    message: `conflict: the index shows something else than what is signed of ${names.join(', ')}${rest}; what is signed stays`,
    next: `Find out why: tufgate mirror log ${directory} ${names[0] ?? ''}. It is said for ${conflictDays} days, or until: tufgate mirror acknowledge ${directory} ${which}`,
  }
}

function listWatchProblems(watch: WatchRecord, asked: Asked): Problem[] {
  const { now } = asked
  if (watch.isStopped) {
    return [
      {
        urgency: 'warning',
        message: `the watch was stopped ${formatSpan(now - watch.writtenAt)} ago`,
        next: 'Start it again; where timers do its work, remove health.json.',
      },
    ]
  }
  return [
    ...listOverdue(watch, asked),
    ...(['sync', 'renew'] as const).flatMap((name) => listJobProblems(name, watch[name], asked)),
  ]
}

function listOverdue({ running, sync, renew }: WatchRecord, { now, directory }: Asked): Problem[] {
  const limit =
    running === undefined
      ? Math.min(sync.nextDue, renew.nextDue) + overdueMs
      : running.since + maxRunningMs
  if (now <= limit) return []
  const what =
    running === undefined ? 'has done nothing since it was due' : `has been at its ${running.job}`
  return [
    {
      urgency: 'failing',
      message: `the watch ${what} for ${formatSpan(now - (running?.since ?? limit - overdueMs))}`,
      next: `See whether it still runs, and start it again: tufgate mirror watch ${directory}`,
    },
  ]
}

function listJobProblems(name: string, job: JobRecord, { now, directory }: Asked): Problem[] {
  const problems: Problem[] = []
  if (job.failuresInARow >= failuresUntilWarning) {
    problems.push({
      urgency: job.failuresInARow >= failuresUntilFailing ? 'failing' : 'warning',
      message: `${name} has failed ${job.failuresInARow} times in a row: ${job.lastFailure ?? ''}`,
      next: `Run it by hand and look at what it says: tufgate mirror ${name} ${directory}`,
    })
  }
  if (job.busySince !== undefined && now - job.busySince > maxBusyMs) {
    problems.push({
      urgency: 'warning',
      message: `another process has held the mirror for ${formatSpan(now - job.busySince)}`,
      next: `${directory}/mirror.lock.holder says which one; see whether it is still at work.`,
    })
  }
  return problems
}
