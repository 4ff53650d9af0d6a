/**
 * What a request must look like before anything is looked up: method, framing, `Host`, and no other
 * web site behind it. It decides on headers only.
 */

import type { IncomingMessage } from 'node:http'
import { toPrintable } from '../base/bytes.ts'
import { RequestError } from '../base/errors.ts'
import {
  type Authority,
  defaultPorts,
  formatAuthority,
  isSameAuthority,
  parseAuthority,
  type Scheme,
} from './authority.ts'
import type { OwnHosts } from './own-hosts.ts'

/** Installers send about ten, browsers about twenty. */
const maxHeaders = 100

/** Throws RequestError BAD_REQUEST, HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED or METHOD_NOT_ALLOWED. */
export function requireAcceptable(request: IncomingMessage, isOwnHost: OwnHosts): void {
  requirePlainHead(request)
  requireNoBody(request)
  requireOwnHost(request, isOwnHost)
  requireOwnOrigin(request)
  requireReading(request)
}

/** The same where the request names another server: `Host` must name the very same one. */
export function requireForwardable(
  request: IncomingMessage,
  authority: Authority,
  scheme: Scheme,
): void {
  requirePlainHead(request)
  requireNoBody(request)
  requireHostOf(request, authority, defaultPorts[scheme])
  requireOwnOrigin(request)
  requireReading(request)
}

/** For what is let pass to another server, which may have a body and other methods. */
export function requirePassable(request: IncomingMessage, authority: Authority): void {
  requirePlainHead(request)
  requireNoUpgrade(request)
  requireHostOf(request, authority, defaultPorts.http)
  requireOwnOrigin(request)
  const method = request.method ?? ''
  if (!passableMethods.has(method)) throw refuseMethod(method, 'is not let pass')
  // What a server makes of the body of a GET is anybody's guess (RFC 9110 9.3.1).
  if (!methodsWithBody.has(method)) requireNoBody(request)
}

/** CONNECT, where older clients send no `Host`. */
export function requireConnectable(request: IncomingMessage, authority: Authority): void {
  requirePlainHead(request)
  requireNoBody(request)
  if (request.headers.host !== undefined) requireHostOf(request, authority, authority.port)
  requireOwnOrigin(request)
}

const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
const passableMethods: ReadonlySet<string> = new Set([
  ...methodsWithBody,
  'GET',
  'HEAD',
  'DELETE',
  'OPTIONS',
])

function requirePlainHead(request: IncomingMessage): void {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    throw new RequestError('BAD_REQUEST', `HTTP version ${request.httpVersion} is not spoken here`)
  }
  if (request.rawHeaders.length > 2 * maxHeaders) {
    throw new RequestError('BAD_REQUEST', `a request may have ${maxHeaders} headers`)
  }
}

function requireReading({ method = '' }: IncomingMessage): void {
  if (method !== 'GET' && method !== 'HEAD') {
    throw refuseMethod(method, 'is not answered here: only GET and HEAD are')
  }
}

/** No request here has a body; what would follow one could be taken for the next request. */
function requireNoBody(request: IncomingMessage): void {
  const { headers } = request
  if (headers['transfer-encoding'] !== undefined) {
    throw new RequestError('BAD_REQUEST', 'requests with Transfer-Encoding are not accepted')
  }
  if ((headers['content-length'] ?? '0') !== '0') {
    throw new RequestError('BAD_REQUEST', 'requests with a body are not accepted')
  }
  requireNoUpgrade(request)
}

function requireNoUpgrade({ headers }: IncomingMessage): void {
  if (headers.upgrade !== undefined || headers.expect !== undefined) {
    throw new RequestError('BAD_REQUEST', 'Upgrade and Expect are not accepted')
  }
}

function requireOwnHost(request: IncomingMessage, isOwnHost: OwnHosts): void {
  const host = requireOneHost(request)
  if (!isOwnHost(host, request.socket.localAddress)) {
    throw new RequestError(
      'HOST_NOT_ALLOWED',
      'the Host of the request is not a name of this proxy',
      {
        found: showHost(host),
        next: 'add the name to `hosts` in the settings if clients are meant to use it',
      },
    )
  }
}

/** RFC 9112 3.2.2 lets a proxy pass over `Host`: what the two mean could then differ on the way. */
function requireHostOf(request: IncomingMessage, authority: Authority, defaultPort: number): void {
  const rawHost = requireOneHost(request)
  const named = parseAuthority(rawHost, defaultPort)
  if (named !== undefined && isSameAuthority(named, authority)) return
  throw new RequestError('HOST_NOT_ALLOWED', 'the Host of the request is not the host in its URL', {
    expected: formatAuthority(authority),
    found: showHost(rawHost),
    next: 'look for what rewrites requests between the client and this proxy',
  })
}

/** What somebody takes for a place of user name and password is in no log. */
function showHost(rawHost: string): string {
  return rawHost.slice(rawHost.lastIndexOf('@') + 1)
}

function requireOneHost({ headers: { host }, rawHeaders }: IncomingMessage): string {
  // RFC 9112 3.2: none, or more than one, is a 400.
  if (host === undefined || countHeader(rawHeaders, 'host') !== 1) {
    throw new RequestError('BAD_REQUEST', 'a request needs exactly one Host header')
  }
  return host
}

/** A page of another web site can send requests here, but cannot hide where they come from. */
function requireOwnOrigin({ headers }: IncomingMessage): void {
  const { origin, host = '' } = headers
  const site = headers['sec-fetch-site']
  const isForeign =
    (origin !== undefined && !/^https?:\/\//.test(origin)) ||
    (origin !== undefined &&
      origin.replace(/^https?:\/\//, '').toLowerCase() !== host.toLowerCase()) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none')
  if (!isForeign) return
  throw new RequestError(
    'ORIGIN_NOT_ALLOWED',
    'the request was made by a page of another web site',
    {
      found: origin ?? `Sec-Fetch-Site: ${String(site)}`,
      next: 'open the address by hand',
    },
  )
}

function refuseMethod(method: string, problem: string): RequestError {
  return new RequestError('METHOD_NOT_ALLOWED', `${toPrintable(method, 20)} ${problem}`, {
    found: method,
  })
}

export function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === name.length && rawHeaders[at]?.toLowerCase() === name) count += 1
  }
  return count
}
