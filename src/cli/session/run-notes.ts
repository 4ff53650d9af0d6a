/** What `run` says on standard error beside the command: what it leaves out before, what happened after. */

import { quoteShell } from '../../base/quote-shell.ts'
import type { Finding } from '../../doctor/finding.ts'
import { commandLinePlace } from '../../doctor/places.ts'
import type { LeftOut } from '../../installers/past-proxy.ts'
import { toInertLine } from '../../report/inert-line.ts'
import type { SessionSummary } from '../../report/session-summary.ts'
import { renderSummaryText } from '../../report/summary-text.ts'
import type { PastProxy } from './find-past-proxy.ts'
import type { LeftAddress } from './left-addresses.ts'
import { note } from '../terminal.ts'

const maxLineLength = 500
const maxLinesNamed = 5

/** A line for each file, and one for the variables. */
export function noteLeftOut(leftOut: readonly LeftOut[], problems: readonly string[]): void {
  const byPlace = new Map<string, Map<string, number[]>>()
  for (const { name, place, line } of leftOut) {
    const names = byPlace.get(place) ?? new Map<string, number[]>()
    names.set(name, [...(names.get(name) ?? []), ...(line === undefined ? [] : [line])])
    byPlace.set(place, names)
  }
  for (const [place, names] of byPlace) {
    const list = Array.from(names, ([name, lines]) => `${name}${describeLines(lines)}`).join(', ')
    noteLine(`left out of ${place}, so that nothing goes past the proxy: ${list}`)
  }
  for (const problem of problems) noteLine(problem)
}

function describeLines(lines: readonly number[]): string {
  if (lines.length === 0) return ''
  const rest = lines.length > maxLinesNamed ? ', ...' : ''
  return ` (line ${lines.slice(0, maxLinesNamed).join(', ')}${rest})`
}

const maxNamed = 25

/** Before the command starts: what leads it past the proxy, and the way out of each. */
export function notePastProxy({ findings, folderCount }: PastProxy): void {
  for (const finding of findings.slice(0, maxNamed)) noteLine(describePast(finding))
  const more = findings.length - maxNamed
  if (more > 0) noteLine(`${more} more of this kind (--json lists all)`)
  if (folderCount > 0) {
    const ways = folderCount === 1 ? '1 way' : `${folderCount} ways`
    noteLine(`${ways} past the proxy in this folder: tufgate doctor tells them`)
  }
}

function describePast({ place, line, what, why, mend }: Finding): string {
  const where = place === commandLinePlace ? '' : `${place}${line ? `, line ${line}` : ''}: `
  const reason = why.replace(/\.$/, '')
  return `${where}${what}: ${reason}${mend === undefined ? '' : `; ${mend}`}`
}

/** At the end, beside what was verified, so that nobody takes the one for all. */
export function noteWasPast({ findings: { length } }: PastProxy): void {
  if (length === 0) return
  const what = length === 1 ? '1 way past the proxy' : `${length} ways past the proxy`
  note(`  ${what} on the command line, told before it started: what came that way was not verified`)
}

/** @param flags of `lock rewrite`, quoted */
export function noteLeftAddresses(left: readonly LeftAddress[], flags: string): void {
  for (const { name, isLock } of left) {
    const mend = isLock
      ? `put in the index's own: tufgate lock rewrite${flags} ${quoteShell(name)}`
      : 'take it out'
    noteLine(`${name} holds the address of the proxy, which ends now; ${mend}`)
  }
}

export interface SummaryPlace {
  /** `CHAIN:SEQ:DIGEST` */
  readonly head: string | undefined
  /** As it was given: without one the log is found by itself. */
  readonly stateDir: string | undefined
}

export function noteSummary(summary: SessionSummary, { head, stateDir }: SummaryPlace): void {
  const where = stateDir === undefined ? '' : ` --state-dir ${quoteShell(stateDir)}`
  note(renderSummaryText(summary, { explainCommand: `tufgate explain${where}` }))
  if (head !== undefined) note(`  audit log head ${head}`)
}

/** `/usr/bin/poetry`, `python3 -m poetry` */
export function isProgram([command = '', ...args]: readonly string[], wanted: string): boolean {
  const name = command.slice(command.lastIndexOf('/') + 1)
  return name === wanted || (args[0] === '-m' && args[1] === wanted)
}

export function noteLine(line: string): void {
  note(toInertLine(`tufgate: ${line}`, maxLineLength))
}
