/** What a person at a terminal reads: plain lines, colour only where it is wanted, and progress. */

import { styleText } from 'node:util'
import { SingleBar, Presets } from 'cli-progress'
import { escapeInvisible } from '../audit/line.ts'
import { toPrintable } from '../base/bytes.ts'
import { isTufgateError, type TufgateError } from '../base/errors.ts'
import { describeErrno, isPathErrno } from '../store/storage-error.ts'

/**
 * Whoever reads the output may go, and the disk that it is written to may be full: no reason to end a
 * proxy that serves, or a mirror that is publishing.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    // There is nobody left to tell; the audit log does not come this way.
    stream.on('error', () => undefined)
  }
}

/** Whether anybody reads what `say` says. */
export function isHeard(): boolean {
  return process.stdout.writable
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** For programs, and for people who look: nothing in it can move a cursor or turn text around. */
export function sayJson(value: unknown): void {
  say(escapeInvisible(JSON.stringify(value)))
}

export function warn(line: string): void {
  process.stderr.write(`${paint('yellow', 'warning:')} ${line}\n`)
}

/** Beside the outcome, for a person. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** `styleText` itself minds NO_COLOR and whether the stream is a terminal. */
export function paint(style: 'red' | 'yellow' | 'green' | 'bold' | 'dim', text: string): string {
  return styleText(style, text, { stream: process.stderr })
}

/** What happened, what was expected and found, what to do next: each on a line of its own. */
export function formatFailure(error: unknown): string {
  if (!isTufgateError(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return describePathProblem(error) ?? stack
  }
  return [error.message, ...formatFacts(error)].join('\n')
}

/** A path that is not there, or that this user may not use, is no bug: `undefined` for all else. */
function describePathProblem(error: unknown): string | undefined {
  if (!isPathErrno(error) || !(error instanceof Error) || !('path' in error)) return undefined
  const problem = describeErrno(error)
  return typeof error.path === 'string'
    ? `${toPrintable(error.path, 500)} cannot be used: ${problem}`
    : undefined
}

/** The lines below the message. */
export function formatFacts({ facts: { expected, found, next } }: TufgateError): string[] {
  return [
    ...(expected === undefined ? [] : [`  expected: ${expected}`]),
    ...(found === undefined ? [] : [`  found:    ${found}`]),
    ...(next === undefined ? [] : [`  ${next}`]),
  ]
}

export function sayFailure(error: unknown): void {
  process.stderr.write(`${paint('red', 'tufgate:')} ${formatFailure(error)}\n`)
}

/** 2 where the operator has to change something, 1 for everything else that fails on our side. */
export function exitCodeOf(error: unknown): number {
  if (describePathProblem(error) !== undefined) return 2
  return isTufgateError(error) && isConfigCode(error) ? 2 : 1
}

function isConfigCode({ code }: TufgateError): boolean {
  return (
    code === 'CONFIG_INVALID' ||
    code === 'KEY_INVALID' ||
    code === 'STATE_NEWER' ||
    code === 'ROOT_CHANGED'
  )
}

export interface Progress {
  update(done: number, total: number, label: string): void
  stop(): void
}

/** A bar on a terminal; silent elsewhere, where logs are read later. */
export function createProgress(): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined }
  const format = ' {bar} {value}/{total} {label}'
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.rect)
  let isStarted = false
  return {
    update: (done, total, label) => {
      if (!isStarted) bar.start(total, done, { label })
      isStarted = true
      bar.setTotal(total)
      bar.update(done, { label })
    },
    stop: () => bar.stop(),
  }
}
