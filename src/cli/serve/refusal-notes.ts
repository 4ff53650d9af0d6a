/**
 * What is refused or hidden, for the operator on standard error: a line for each file or project and
 * minute, a line a minute where no list may be used, and nothing that is not in the audit log. What a
 * mirror or the disk is at fault for, and what a client asks for wrongly, is told elsewhere or not at all.
 */

import type { AuditEvent } from '../../audit/event.ts'
import { toPrintable } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { isTufgateError, type ErrorCode } from '../../base/errors.ts'
import { findTrustWords, type TrustKind } from '../../base/trust-words.ts'
import { formatUntil, type PageDecision } from '../../policy/decide.ts'
import type { Log } from '../logger.ts'
import { OnceAMinute } from '../once-a-minute.ts'
import { formatFailure } from '../terminal.ts'

/** pip looks for itself now and then, whatever is installed: no news. */
const installer = 'pip'

/** Somebody has shown another content, or a rule says no, or an index does not let us in. */
const told: ReadonlySet<string> = new Set<ErrorCode>([
  'LENGTH_MISMATCH',
  'DIGEST_MISMATCH',
  'CORE_METADATA_MISMATCH',
  'TOO_LARGE',
  'ACCESS_DENIED',
  'RECORD_REFUSED',
  'DENIED',
  'TOO_YOUNG',
  'NOT_PINNED',
  'REMOVED',
  'CONFLICT',
])

/** An installer says "no matching distribution" of every project then. */
const toldOfList: ReadonlySet<string> = new Set<ErrorCode>([
  'EXPIRED',
  'INDEX_UNSEEN',
  'CLOCK_WRONG',
])

export class RefusalNotes {
  readonly #log: Log
  readonly #limit: OnceAMinute
  /** Of its own: made-up names must not silence the rest. */
  readonly #absentLimit: OnceAMinute
  /** Of their own: names that a client makes up must not silence them. */
  readonly #refusalLimit: OnceAMinute
  readonly #hiddenLimit: OnceAMinute
  readonly #listLimit: OnceAMinute
  /** Of its own: hosts that a client makes up must not silence the rest. */
  readonly #forwardLimit: OnceAMinute

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#limit = new OnceAMinute(clock)
    this.#absentLimit = new OnceAMinute(clock)
    this.#refusalLimit = new OnceAMinute(clock)
    this.#hiddenLimit = new OnceAMinute(clock)
    this.#listLimit = new OnceAMinute(clock)
    this.#forwardLimit = new OnceAMinute(clock)
  }

  /** With a mirror: the project is proven not to be signed. */
  noteAbsent(project: string, trust: TrustKind): void {
    if (!this.#absentLimit.isDue(project)) return
    this.#log(
      project === installer ? 'debug' : 'info',
      trust === 'first-use'
        ? findTrustWords(trust).absent(project)
        : `${project} is not in the signed list. On the mirror: tufgate mirror sync FOLDER --project ${project}`,
    )
  }

  /** Why a download failed; only a host that the settings do not name is for the operator. */
  noteFailedDownload(project: string, error: unknown): void {
    if (!isTufgateError(error) || error.code !== 'HOST_REFUSED') return
    if (!this.#limit.isDue(`host ${project}`)) return
    this.#log('warning', `${project}: ${formatFailure(error)}`)
  }

  /** A refusal as it was written; the request id finds the rest of it. */
  noteRefusal(event: AuditEvent): void {
    const { code = '', project = '', file, message = '', id = '' } = event
    if (code === 'FORWARD_REFUSED') return this.#noteForward(event)
    if (toldOfList.has(code)) return this.#noteList(event)
    if (!told.has(code) || !this.#refusalLimit.isDue(`${project} ${file ?? ''} ${code}`)) return
    this.#log('warning', `refused ${toPrintable(file ?? project, 200)}: ${message} (${id})`)
  }

  /** One line for all projects that it holds for. */
  #noteList({ project = '', message = '', next = '', id = '' }: AuditEvent): void {
    if (!this.#listLimit.isDue(message)) return
    const hint = next === '' ? '' : `\n  ${next}`
    this.#log('warning', `refused ${toPrintable(project, 200)}: ${message} (${id})${hint}`)
  }

  /** Many clients do not show why CONNECT was refused, and who does not trust our authority hears nothing else. */
  #noteForward({ message = '', next = '', id = '' }: AuditEvent): void {
    if (!this.#forwardLimit.isDue(message)) return
    this.#log('warning', `refused: ${message} (${id})${next === '' ? '' : `\n  ${next}`}`)
  }

  /** @param pinsName the pins file, where there is one */
  noteWhollyHidden(project: string, decision: PageDecision, pinsName?: string): void {
    if (!this.#hiddenLimit.isDue(project)) return
    this.#log('warning', `${project}: ${describeHiding(project, decision, pinsName)}`)
  }
}

/** An installer says "no matching distribution", whatever the reason. */
function describeHiding(
  project: string,
  decision: PageDecision,
  pinsName: string | undefined,
): string {
  const hidden = [...decision.rulings.values()].filter(({ kind }) => kind === 'hide')
  const count = `${hidden.length} files`
  if (hidden.every(({ code }) => code === 'NOT_PINNED')) {
    const subject = hidden.length === 1 ? 'its 1 file is not' : `none of its ${count} is`
    return `${subject} in ${pinsName ?? 'the pins file'}; add them with tufgate pins export, or take --pins away`
  }
  const until = decision.until === undefined ? '' : `, until ${formatUntil(decision.until)}`
  if (hidden.some(({ code }) => code === 'NOT_PINNED')) {
    return `each of its files is not pinned, or younger than min-age allows${until}`
  }
  return `${hidden.length === 1 ? 'its 1 file' : `each of its ${count}`} is younger than min-age allows${until}; except = ["${project}"] under [policy] takes the project out of it`
}
