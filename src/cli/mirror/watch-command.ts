/** `tufgate mirror watch` and `mirror health`: lines on standard error, and an exit code for supervisors. */

import { setTimeout as sleepFor } from 'node:timers/promises'
import { toPrintable } from '../../base/bytes.ts'
import { formatSpan, type Clock } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { readMirror } from '../../mirror/open-mirror.ts'
import type { MirrorEvent } from '../../mirror/report.ts'
import type { SyncRound } from '../../mirror/sync.ts'
import { describeLeft } from '../../watch/findings.ts'
import { readWatchRecord, renderHealth } from '../../watch/health-file.ts'
import { judgeHealth, type Health } from '../../watch/health.ts'
import { watchMirror, type WatchLevel, type WatchOptions } from '../../watch/watch.ts'
import { createLog, type Log } from '../logger.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createMirrorIndexOpener } from './mirror-index.ts'
import { describeEvent } from './mirror-report.ts'
import {
  intervalWords,
  parseInterval,
  readMirrorSettings,
  type WatchSettings,
} from './mirror-settings.ts'
import { requireCredentialsSetting } from './sync-flags.ts'
import { paint, say, sayJson } from '../terminal.ts'
import { version } from '../version.ts'
import { waitForSignal } from '../wait-for-signal.ts'

export interface MirrorWatchFlags {
  readonly syncEvery?: string
  readonly renewEvery?: string
  readonly all?: boolean
  readonly credentials?: string
}

export interface MirrorHealthFlags {
  readonly json?: boolean
}

export async function runMirrorWatch(directory: string, flags: MirrorWatchFlags): Promise<number> {
  const readRound = (): SyncRound => {
    const { sync, watch } = readMirrorSettings(directory)
    return { ...sync, ...(watch.all || flags.all === true ? { all: true } : {}) }
  }
  // A mistake in the settings ends the start; a later one ends a sync alone.
  const intervals = chooseIntervals(readMirrorSettings(directory).watch, flags)
  const credentials =
    flags.credentials === undefined ? undefined : requireCredentialsSetting(flags.credentials)
  const log = createServiceLog()
  const stop = new AbortController()
  const stopOnSignal = async (): Promise<void> => {
    log('info', `${await waitForSignal()}: stopping`)
    stop.abort()
  }
  void stopOnSignal()
  const isNews = createNewsFilter(Date.now)
  await watchMirror({
    directory,
    ...createMirrorContext((event) => logEvent(log, event, isNews)),
    openIndex: createMirrorIndexOpener(directory, { credentials }),
    readRound,
    ...intervals,
    signal: stop.signal,
    sleep: sleepUntil,
    log,
    version,
  })
  return 0
}

async function sleepUntil(milliseconds: number, signal: AbortSignal): Promise<void> {
  // What it rejects with is the signal, which the caller looks at.
  await sleepFor(milliseconds, undefined, { signal }).catch(() => undefined)
}

function logEvent(log: Log, event: MirrorEvent, isNews: (message: string) => boolean): void {
  if (event.kind === 'progress') return
  if (event.kind === 'note') return log('info', event.message)
  const message = describeEvent(event)
  if (isNews(message)) log('warning', message)
}

const repeatedAfterMs = 24 * 3_600_000
const maxRemembered = 1000

/** What every round finds again, such as a role that expires next month, is said once a day. */
function createNewsFilter(clock: Clock): (message: string) => boolean {
  const saidAt = new Map<string, number>()
  return (message) => {
    const now = clock()
    const age = now - (saidAt.get(message) ?? -Infinity)
    if (age >= 0 && age < repeatedAfterMs) return false
    saidAt.delete(message)
    saidAt.set(message, now)
    const [oldest] = saidAt.keys()
    if (saidAt.size > maxRemembered && oldest !== undefined) saidAt.delete(oldest)
    return true
  }
}

/** journald takes the level from the front of a line, and the time from itself (sd-daemon(3)). */
function createServiceLog(): (level: WatchLevel | 'debug', message: string) => void {
  if (process.env['JOURNAL_STREAM'] === undefined) return createLog('info', Date.now)
  const priorities = { debug: 7, info: 6, warning: 4, error: 3 }
  return (level, message) => {
    const lines = message.split('\n').map((line) => toPrintable(line, 1000))
    process.stderr.write(lines.map((line) => `<${priorities[level]}>${line}\n`).join(''))
  }
}

/** Flags override the file. */
function chooseIntervals(
  { syncEveryMs, renewEveryMs }: WatchSettings,
  { syncEvery, renewEvery }: MirrorWatchFlags,
): Pick<WatchOptions, 'syncEveryMs' | 'renewEveryMs'> {
  const renewMs =
    renewEvery === undefined ? renewEveryMs : requireInterval('--renew-every', renewEvery)
  return {
    syncEveryMs: syncEvery === undefined ? syncEveryMs : requireInterval('--sync-every', syncEvery),
    ...(renewMs !== undefined && { renewEveryMs: renewMs }),
  }
}

function requireInterval(flag: string, raw: string): number {
  const interval = parseInterval(raw)
  if (interval !== undefined) return interval
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is not an interval.`, {
    expected: intervalWords,
  })
}

/** For a supervisor, and for a person where 0 is not the answer. */
const exitCodes = { ok: 0, warning: 3, failing: 1 } as const

export async function runMirrorHealth(
  directory: string,
  flags: MirrorHealthFlags,
): Promise<number> {
  const record = readWatchRecord(directory)
  const now = Date.now()
  const health = await readMirror(directory, (memory) =>
    judgeHealth(memory, record, { now, directory }),
  )
  if (flags.json === true) sayJson(renderHealth(health))
  else sayHealth(health, now)
  return exitCodes[health.state]
}

function sayHealth(health: Health, now: number): void {
  const { state, problems, roles, held, conflicts, watch } = health
  const colours = { ok: 'green', warning: 'yellow', failing: 'red' } as const
  say(paint(colours[state], state))
  for (const { message, next } of problems) say(`  ${toPrintable(message, 1000)}\n    ${next}`)
  const [first] = roles.toSorted((left, right) => left.expires - right.expires)
  if (first !== undefined) say(`next: ${first.role} ${describeLeft(first.expires, now)}`)
  say(`held: ${held}`)
  say(`in conflict: ${conflicts}`)
  say(
    `watch: ${watch === undefined ? 'none; timers or people run sync and renew' : describeWatch(watch, now)}`,
  )
}

function describeWatch(watch: NonNullable<Health['watch']>, now: number): string {
  if (watch.isStopped) return `stopped ${formatSpan(now - watch.writtenAt)} ago`
  const { running, sync } = watch
  if (running !== undefined) return `at its ${running.job} for ${formatSpan(now - running.since)}`
  const last =
    sync.lastSuccess === undefined ? 'never' : `${formatSpan(now - sync.lastSuccess)} ago`
  return `last sync ${last}, next in ${formatSpan(Math.max(0, sync.nextDue - now))}`
}
