/** The append-only, hash-chained log. */

import type { Clock } from '../base/clock.ts'
import type { AuditEvent } from './event.ts'

export interface AuditHead {
  readonly chain: string
  readonly seq: number
  /** sha256 of the line, without its line feed. */
  readonly digest: string
}

/** Tells a living process's files from those of a dead one; store/process-owner.ts has it. */
export interface LogOwner {
  readonly id: string
  isAlive(id: string): boolean
}

export interface AuditLogOptions {
  readonly maxFileBytes: number
  readonly maxTotalBytes: number
  readonly clock: Clock
  readonly owner: LogOwner
  /** Stands in the first line, whose kind is `start`. */
  readonly start?: Omit<AuditEvent, 'kind'>
}

export class AuditLog {
  static async open(_directory: string, _options: AuditLogOptions): Promise<AuditLog> {
    return new AuditLog()
  }

  /** Resolves once the line is on disk; rejects with StorageError AUDIT_FAILED. */
  async append(_event: AuditEvent): Promise<void> {}

  /** The last line that is on disk. */
  head(): AuditHead {
    throw new Error('to come')
  }

  /** Writes what was collapsed so far. */
  async flush(): Promise<void> {}

  /** Writes a last line, whose kind is `stop`. */
  async close(_stop?: Omit<AuditEvent, 'kind'>): Promise<void> {}
}
