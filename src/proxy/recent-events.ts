/**
 * The last refusals and what policy hid, in memory. Equal ones are one with a number. What a client can
 * think up without an end (names, bad requests) has a place of its own, so that it pushes nothing else out.
 */

import type { AuditEvent } from '../audit/event.ts'
import type { LoggedEvent } from '../explain/explanation.ts'
import { findStatus, isErrorCode } from './refusal.ts'

export interface RecentEvent {
  /** The newest of equal ones. */
  readonly event: LoggedEvent
  readonly times: number
}

const maxListed = 50
const maxById = 500
const maxFactLength = 512

export class RecentEvents {
  readonly #decided = new Map<string, RecentEvent>()
  readonly #failed = new Map<string, RecentEvent>()
  /** The oldest first. */
  readonly #byId = new Map<string, LoggedEvent[]>()

  note(event: AuditEvent, time: number): void {
    if (event.kind !== 'refused' && event.kind !== 'hidden') return
    const logged = { ...cutFacts(event), time }
    putNewest(isDecided(event) ? this.#decided : this.#failed, logged)
    this.#keepById(logged)
  }

  /** Somebody or some check said no; the newest first. */
  get decided(): readonly RecentEvent[] {
    return [...this.#decided.values()].toReversed()
  }

  /** Not there, not reachable, asked for wrongly, or our own fault. */
  get failed(): readonly RecentEvent[] {
    return [...this.#failed.values()].toReversed()
  }

  find(id: string): readonly LoggedEvent[] {
    return this.#byId.get(id) ?? []
  }

  #keepById(event: LoggedEvent): void {
    if (event.id === undefined) return
    const known = this.#byId.get(event.id)
    if (known !== undefined) return void known.push(event)
    this.#byId.set(event.id, [event])
    const [oldest] = this.#byId.size > maxById ? this.#byId.keys() : []
    if (oldest !== undefined) this.#byId.delete(oldest)
  }
}

function putNewest(events: Map<string, RecentEvent>, event: LoggedEvent): void {
  const { kind, code, project, file } = event
  const key = JSON.stringify([kind, code, project, file])
  const times = (events.get(key)?.times ?? 0) + 1
  events.delete(key)
  events.set(key, { event, times })
  const [oldest] = events.size > maxListed ? events.keys() : []
  if (oldest !== undefined) events.delete(oldest)
}

/** For a page 451: the one status that only a decision has. Of a NOT_SIGNED name anybody can think. */
function isDecided({ kind, code = '' }: AuditEvent): boolean {
  if (kind === 'hidden') return true
  return isErrorCode(code) && code !== 'NOT_SIGNED' && findStatus(code, 'page') === 451
}

/** As the log does it: the others have a length. */
function cutFacts(event: AuditEvent): AuditEvent {
  const { expected, found, next } = event
  return {
    ...event,
    ...(expected !== undefined && { expected: expected.slice(0, maxFactLength) }),
    ...(found !== undefined && { found: found.slice(0, maxFactLength) }),
    ...(next !== undefined && { next: next.slice(0, maxFactLength) }),
  }
}
