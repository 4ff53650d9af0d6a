/**
 * How a "no" looks on the wire: the one table from error code to HTTP status, the reason phrase that
 * pip prints, and the problem document that uv prints. It sends nothing.
 */

import { encodeUtf8, toPrintable, type Bytes } from '../base/bytes.ts'
import { type ErrorCode, type Facts, isTufgateError } from '../base/errors.ts'

/** Clients treat the two so differently that each has its own column. */
export type Resource = 'page' | 'file'

// A refused page is never 403 or 404: clients would go on to the next index. A decision is never 5xx:
// pip would ask six times and then hide the reason. 401 would make pip ask for a password.
const decided = { page: 451, file: 403 }
const unavailable = { page: 503, file: 503 }
// Not 502 for a file: pip 24 and later would ask six times, and then hide the reason.
const upstream = { page: 503, file: 504 }
const full = { page: 507, file: 507 }
const fault = { page: 500, file: 500 }

const statuses = {
  MALFORMED: decided,
  UNSUPPORTED: decided,
  SIGNATURE_THRESHOLD: decided,
  VERSION_ROLLBACK: decided,
  VERSION_MISMATCH: decided,
  ROLE_NOT_IN_SNAPSHOT: decided,
  SEARCH_LIMIT: decided,
  EXPIRED: decided,
  INDEX_UNSEEN: decided,
  CLOCK_WRONG: decided,
  LENGTH_MISMATCH: decided,
  DIGEST_MISMATCH: decided,
  CORE_METADATA_MISMATCH: decided,
  RECORD_REFUSED: decided,
  ROOT_CHANGED: decided,
  METADATA_UNAVAILABLE: unavailable,
  UNREACHABLE: upstream,
  TIMED_OUT: upstream,
  TOO_SLOW: upstream,
  BAD_STATUS: upstream,
  BROKEN_OFF: upstream,
  // Not let in, longer than signed, and a host that is not on the list: asking again changes nothing.
  ACCESS_DENIED: decided,
  TOO_LARGE: decided,
  HOST_REFUSED: decided,
  DENIED: decided,
  TOO_YOUNG: decided,
  NOT_PINNED: decided,
  REMOVED: decided,
  CONFLICT: decided,
  BAD_REQUEST: { page: 400, file: 400 },
  NOT_FOUND: { page: 404, file: 404 },
  METHOD_NOT_ALLOWED: { page: 405, file: 405 },
  HOST_NOT_ALLOWED: { page: 421, file: 421 },
  ORIGIN_NOT_ALLOWED: { page: 403, file: 403 },
  RANGE_NOT_SATISFIABLE: { page: 416, file: 416 },
  FORWARD_REFUSED: { page: 403, file: 403 },
  PROXY_AUTHENTICATION: { page: 407, file: 407 },
  NOT_SIGNED: { page: 451, file: 404 },
  DISK_FULL: full,
  STORAGE_FAILED: full,
  AUDIT_FAILED: full,
  STATE_BUSY: unavailable,
  SIGNER_FAILED: unavailable,
  CONFIG_INVALID: fault,
  KEY_INVALID: fault,
  STATE_NEWER: fault,
  HELD: fault,
} as const satisfies Record<ErrorCode, { page: number; file: number }>

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(statuses, code)
}

export function findStatus(code: ErrorCode, resource: Resource): number {
  return statuses[code][resource]
}

export interface Refusal {
  readonly status: number
  /** Printable ASCII, one line, ends in the request id: in parentheses, pdm and pipenv drop words in brackets. */
  readonly reason: string
  readonly headers: readonly string[]
  readonly body: Bytes
  /** Absent: a bug. */
  readonly code?: ErrorCode
  /** What happened, without the request id. */
  readonly message: string
  readonly facts: Omit<Facts, 'cause'>
}

/** For any thrown value; one without a code is a bug, and its text stays here. */
export function renderRefusal(error: unknown, resource: Resource, id: string): Refusal {
  const known = isTufgateError(error) ? error : undefined
  const status = known === undefined ? 500 : findStatus(known.code, resource)
  const message = toPrintable(
    known?.message ?? 'a fault of the proxy; its standard error says more',
    300,
  )
  const facts = known?.facts ?? { next: 'report it with the request id' }
  const title = status === 403 || status === 451 ? 'Refused by tufgate' : 'Not served by tufgate'
  const problem = {
    type: `urn:tufgate:problem:${(known?.code ?? 'BUG').toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: `${message} (${id})`,
    instance: `urn:tufgate:request:${id}`,
    code: known?.code ?? 'BUG',
    expected: toFact(facts.expected),
    found: toFact(facts.found),
    next: toFact(facts.next),
  }
  return {
    status,
    reason: `${title}: ${message} (${id})`,
    headers: headersOf(status),
    body: encodeUtf8(`${JSON.stringify(problem)}\n`),
    ...(known === undefined ? {} : { code: known.code }),
    message,
    facts,
  }
}

function toFact(raw: string | undefined): string | undefined {
  return raw === undefined ? undefined : toPrintable(raw, 500)
}

function headersOf(status: number): string[] {
  // Exactly this content type: uv reads the document only without a charset.
  const headers = ['Content-Type', 'application/problem+json', 'Cache-Control', 'no-store']
  if (status === 405) headers.push('Allow', 'GET, HEAD')
  // A whole number: poetry fails on a date. Small: pip sleeps for it up to five times.
  if (status === 503) headers.push('Retry-After', '2')
  // RFC 9110 11.7.1; the user name is always the same.
  if (status === 407) headers.push('Proxy-Authenticate', 'Basic realm="tufgate"')
  // What follows a request that was not understood cannot be told from its body.
  if (status === 400 || status === 405 || status === 421) headers.push('Connection', 'close')
  return headers
}
