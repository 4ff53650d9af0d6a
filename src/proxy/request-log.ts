/**
 * One audit event for each request, and how long an answer waits for it: a refusal and a release until
 * it is on disk, a page only while the log is known to be broken or far behind.
 */

import type { AuditEvent } from '../audit/event.ts'
import { describeError, StorageError } from '../base/errors.ts'
import type { Traffic } from './traffic.ts'

/** Lines of pages that may be under way to the disk; beyond that, pages wait too. */
const maxPending = 512

export interface RequestLogOptions {
  append(event: AuditEvent): Promise<void>
  /** Told of what the log has taken, and of what it could not take. */
  readonly traffic?: Pick<Traffic, 'note' | 'noteAuditFailure'>
  reportFault(message: string): void
}

export class RequestLog {
  readonly #options: RequestLogOptions
  #pending = 0
  #isBroken = false

  constructor(options: RequestLogOptions) {
    this.#options = options
  }

  /** Resolves once the event is on disk; throws StorageError, by default AUDIT_FAILED. */
  async requireWritten(event: AuditEvent): Promise<void> {
    try {
      await this.#options.append(event)
      this.#isBroken = false
      this.#options.traffic?.note(event)
    } catch (cause) {
      this.#isBroken = true
      this.#options.traffic?.noteAuditFailure()
      throw toStorageError(cause)
    }
  }

  /** For pages: returns at once, unless there is reason to wait for the disk. */
  async note(event: AuditEvent): Promise<void> {
    if (this.#isBroken || this.#pending >= maxPending) return this.requireWritten(event)
    this.#pending += 1
    void this.#write(event)
  }

  async #write(event: AuditEvent): Promise<void> {
    try {
      await this.requireWritten(event)
    } catch (error) {
      // The page is on its way; from now on pages are refused until a line can be written.
      this.#options.reportFault(describeError(error))
    } finally {
      this.#pending -= 1
    }
  }
}

function toStorageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause
  return new StorageError('AUDIT_FAILED', 'the audit log cannot be written', {
    cause,
    found: describeError(cause),
    next: 'see to the disk and the permissions of the state directory',
  })
}
