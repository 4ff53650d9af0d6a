/**
 * A proxy that was started for one command lets nobody else use it as an HTTP proxy either: its clients
 * have the access token in the proxy's URL (http://tufgate:TOKEN@127.0.0.1:PORT), and send it by
 * themselves. It is not looked at where there is no token.
 */

import type { IncomingMessage } from 'node:http'
import { RequestError } from '../base/errors.ts'
import { createSecretCheck } from './access-path.ts'
import { countHeader } from './request-guard.ts'

export const forwardUser = 'tufgate'

/** Throws RequestError PROXY_AUTHENTICATION. */
export type RequireForwardAccess = (request: IncomingMessage) => void

export function createForwardAccess(token: string | undefined): RequireForwardAccess {
  if (token === undefined) return () => undefined
  const isSecret = createSecretCheck(`${forwardUser}:${token}`)
  return ({ headers, rawHeaders }) => {
    // RFC 7617.
    const [, encoded] =
      /^Basic +([A-Za-z0-9+/=]+)$/i.exec(headers['proxy-authorization'] ?? '') ?? []
    const given = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
    if (countHeader(rawHeaders, 'proxy-authorization') === 1 && isSecret(given)) return
    throw new RequestError(
      'PROXY_AUTHENTICATION',
      'this proxy belongs to one command, which knows its password',
      { next: 'use the proxy URL that tufgate set for the command, whole' },
    )
  }
}
