/**
 * A proxy for one command answers under an unguessable path only, so that no web page and no other user
 * of the machine can use it. The token is taken off before anything else sees the request, a log above all.
 */

import type { IncomingMessage } from 'node:http'
import type { AuditEvent } from '../audit/event.ts'
import { equalBytes, encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { RequestError } from '../base/errors.ts'

export interface AccessPath {
  /** Whether the request may be answered; afterwards its target has no token. */
  strip(request: IncomingMessage): boolean
  /** For the log: without the token, wherever in its target a client has put it. */
  hide(event: AuditEvent): AuditEvent
}

export function createAccessPath(token: string | undefined): AccessPath {
  if (token === undefined) return { strip: () => true, hide: (event) => event }
  const isToken = createSecretCheck(token)
  return {
    strip: (request) => {
      const [, origin = '', given = '', rest = ''] =
        /^(http:\/\/[^/?#]*)?\/([^/?#]*)(.*)$/is.exec(request.url ?? '') ?? []
      const isAdmitted = isToken(given)
      if (isAdmitted) request.url = `${origin}${rest.startsWith('/') ? rest : `/${rest}`}`
      return isAdmitted
    },
    hide: (event) => {
      const { request, found } = event
      return {
        ...event,
        ...(request !== undefined && { request: request.replaceAll(token, 'TOKEN') }),
        ...(found !== undefined && { found: found.replaceAll(token, 'TOKEN') }),
      }
    },
  }
}

export function refuseAccess(): RequestError {
  return new RequestError('NOT_FOUND', 'nothing is served under this path', {
    next: 'this proxy belongs to one command, which knows its address',
  })
}

/** Digests are compared: how much of a guess is right cannot be told by the time it takes. */
export function createSecretCheck(secret: string): (given: string) => boolean {
  const wanted = digest(secret)
  return (given) => equalBytes(digest(given), wanted)
}

function digest(text: string): Uint8Array {
  return encodeUtf8(sha256Hex(encodeUtf8(text)))
}
