/** What went through since the start, counted from the events of the audit log: some additions an event. */

import { passedUnverified, type AuditEvent } from '../audit/event.ts'
import { Durations } from './durations.ts'
import { RecentEvents } from './recent-events.ts'
import { isErrorCode } from './refusal.ts'

/** `own`: pages of the proxy about itself, redirects, the list of all projects. `passed`: of no index. */
export type AnswerKind = 'page' | 'file' | 'own' | 'passed' | 'refused'

const kinds = ['page', 'file', 'own', 'passed', 'refused'] as const satisfies readonly AnswerKind[]

interface Answers {
  count: number
  bytes: number
  readonly durations: Durations
}

export class Traffic {
  readonly recent = new RecentEvents()
  readonly #now: () => number
  readonly #answers = new Map<AnswerKind, Answers>(
    kinds.map((kind) => [kind, { count: 0, bytes: 0, durations: new Durations() }]),
  )
  readonly #refused = new Map<string, number>()
  readonly #hidden = new Map<string, number>()
  #auditFailures = 0

  constructor(now: () => number) {
    this.#now = now
  }

  note(event: AuditEvent): void {
    const kind = kindOf(event)
    if (kind !== undefined) this.#noteAnswer(kind, event)
    if (event.kind === 'refused') countUp(this.#refused, codeOf(event))
    if (event.kind === 'hidden') countUp(this.#hidden, codeOf(event))
    this.recent.note(event, this.#now())
  }

  /** The log could not be written. */
  noteAuditFailure(): void {
    this.#auditFailures += 1
  }

  get auditFailures(): number {
    return this.#auditFailures
  }

  /** Error codes and how often they were the reason. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused
  }

  get hidden(): ReadonlyMap<string, number> {
    return this.#hidden
  }

  get answers(): ReadonlyMap<AnswerKind, Readonly<Answers>> {
    return this.#answers
  }

  #noteAnswer(kind: AnswerKind, { bytes = 0, ms }: AuditEvent): void {
    const answers = this.#answers.get(kind)
    if (answers === undefined) return
    answers.count += 1
    answers.bytes += bytes
    if (ms !== undefined) answers.durations.note(ms)
  }
}

function kindOf({ kind, project, code, bytes }: AuditEvent): AnswerKind | undefined {
  // Its begin has a line of its own, without bytes.
  if (code === passedUnverified) return bytes === undefined ? undefined : 'passed'
  if (kind === 'page') return project === undefined ? 'own' : 'page'
  if (kind === 'released') return 'file'
  return kind === 'refused' ? 'refused' : undefined
}

/** Never more codes than the program has. */
function codeOf({ code = '' }: AuditEvent): string {
  return isErrorCode(code) ? code : 'BUG'
}

function countUp(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
