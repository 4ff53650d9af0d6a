/** Headers that hold for one connection only, and go no further (RFC 9110 7.6.1). */

import type { IncomingHttpHeaders } from 'node:http'

/** `Transfer-Encoding` is of its own: whoever writes the message on frames it anew. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]

/** Without them the message would mean something else: `Connection` may not name them. */
const needed: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'authorization',
  'cache-control',
])

export function removeHopByHop(headers: IncomingHttpHeaders): void {
  const nominated = (headers.connection ?? '').toLowerCase().split(',')
  for (const raw of nominated) {
    const name = raw.trim()
    if (!needed.has(name)) delete headers[name]
  }
  for (const name of hopByHop) delete headers[name]
}
