/** What a repository reports, as lines of the audit log and of standard error. */

import type { AuditEvent } from '../audit/event.ts'
import { VerifyError } from '../base/errors.ts'
import type { RepositoryEvent, TrustVersions } from '../client/repository.ts'
import type { Contact } from '../store/floors.ts'
import type { Log } from './logger.ts'
import { formatFailure } from './terminal.ts'

export function logRepositoryEvent(index: string, event: RepositoryEvent, log: Log): void {
  if (event.kind === 'refreshed') {
    log('debug', `${index}: checked ${event.source}: ${formatTrust(event.trust)}`)
  } else if (event.kind === 'failed') {
    const { source, error } = event.failure
    log('warning', `${index}: mirror ${source}: ${formatFailure(error)}`)
  } else {
    log('warning', `${index}: the signed list on disk is not usable: ${formatFailure(event.error)}`)
  }
}

/** Mirrors that offer older or bad metadata are worth a line; unreachable ones too. */
export function toAuditEvent(index: string, event: RepositoryEvent): AuditEvent {
  if (event.kind === 'refreshed') {
    return { kind: 'refresh', message: `${index}: checked ${event.source}`, trust: event.trust }
  }
  const error = event.kind === 'failed' ? event.failure.error : event.error
  const source = event.kind === 'failed' ? `mirror ${event.failure.source}` : 'state on disk'
  const { expected, found } = error.facts
  const kept = error instanceof VerifyError ? '; what was trusted before stays in force' : ''
  return {
    kind: 'warning',
    code: error.code,
    message: `${index}: ${source}: ${error.message}${kept}`,
    trust: event.trust,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  }
}

/** `undefined` where the floors of earlier refreshes are there. */
export function describeFirstContact(contact: Contact): string | undefined {
  const accepted = 'any signed list that is not expired is accepted'
  if (contact === 'new') return `FIRST CONTACT with this root: ${accepted}`
  if (contact === 'known') return undefined
  return `FIRST CONTACT again: what was trusted before is lost with floors.db, so ${accepted}`
}

export function formatTrust({ root, timestamp, snapshot }: TrustVersions): string {
  const parts = [`root ${root}`]
  if (timestamp !== undefined) parts.push(`timestamp ${timestamp}`)
  if (snapshot !== undefined) parts.push(`snapshot ${snapshot}`)
  return parts.join(', ')
}
