/**
 * Every failure that this program foresees has a code; anything without one is a bug.
 *
 * The code, not the class, is what callers switch on, what the audit log records and what the
 * HTTP layer maps to a status.
 */

/** What was sent does not verify: never served, never retried. */
export type VerifyCode =
  | 'MALFORMED'
  | 'UNSUPPORTED'
  | 'SIGNATURE_THRESHOLD'
  | 'VERSION_ROLLBACK'
  | 'VERSION_MISMATCH'
  | 'ROLE_NOT_IN_SNAPSHOT'
  | 'SEARCH_LIMIT'
  | 'EXPIRED'
  | 'INDEX_UNSEEN'
  | 'CLOCK_WRONG'
  | 'LENGTH_MISMATCH'
  | 'DIGEST_MISMATCH'
  /** A wheel, and the `.metadata` that is signed beside it. */
  | 'CORE_METADATA_MISMATCH'
  | 'RECORD_REFUSED'
  | 'ROOT_CHANGED'

/** It could not be fetched: retried by us, within bounds, then by the client. */
export type UpstreamCode =
  | 'METADATA_UNAVAILABLE'
  | 'UNREACHABLE'
  | 'TIMED_OUT'
  | 'TOO_SLOW'
  | 'BAD_STATUS'
  /** The server does not let us in: asking again changes nothing, another password does. */
  | 'ACCESS_DENIED'
  | 'BROKEN_OFF'
  | 'TOO_LARGE'
  | 'HOST_REFUSED'

/** Somebody decided so; the file itself may verify. */
export type DecisionCode = 'DENIED' | 'TOO_YOUNG' | 'NOT_PINNED' | 'REMOVED' | 'CONFLICT'

/** The client asked for something that is not served. */
export type RequestCode =
  | 'BAD_REQUEST'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'HOST_NOT_ALLOWED'
  | 'ORIGIN_NOT_ALLOWED'
  | 'RANGE_NOT_SATISFIABLE'
  /** As an HTTP proxy: a host that may not be reached through this one, or TLS that is not looked into. */
  | 'FORWARD_REFUSED'
  /** As an HTTP proxy: the access token is missing or another one. */
  | 'PROXY_AUTHENTICATION'
  /** A name that an index claims by pattern, proven to be absent from its signed list. */
  | 'NOT_SIGNED'

/** Our own disk, log or state fails, or the command that signs for us. */
export type StorageCode =
  | 'DISK_FULL'
  | 'STORAGE_FAILED'
  | 'AUDIT_FAILED'
  | 'STATE_BUSY'
  | 'SIGNER_FAILED'

/** The operator's files or arguments are wrong; raised before any work is done. */
export type ConfigCode = 'CONFIG_INVALID' | 'KEY_INVALID' | 'STATE_NEWER' | 'HELD'

export type ErrorCode =
  | VerifyCode
  | UpstreamCode
  | DecisionCode
  | RequestCode
  | StorageCode
  | ConfigCode

/** What a program, or a person at a log, wants to know besides the sentence. */
export interface Facts {
  readonly expected?: string
  readonly found?: string
  readonly role?: string
  readonly version?: number
  readonly url?: string
  /** One sentence: what to do next. */
  readonly next?: string
  readonly cause?: unknown
}

export class TufgateError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code
  readonly facts: Omit<Facts, 'cause'>

  constructor(code: Code, message: string, { cause, ...facts }: Facts = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = this.constructor.name
    this.code = code
    this.facts = facts
  }
}

export class VerifyError extends TufgateError<VerifyCode> {}
export class UpstreamError extends TufgateError<UpstreamCode> {}
export class DecisionError extends TufgateError<DecisionCode> {}
export class RequestError extends TufgateError<RequestCode> {}
export class StorageError extends TufgateError<StorageCode> {}
export class ConfigError extends TufgateError<ConfigCode> {}

/** `instanceof` alone would narrow to `TufgateError<any>`. */
export function isTufgateError(error: unknown): error is TufgateError {
  return error instanceof TufgateError
}

/** The same without the call and the path, where the sentence around it names the path. */
export function describeSystemError(error: unknown): string {
  const text = describeError(error)
  const isOfSystem = error instanceof Error && 'syscall' in error && 'errno' in error
  const end = isOfSystem ? text.indexOf(`, ${String(error.syscall)}`) : -1
  return end < 0 ? text : text.slice(0, end)
}

/** A sentence for any thrown value. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
