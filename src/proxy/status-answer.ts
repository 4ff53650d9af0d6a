/** What the pages under `/-/` have in common: in which form somebody asks, and the form of the answer. */

import { escapeInvisible } from '../audit/line.ts'
import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import type { Exchange } from './exchange.ts'

export interface StatusAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Bytes
}

const jsonHeaders = [
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
  'Vary',
  'Accept',
]

/** What clients made up is in it, and it is read at terminals. */
export function answerJson(value: object, status = 200): StatusAnswer {
  const text = escapeInvisible(JSON.stringify(value))
  return { status, headers: jsonHeaders, body: encodeUtf8(`${text}\n`) }
}

/** Browsers and curl get the page; a program says what it wants. */
export function wantsJson({ request }: Exchange): boolean {
  const { accept = '' } = request.headers
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}
