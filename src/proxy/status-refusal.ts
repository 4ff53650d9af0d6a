/**
 * What a person sees in whose browser something is refused: a page in place of the document for programs.
 * An installer never says that it navigates. Status, reason and log are the same.
 */

import type { Bytes } from '../base/bytes.ts'
import { findExplanation } from '../explain/find-explanation.ts'
import type { Exchange } from './exchange.ts'
import type { Refusal } from './refusal.ts'
import { documentHeaders, html, isolate, renderDocument } from './status-markup.ts'

export function toBrowser({ request, id }: Exchange, refusal: Refusal): Refusal {
  if (request.headers['sec-fetch-mode'] !== 'navigate') return refusal
  const kept = refusal.headers.slice(ofProblem)
  return { ...refusal, headers: [...documentHeaders, ...kept], body: renderPage(refusal, id) }
}

/** `Content-Type` and `Cache-Control` with their values stand first in each refusal. */
const ofProblem = 4

/** It links nowhere: whoever came from another web site is to decide by himself to go on. */
function renderPage({ code, message, status }: Refusal, id: string): Bytes {
  const { rule, next } = findExplanation(code ?? 'BUG')
  const title = status === 403 || status === 451 ? 'Refused by tufgate' : 'Not served by tufgate'
  const body = html`<header>
      <h1>${title}</h1>
      <span class="badge bad">${status}</span>
    </header>
    <main>
      <section>
        <h2>What happened</h2>
        <p><strong>${isolate(message)}</strong></p>
        <p>${rule}</p>
      </section>
      <section>
        <h2>What to do</h2>
        <ul>
          ${next.user.map(({ text }) => html`<li>${text}</li>`)}
        </ul>
        <p class="faint">Request id <code>${id}</code></p>
      </section>
    </main>`
  return renderDocument(title, body)
}
