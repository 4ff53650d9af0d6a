/**
 * The only writer of responses. Bodies have a `Content-Length` and are never chunked; an answer that
 * cannot be finished ends in FIN, never in RST, because pip crashes on the latter.
 */

import type { Bytes } from '../base/bytes.ts'
import { isHead, type Exchange } from './exchange.ts'
import type { TrustSummary } from './gateway.ts'
import type { Refusal } from './refusal.ts'

/** The most that is handed to the kernel at once, and what a client must take in its time. */
export const chunkBytes = 262_144

/** Between our FIN and the end of a connection whose other side does not close it. */
const lingerMs = 5000

/** `headers`: name, value, name, value; `Content-Length` is added. */
export function respondWhole(
  exchange: Exchange,
  status: number,
  headers: readonly string[],
  body: Bytes,
): void {
  const all = [...commonHeaders(exchange), ...headers, 'Content-Length', String(body.length)]
  exchange.response.writeHead(status, all)
  endWith(exchange, body)
}

export function respondNotModified(exchange: Exchange, headers: readonly string[]): void {
  exchange.response.writeHead(304, [...commonHeaders(exchange), ...headers])
  exchange.response.end()
}

/** Relative, so that it holds behind any host name or prefix. */
export function respondRedirect(exchange: Exchange, location: string): void {
  const headers = ['Location', location, 'Cache-Control', 'no-cache', 'Content-Length', '0']
  exchange.response.writeHead(301, [...commonHeaders(exchange), ...headers])
  exchange.response.end()
}

export function respondRefusal(exchange: Exchange, refusal: Refusal): void {
  const { status, reason, headers, body } = refusal
  const { refusalHeaders = [] } = exchange.subject
  // RFC 9110 5.3: what the refusal says by itself already is not said twice.
  const own = refusalHeaders.some((word) => headers.includes(word)) ? [] : refusalHeaders
  exchange.response.writeHead(status, reason, [
    ...commonHeaders(exchange),
    ...headers,
    ...own,
    'Content-Length',
    String(body.length),
  ])
  endWith(exchange, body)
}

/** A body in memory; what the kernel does not take at once is waited for, but not for ever. */
function endWith(exchange: Exchange, body: Bytes): void {
  const { response, patience } = exchange
  if (isHead(exchange) || body.length === 0) return void response.end()
  response.end(body)
  const { socket } = response
  if (socket === null || socket.writableLength === 0) return
  const stallMs = patience.clientStallMs * Math.ceil(body.length / chunkBytes)
  const stopTimer = patience.startTimer(stallMs, () => void socket.destroy())
  response.once('close', stopTimer)
}

/** Status and headers of a file; `length` is that of the body that follows with `sendChunk`. */
export function beginFile(
  exchange: Exchange,
  status: 200 | 206,
  headers: readonly string[],
  length: number | undefined,
): void {
  exchange.response.writeHead(status, [
    ...commonHeaders(exchange),
    ...headers,
    'Content-Type',
    'application/octet-stream',
    'Cache-Control',
    'no-cache',
    ...(length === undefined ? [] : ['Content-Length', String(length)]),
  ])
}

/** Ends an answer that has all it needs: to HEAD, or with an empty body. */
export function endEmpty({ response }: Exchange): void {
  response.end()
}

/** Resolves once the kernel has the chunk: true, and it may be overwritten; false, the client is gone. */
export async function sendChunk(
  { response, patience: { clientStallMs, startTimer } }: Exchange,
  chunk: Bytes,
  isLast: boolean,
): Promise<boolean> {
  if (response.closed || response.destroyed) return false
  return new Promise((resolve) => {
    const onClose = (): void => settle(false)
    const stopTimer = startTimer(clientStallMs, () => void response.socket?.destroy())
    const settle = (isSent: boolean): void => {
      stopTimer()
      response.off('close', onClose)
      resolve(isSent)
    }
    response.once('close', onClose)
    if (isLast) response.end(chunk, () => settle(true))
    else response.write(chunk, (error) => settle(error === undefined || error === null))
  })
}

/** For an answer that has begun and must not be completed: what was written leaves, then FIN. */
export function cutOff({ response, patience: { startTimer } }: Exchange): void {
  const { socket } = response
  if (socket === null) return
  socket.end()
  const stopTimer = startTimer(lingerMs, () => void socket.destroy())
  socket.once('close', stopTimer)
}

/** An answer to bytes that are not an HTTP request, for which there is no response object. */
export function renderRawRefusal({ status, reason, headers, body }: Refusal, id: string): Bytes {
  const lines = [`HTTP/1.1 ${status} ${reason}`, `X-Request-Id: ${id}`]
  for (let at = 0; at + 1 < headers.length; at += 2) {
    lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`)
  }
  lines.push(`Content-Length: ${body.length}`, '', '')
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body])
}

function commonHeaders({ id, subject }: Exchange): string[] {
  const headers = ['X-Request-Id', id, 'X-Content-Type-Options', 'nosniff']
  // Browsers that do not send Sec-Fetch-Site keep other web sites from reading an answer by this.
  headers.push('Cross-Origin-Resource-Policy', 'same-origin')
  if (subject.trust !== undefined) headers.push('X-Tufgate-Trust', renderTrust(subject.trust))
  return headers
}

function renderTrust({ root, timestamp, snapshot, firstUse }: TrustSummary): string {
  const versions = [firstUse === true ? 'first-use' : `root=${root}`]
  if (timestamp !== undefined) versions.push(`timestamp=${timestamp}`)
  if (snapshot !== undefined) versions.push(`snapshot=${snapshot}`)
  return versions.join(' ')
}
