/**
 * What a person sees in whose browser something is refused: a page in place of the document for programs.
 * An installer never says that it navigates. Status, reason and log are the same.
 */

import type { Exchange } from './exchange.ts'
import type { Refusal } from './refusal.ts'

/** `Content-Type` and `Cache-Control` with their values stand first in each refusal. */
const ofProblem = 4

export async function toBrowser(exchange: Exchange, refusal: Refusal): Promise<Refusal> {
  if (exchange.request.headers['sec-fetch-mode'] !== 'navigate') return refusal
  const { documentHeaders } = await import('./status-markup.ts')
  const { renderRefusalPage } = await import('./status-refusal-page.ts')
  const kept = refusal.headers.slice(ofProblem)
  return {
    ...refusal,
    headers: [...documentHeaders, ...kept],
    body: renderRefusalPage(exchange, refusal),
  }
}
