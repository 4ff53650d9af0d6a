/** What must be seen behind the proxy: each rule gives the complaints about one observation. */

import type { Observed } from './attack.ts'

export type Judge = (observed: Observed) => readonly string[]

export interface Refusal {
  /** In the audit log. */
  readonly code: string | RegExp
  /** In the line that the victim reads; pip shows no reason where it was refused on a page. */
  readonly line?: RegExp
}

/** Nothing is installed, the log has the reason. */
export function mustRefuse({ code, line }: Refusal): Judge {
  return (observed) => [
    ...require(observed.exitCode !== 0, `exit code ${observed.exitCode}, not a failure`),
    ...require(observed.happened === 'nothing installed', observed.happened),
    ...requireCode(observed, code),
    ...require(line === undefined ||
      line.test(observed.line), `the line is "${observed.line}", not ${line}`),
  ]
}

/** The attack comes to nothing: the newest honest release is installed. `code`: and the log tells of it. */
export function mustInstall(code?: string | RegExp): Judge {
  return (observed) => [
    ...require(observed.exitCode === 0, `exit code ${observed.exitCode}: ${observed.line}`),
    ...require(observed.happened.endsWith(' installed') &&
      observed.happened !== 'nothing installed', observed.happened),
    ...(code === undefined ? [] : requireCode(observed, code)),
  ]
}

export function requireCode({ codes }: Observed, wanted: string | RegExp): readonly string[] {
  const fits = (code: string): boolean =>
    typeof wanted === 'string' ? code === wanted : wanted.test(code)
  return require(codes.some(
    fits,
  ), `the audit log has ${codes.join(', ') || 'no code'}, not ${wanted}`)
}

/** Something that was measured, or that the mirror said: a part of a note. */
export function requireNote({ notes }: Observed, wanted: string | RegExp): readonly string[] {
  const fits = (note: string): boolean =>
    typeof wanted === 'string' ? note.includes(wanted) : wanted.test(note)
  return require(notes.some(fits), `no note says ${wanted}: ${notes.join('; ')}`)
}

export function require(holds: boolean, complaint: string): readonly string[] {
  return holds ? [] : [complaint]
}
