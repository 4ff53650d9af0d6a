/**
 * What a person sees in whose browser something is refused: a page in place of the document for programs.
 * An installer never says that it navigates. Status, reason and log are the same.
 */

import type { Bytes } from '../base/bytes.ts'
import { findExplanation } from '../explain/find-explanation.ts'
import type { Exchange } from './exchange.ts'
import type { Refusal } from './refusal.ts'
import { documentHeaders, html, isolate, renderDocument } from './status-markup.ts'

export function toBrowser({ request, id, subject }: Exchange, refusal: Refusal): Refusal {
  if (request.headers['sec-fetch-mode'] !== 'navigate') return refusal
  const isStray = refusal.code === 'NOT_FOUND' && subject.project === undefined
  const advice = isStray ? stray : findAdvice(refusal)
  const kept = refusal.headers.slice(ofProblem)
  return {
    ...refusal,
    headers: [...documentHeaders, ...kept],
    body: renderPage(refusal, advice, id),
  }
}

/** `Content-Type` and `Cache-Control` with their values stand first in each refusal. */
const ofProblem = 4

interface Advice {
  readonly rule: string
  readonly steps: readonly string[]
}

const stray: Advice = {
  rule: 'Nothing of this proxy is at this address.',
  steps: ['For an installer, the address ends in /simple/.', 'The status of the proxy is at /-/.'],
}

function findAdvice({ code }: Refusal): Advice {
  const { rule, next } = findExplanation(code ?? 'BUG')
  return { rule, steps: next.user.map(({ text }) => text) }
}

/** It links nowhere: whoever came from another web site is to decide by himself to go on. */
function renderPage({ message, status }: Refusal, { rule, steps }: Advice, id: string): Bytes {
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
          ${steps.map((text) => html`<li>${text}</li>`)}
        </ul>
        <p class="faint">Request id <code>${id}</code></p>
      </section>
    </main>`
  return renderDocument(title, body)
}
