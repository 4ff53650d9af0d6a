/** What can stand in the audit log: one line for each thing that somebody may ask about later. */

/** `released`: a verified file was handed out. `page`: a page was. `refused`: something was not. */
export const auditKinds = [
  'start',
  'refresh',
  'page',
  'released',
  'refused',
  'hidden',
  'warning',
  'stop',
] as const

export type AuditKind = (typeof auditKinds)[number]

/** What came from a server that is no index: as it was, and checked by nobody. `found` is the server. */
export const passedUnverified = 'PASSED_UNVERIFIED'

/** Which signed list the answer rests on, or what was seen at first use. */
export interface AuditTrust {
  readonly kind?: 'first-use'
  readonly root: number
  readonly timestamp?: number
  readonly snapshot?: number
  /** The role that lists the project record. */
  readonly role?: string
  /** sha256 of the project record. */
  readonly record?: string
}

export interface AuditEvent {
  readonly kind: AuditKind
  /** Request id. */
  readonly id?: string
  /** Address of the client. */
  readonly client?: string
  /** Method and path, without a query. */
  readonly request?: string
  readonly project?: string
  readonly file?: string
  readonly expected?: string
  readonly found?: string
  /** An `ErrorCode` for a refusal or warning; `passedUnverified` of a page that was only let pass. */
  readonly code?: string
  readonly message?: string
  /** Of a refusal: what it advised to do. */
  readonly next?: string
  readonly trust?: AuditTrust
  /** Length of the body sent. */
  readonly bytes?: number
  /** Milliseconds from request to decision. */
  readonly ms?: number
}
