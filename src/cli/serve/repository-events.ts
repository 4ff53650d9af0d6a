/** What a repository reports, as lines of the audit log. */

import type { AuditEvent } from '../../audit/event.ts'
import { formatSpan } from '../../base/clock.ts'
import { VerifyError } from '../../base/errors.ts'
import type { RepositoryEvent, TrustVersions } from '../../client/repository.ts'
import { describeSourceFailure, type SourceFailure } from '../../client/try-in-order.ts'
import type { Contact } from '../../store/floors.ts'

/** `undefined` for what is no news: the notary's own folder is looked at all the time. */
export function toFirstUseEvent(
  index: string,
  event: RepositoryEvent,
  before: TrustVersions,
): AuditEvent | undefined {
  const trust = { kind: 'first-use', ...event.trust } as const
  if (event.kind === 'refreshed') {
    if (event.trust.timestamp === before.timestamp) return undefined
    return { kind: 'refresh', message: `${index}: first-use: what was seen is kept`, trust }
  }
  const error = event.kind === 'failed' ? event.failure.error : event.error
  const message = `${index}: first-use: what was seen before cannot be read (${error.code})`
  return { kind: 'warning', code: error.code, message, trust }
}

/** Mirrors that offer older or bad metadata are worth a line; unreachable ones too. */
export function toAuditEvent(index: string, event: RepositoryEvent): AuditEvent {
  if (event.kind === 'refreshed') {
    const age = event.leftMs === undefined ? '' : `: ${describeAge(event.leftMs)}`
    const message = `${index}: checked ${event.source}${age}`
    return { kind: 'refresh', message, trust: event.trust }
  }
  const error = event.kind === 'failed' ? event.failure.error : event.error
  const what =
    event.kind === 'failed'
      ? describeMirrorFailure(event.failure)
      : `state on disk: ${error.message}`
  const { expected, found } = error.facts
  const isKept = event.kind === 'failed' && event.at === 'refresh' && event.isServing
  const kept =
    isKept && error instanceof VerifyError ? '; what was trusted before stays in force' : ''
  return {
    kind: 'warning',
    code: error.code,
    message: `${index}: ${what}${kept}`,
    trust: event.trust,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  }
}

/** Of a mirror that answers, with nothing that is newer. */
export function describeAge(leftMs: number): string {
  return `it has nothing newer, and the list expires in ${formatSpan(leftMs)}`
}

/** `undefined` where the floors of earlier refreshes are there. */
export function describeFirstContact(contact: Contact): string | undefined {
  const hence = 'an old list that has not expired cannot be recognised yet'
  if (contact === 'new') return `FIRST CONTACT with this root: ${hence}`
  if (contact === 'known') return undefined
  return `FIRST CONTACT again: what was trusted before is lost with floors.db, so ${hence}`
}

/** `mirror http://...: what happened`, with the place once. */
export function describeMirrorFailure(failure: SourceFailure): string {
  const { source, error } = failure
  const isInside = error.message.includes(source) && !error.message.startsWith(source)
  return `mirror${isInside ? ':' : ''} ${describeSourceFailure(failure)}`
}

export function formatTrust({ root, timestamp, snapshot }: TrustVersions): string {
  const parts = [`root ${root}`]
  if (timestamp !== undefined) parts.push(`timestamp ${timestamp}`)
  if (snapshot !== undefined) parts.push(`snapshot ${snapshot}`)
  return parts.join(', ')
}
