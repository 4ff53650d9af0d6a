/**
 * What CONNECT may lead to: TLS that is ended here for the hosts of indexes, a tunnel to what the operator
 * lets pass, and nothing else. It decides on the head of the request only.
 */

import type { IncomingMessage } from 'node:http'
import type { SecureContext } from 'node:tls'
import { RequestError } from '../base/errors.ts'
import { findIndexesAt } from './addressee.ts'
import { type Authority, parseAuthority } from './authority.ts'
import { describeTarget } from './exchange.ts'
import type { ForwardPort } from './forward-port.ts'
import { requireLetPass } from './let-pass.ts'
import type { OwnHosts } from './own-hosts.ts'
import { requireConnectable } from './request-guard.ts'

export type ConnectRoute =
  | {
      readonly kind: 'end-tls'
      readonly authority: Authority
      readonly contextFor: (host: string) => Promise<SecureContext>
    }
  | { readonly kind: 'tunnel'; readonly authority: Authority }

/** Throws RequestError. */
export function routeConnect(
  request: IncomingMessage,
  isOwnHost: OwnHosts,
  port: ForwardPort,
): ConnectRoute {
  const authority = requireAuthority(request)
  requireConnectable(request, authority)
  if (findIndexesAt(port, authority).length > 0) return routeIndex(authority, port)
  const { localAddress, localPort } = request.socket
  if (authority.port === localPort && isOwnHost(authority.host, localAddress)) {
    throw new RequestError('FORWARD_REFUSED', 'CONNECT would lead to this proxy itself', {
      found: describeTarget(request.url ?? ''),
      next: 'ask it without CONNECT',
    })
  }
  requireLetPass(port, request, authority)
  return { kind: 'tunnel', authority }
}

/** RFC 9110 9.3.6: a host and a port, both always. */
function requireAuthority({ url = '' }: IncomingMessage): Authority {
  const authority = parseAuthority(url)
  if (authority !== undefined) return authority
  throw new RequestError('BAD_REQUEST', 'the target of CONNECT is not a host and a port', {
    found: describeTarget(url),
  })
}

function routeIndex(authority: Authority, { contextFor }: ForwardPort): ConnectRoute {
  if (contextFor !== undefined) return { kind: 'end-tls', authority, contextFor }
  const { host } = authority
  throw new RequestError(
    'FORWARD_REFUSED',
    // What clients print ends here: it has to say what to do.
    `HTTPS to ${host} cannot be looked into: use this proxy as the index URL, or turn [intercept] on`,
    {
      found: `${host}:${authority.port}`,
      next: 'use http://<this proxy>/simple/ as the index URL, or set enabled = true in [intercept] of the settings and give clients its certificate (tufgate ca export)',
    },
  )
}

export function refuseConnect({ url = '' }: IncomingMessage): RequestError {
  return new RequestError('METHOD_NOT_ALLOWED', 'CONNECT is not answered here', {
    found: describeTarget(url),
    next: 'use this proxy as the index URL, not as an HTTP proxy',
  })
}

export function refuseNested({ url = '' }: IncomingMessage): RequestError {
  return new RequestError('METHOD_NOT_ALLOWED', 'CONNECT is not answered inside of CONNECT', {
    found: describeTarget(url),
    next: 'connect to the proxy itself',
  })
}
