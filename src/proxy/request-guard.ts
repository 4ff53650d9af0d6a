/**
 * What a request must look like before anything is looked up: method, framing, `Host`, and no other
 * web site behind it. It decides on headers only.
 */

import type { IncomingMessage } from 'node:http'
import { RequestError } from '../base/errors.ts'
import type { OwnHosts } from './own-hosts.ts'

/** Installers send about ten, browsers about twenty. */
const maxHeaders = 100

/** Throws RequestError BAD_REQUEST, HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED or METHOD_NOT_ALLOWED. */
export function requireAcceptable(request: IncomingMessage, isOwnHost: OwnHosts): void {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    throw new RequestError('BAD_REQUEST', `HTTP version ${request.httpVersion} is not spoken here`)
  }
  if (request.rawHeaders.length > 2 * maxHeaders) {
    throw new RequestError('BAD_REQUEST', `a request may have ${maxHeaders} headers`)
  }
  requireNoBody(request)
  requireOwnHost(request, isOwnHost)
  requireOwnOrigin(request)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new RequestError('METHOD_NOT_ALLOWED', 'only GET and HEAD are answered here', {
      found: request.method ?? 'no method',
    })
  }
}

/** No request here has a body; what would follow one could be taken for the next request. */
function requireNoBody({ headers }: IncomingMessage): void {
  if (headers['transfer-encoding'] !== undefined) {
    throw new RequestError('BAD_REQUEST', 'requests with Transfer-Encoding are not accepted')
  }
  if ((headers['content-length'] ?? '0') !== '0') {
    throw new RequestError('BAD_REQUEST', 'requests with a body are not accepted')
  }
  if (headers.upgrade !== undefined || headers.expect !== undefined) {
    throw new RequestError('BAD_REQUEST', 'Upgrade and Expect are not accepted')
  }
}

function requireOwnHost(request: IncomingMessage, isOwnHost: OwnHosts): void {
  const { host } = request.headers
  // RFC 9112 3.2: none, or more than one, is a 400.
  if (host === undefined || countHeader(request.rawHeaders, 'host') !== 1) {
    throw new RequestError('BAD_REQUEST', 'a request needs exactly one Host header')
  }
  if (!isOwnHost(host, request.socket.localAddress)) {
    throw new RequestError(
      'HOST_NOT_ALLOWED',
      'the Host of the request is not a name of this proxy',
      {
        found: host,
        next: 'add the name to `hosts` in the settings if clients are meant to use it',
      },
    )
  }
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

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length === name.length && rawHeaders[at]?.toLowerCase() === name) count += 1
  }
  return count
}
