/** One request and its answer while they are under way, and what the audit log is told of them. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditEvent, AuditKind } from '../audit/event.ts'
import { toPrintable } from '../base/bytes.ts'
import type { TrustSummary } from './gateway.ts'
import type { Resource } from './refusal.ts'
import type { StartTimer } from './timer.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly id: string
  /** ms. */
  readonly startedAt: number
  readonly subject: Subject
  readonly patience: Patience
}

export interface Patience {
  /** A client that has not taken 256 kB in this time is cut off. */
  readonly clientStallMs: number
  readonly startTimer: StartTimer
}

/** Filled in as it becomes known, so that a refusal at any point can say what it is about. */
export interface Subject {
  resource: Resource
  project?: string
  file?: string
  expected?: string
  trust?: TrustSummary
  /** sha256 of the project record. */
  recordDigest?: string
  /** Headers that only this refusal has: name, value. */
  refusalHeaders?: readonly string[]
}

export function isHead({ request }: Exchange): boolean {
  return request.method === 'HEAD'
}

/** Whether the connection is gone, so that nothing can be answered. */
export function isGone({ request, response }: Exchange): boolean {
  return response.destroyed || response.closed || request.socket.destroyed
}

/** What the log is told of a request, whether or not there is a response to it. */
export type LoggedRequest = Pick<Exchange, 'request' | 'id' | 'startedAt' | 'subject'>

export function describeExchange(
  exchange: LoggedRequest,
  kind: AuditKind,
  now: number,
  details: Partial<AuditEvent> = {},
): AuditEvent {
  const { request, id, startedAt, subject } = exchange
  const { project, file, trust, recordDigest } = subject
  return {
    kind,
    id,
    client: request.socket.remoteAddress ?? 'gone',
    request: `${request.method ?? ''} ${describeTarget(request.url ?? '')}`,
    ...(project === undefined ? {} : { project }),
    ...(file === undefined ? {} : { file }),
    ...(trust === undefined ? {} : { trust: describeTrust(trust, recordDigest) }),
    ms: Math.max(0, now - startedAt),
    ...details,
  }
}

/** Without query, fragment and user information: they may be secrets. */
export function describeTarget(rawTarget: string): string {
  const end = rawTarget.search(/[?#]/)
  const path = end < 0 ? rawTarget : rawTarget.slice(0, end)
  return toPrintable(path.startsWith('/') ? path : path.replace(/^([^/]*\/\/)?[^/]*@/, '$1'), 300)
}

function describeTrust(trust: TrustSummary, record: string | undefined): AuditEvent['trust'] & {} {
  const { root, timestamp, snapshot, role, firstUse } = trust
  return {
    ...(firstUse === true ? { kind: 'first-use' } : {}),
    root,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(role === undefined ? {} : { role }),
    ...(record === undefined ? {} : { record }),
  }
}
