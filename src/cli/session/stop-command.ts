/**
 * `tufgate stop`: ends the proxy in the background and judges its session by its log. That it refused
 * something is for the caller to weigh; that it was gone, or that its log is not whole, is a failure always.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseHead } from '../../audit/head.ts'
import { ConfigError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import type { SessionVerdict } from '../../report/sections.ts'
import { renderSummaryText } from '../../report/summary-text.ts'
import type { SessionSummary } from '../../report/session-summary.ts'
import { findProcess } from '../../store/process-owner.ts'
import { isRefused, readSession } from './read-session.ts'
import {
  findSidecar,
  findSidecarPlace,
  forgetSidecar,
  type Sidecar,
  type SidecarFlags,
  type SidecarPlace,
} from './sidecar-file.ts'
import { note, paint, say, sayFailure } from '../terminal.ts'
import { tellGithub, writeReports, type ReportFlags } from './write-reports.ts'

export interface StopFlags extends SidecarFlags, ReportFlags {
  readonly failOnRefusal?: boolean
}

/** Requests under way have 10 s to end, and what is open has to be closed. */
const patienceMs = 30_000
const pollMs = 20

/** How the process was found, and how it ended. */
type Ending = 'stopped' | 'gone' | 'killed'

export async function runStop(flags: StopFlags): Promise<number> {
  const place = findSidecarPlace(flags)
  const sidecar = findSidecar(place)
  if (sidecar === undefined) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `No proxy "${place.name}" runs: there is no ${place.file}.`,
      {
        next: `It was stopped already, or never started. If it was started with --state-dir, --config or --name, give the same here.`,
      },
    )
  }
  const ending = await end(sidecar, place)
  forgetSidecar(place)
  const { summary, verdict } = await judge(sidecar, ending, place)
  say(renderSummaryText(summary, { explainCommand: explainCommandOf(sidecar) }))
  if (verdict.head !== undefined) say(`  audit log head ${verdict.head}`)
  for (const problem of verdict.problems) note(`${paint('red', 'tufgate:')} ${problem}`)
  const isWritten = await attemptAll([
    () => writeReports(summary, verdict, flags),
    () => tellGithub(summary, verdict, process.env),
  ])
  if (verdict.problems.length > 0 || !isWritten) return 1
  return flags.failOnRefusal === true && isRefused(summary) ? 3 : 0
}

/** What fails is said, and the rest goes on. */
async function attemptAll(actions: readonly (() => Promise<void> | void)[]): Promise<boolean> {
  let isDone = true
  for (const act of actions) {
    try {
      await act()
    } catch (error) {
      sayFailure(error)
      isDone = false
    }
  }
  return isDone
}

async function judge(
  { audit, head: start }: Sidecar,
  ending: Ending,
  place: SidecarPlace,
): Promise<{ readonly summary: SessionSummary; readonly verdict: SessionVerdict }> {
  const { summary, ...verdict } = await readSession(audit, parseHead(start))
  const problems = [...describeEnding(ending, summary, place), ...verdict.problems]
  return { summary, verdict: { ...verdict, problems } }
}

async function end({ owner }: Sidecar, { name, file }: SidecarPlace): Promise<Ending> {
  const { pid, state } = findProcess(owner)
  if (state === 'elsewhere') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `The proxy "${name}" was started in another container: it cannot be stopped from here.`,
      { next: `Stop it there. If it is gone: rm ${quoteShell(file)}` },
    )
  }
  if (state !== 'alive' || !signal(pid, 'SIGTERM')) return 'gone'
  const deadline = Date.now() + patienceMs
  while (findProcess(owner).state === 'alive') {
    if (Date.now() >= deadline) {
      signal(pid, 'SIGKILL')
      return 'killed'
    }
    await sleep(pollMs)
  }
  return 'stopped'
}

/** False where it has just ended. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false
  }
}

function describeEnding(
  ending: Ending,
  { isStopped }: SessionSummary,
  { log, flags }: SidecarPlace,
): string[] {
  const look = `  Its output: cat ${quoteShell(log)}`
  if (ending === 'killed') {
    return [`the proxy did not end within 30 s and was killed.\n${look}`]
  }
  if (ending === 'stopped' && isStopped) return []
  if (isStopped) {
    return [
      `the proxy had been stopped before: something else sent it a signal. What installers asked for since then was not served.\n${look}`,
    ]
  }
  return [
    [
      'the proxy DIED while it was in use: it was killed (kill -9, or out of memory), or it crashed.',
      '  What installers asked for since then was not served: those steps failed, or did not go through tufgate.',
      look,
      `  Then run the steps again, with a fresh one: tufgate start${flags}`,
    ].join('\n'),
  ]
}

function explainCommandOf({ audit }: Sidecar): string {
  return `tufgate explain --log ${quoteShell(audit.folder)}`
}
