/**
 * A resume behind bytes that left before they were verified: nothing ties it to them, and the rest put
 * behind them would be a file that nobody signed. It gets the whole, where the client is known to begin
 * again with that; others take the beginning off the whole, because they have one already.
 */

import type { IncomingMessage } from 'node:http'
import { RequestError } from '../base/errors.ts'

/** Bytes that may leave before the whole is verified (product: the trickle). */
export const maxUnverifiedBytes = 48

/** pip 25.1 and later: what is not a 206 is a new file. wget takes as much off it as it has. */
const beginsAgain = /^pip\//

/**
 * Answers that began after verification have an ETag, which the client sends back in `If-Range`: whoever
 * sends one takes a 200 for another file (RFC 9110 13.1.5).
 */
export function isBlindResume({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const [, first = ''] = /^\s*bytes=(\d+)-/i.exec(headers.range ?? '') ?? []
  const start = Number(first)
  return headers['if-range'] === undefined && start > 0 && start <= maxUnverifiedBytes
}

/** For an answer that would give the whole. Throws RequestError BAD_REQUEST. */
export function requireNoSplice(request: Pick<IncomingMessage, 'headers'>): void {
  const { range = '', 'user-agent': client = '' } = request.headers
  const isOpen = /^\s*bytes=\d+-\s*$/i.test(range)
  if (!isOpen || !isBlindResume(request) || beginsAgain.test(client)) return
  throw new RequestError(
    'BAD_REQUEST',
    'the first bytes that this client has were not verified: it must not go on from them',
    { found: range, next: 'remove what was begun, and ask for the whole file' },
  )
}
