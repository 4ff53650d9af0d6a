/**
 * What the notary of one index has seen, for standard error and the audit log. With trust on first use
 * a change of the index is all that can be noticed, so that each is a line in both.
 */

import type { AuditEvent } from '../../audit/event.ts'
import type { Clock } from '../../base/clock.ts'
import { describeError } from '../../base/errors.ts'
import type { MirrorEvent } from '../../mirror/report.ts'
import type { FirstUseCounts } from '../../notary/first-use.ts'
import { Sightings } from '../../notary/sightings.ts'
import type { Log } from '../logger.ts'
import { OnceAMinute } from '../once-a-minute.ts'

type Append = (event: AuditEvent) => Promise<void>

/** What stands as it is and is seen at each look is told when it comes, and then as a reminder. */
const remindEveryMs = 24 * 3_600_000

export class NotaryNews {
  readonly #index: string
  readonly #folder: string
  readonly #log: Log
  readonly #limit: OnceAMinute
  /** Of its own: what is left out by thousands must not silence a warning. */
  readonly #leftOutLimit: OnceAMinute
  readonly #standing: Sightings
  #append: Append | undefined
  /** What was to be written before the log was open. */
  #early: AuditEvent[] = []

  constructor(
    subject: { readonly index: string; readonly folder: string },
    log: Log,
    clock: Clock,
  ) {
    this.#index = subject.index
    this.#folder = subject.folder
    this.#log = log
    this.#limit = new OnceAMinute(clock)
    this.#leftOutLimit = new OnceAMinute(clock)
    this.#standing = new Sightings(clock)
  }

  /** The log is open. */
  begin(append: Append): void {
    this.#append = append
    for (const event of this.#early) this.#write(event)
    this.#early = []
  }

  tell(event: MirrorEvent): void {
    switch (event.kind) {
      case 'conflict':
        return this.#tellConflict(event)
      case 'held':
        return this.#tellHeld(event)
      case 'failed':
        return this.#warn({ ...pick(event), message: `not compared: ${event.message}` })
      case 'left-out':
        return this.#tellLeftOut(event)
      case 'warning': {
        const next = event.next === undefined || event.next === '' ? '' : `\n${event.next}`
        return this.#warn({ message: `${event.message}${next}` })
      }
      default:
        return undefined
    }
  }

  #tellConflict(event: Extract<MirrorEvent, { kind: 'conflict' }>): void {
    const { project, file, signedAs, expected, found } = event
    if (!this.#isNews(`${project} ${file} ${found}`)) return
    const other =
      signedAs === undefined
        ? `${file} has another sha256 than at first use`
        : `${file} is another spelling of ${signedAs}, and has another sha256`
    const message = `${other}; the one of first use stays, the new one is never served`
    this.#warn({ project, file, code: 'CONFLICT', expected, found, message })
  }

  #tellHeld(event: Extract<MirrorEvent, { kind: 'held' }>): void {
    const { project, message, since, sha256 } = event
    if (since !== undefined && !this.#isNews(`${project ?? ''} held ${since}`)) return
    // With its digest: what the index shows by then may be something else.
    const exact = sha256 === undefined ? '' : `@${sha256.slice(0, 12)}`
    const command = `tufgate mirror approve ${this.#folder} ${project ?? 'PROJECT'}${exact}`
    this.#warn({
      ...(project !== undefined && { project }),
      code: 'HELD',
      message: `held for a person, what was seen before stays: ${message}. To accept it: ${command}`,
    })
  }

  #isNews(key: string): boolean {
    if (this.#standing.ageOf(key) < remindEveryMs) return false
    this.#standing.put(key)
    return true
  }

  /** A page may have thousands: the first of a project says what is the matter. */
  #tellLeftOut({ project, file, message }: Extract<MirrorEvent, { kind: 'left-out' }>): void {
    if (!this.#leftOutLimit.isDue(project)) return
    this.#log('info', `${this.#index}: ${project}: ${file} is left out: ${message}`)
  }

  /** The same again within a minute is written, and not said. */
  #warn(event: Omit<AuditEvent, 'kind'>): void {
    const { project, message = '', expected, found } = event
    const facts = [
      ...(expected === undefined ? [] : [`  expected: ${expected}`]),
      ...(found === undefined ? [] : [`  found:    ${found}`]),
    ]
    const subject = [this.#index, ...(project === undefined ? [] : [project])].join(': ')
    if (this.#limit.isDue(`${subject} ${message}`)) {
      this.#log('warning', [`${subject}: ${message}`, ...facts].join('\n'))
    }
    this.#write({ kind: 'warning', ...event, message: `${this.#index}: first-use: ${message}` })
  }

  /** How much of what was asked for could be compared at all. */
  tellCounts(counts: FirstUseCounts): void {
    const message = describeCounts(counts)
    if (message === undefined) return
    this.#write({ kind: 'warning', message: `${this.#index}: first-use: ${message}` })
  }

  #write(event: AuditEvent): void {
    if (this.#append === undefined) {
      this.#early.push(event)
      return
    }
    // Where the log cannot be written requests are refused; this line is told only here.
    this.#append(event).catch((error: unknown) => this.#log('error', describeError(error)))
  }
}

function pick({ project, code }: Extract<MirrorEvent, { kind: 'failed' }>): Partial<AuditEvent> {
  return { project, code }
}

/** `40 of 40 projects seen for the first time: nothing was compared`; nothing where nothing was asked for. */
export function describeCounts({ first, compared, unasked }: FirstUseCounts): string | undefined {
  const all = first + compared + unasked
  if (all === 0) return undefined
  const outcome =
    compared === 0 ? 'nothing was compared' : `${compared} compared with what was seen before`
  const projects = all === 1 ? 'project' : 'projects'
  const seen = `${first} of ${all} ${projects} seen for the first time: ${outcome}`
  return unasked === 0
    ? seen
    : `${seen}; ${unasked} could not be compared: the index did not answer, or not with a page`
}
