/** Reads the log back. */

import type { AuditEvent, AuditKind } from './event.ts'

export interface AuditEntry extends AuditEvent {
  readonly chain: string
  readonly seq: number
  /** Milliseconds. */
  readonly time: number
  readonly prev: string
  /** So many equal events stand behind this line. */
  readonly count?: number
}

export interface AuditFilter {
  readonly project?: string
  readonly kinds?: readonly AuditKind[]
  readonly code?: string
  readonly ids?: readonly string[]
  /** Milliseconds; `since` is included, `until` is not. */
  readonly since?: number
  readonly until?: number
}

export async function* readAudit(
  _directory: string,
  _filter: AuditFilter = {},
): AsyncGenerator<AuditEntry> {}
