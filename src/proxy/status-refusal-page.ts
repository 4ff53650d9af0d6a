/** The page of a refusal for a person. It links nowhere: whoever came from another web site decides by himself to go on. */

import type { Bytes } from '../base/bytes.ts'
import { findExplanation } from '../explain/find-explanation.ts'
import type { Exchange } from './exchange.ts'
import type { Refusal } from './refusal.ts'
import { html, isolate, renderDocument } from './status-markup.ts'

interface Advice {
  readonly rule: string
  readonly steps: readonly string[]
}

const stray: Advice = {
  rule: 'Nothing of this proxy is at this address.',
  steps: ['For an installer, the address ends in /simple/.', 'The status of the proxy is at /-/.'],
}

export function renderRefusalPage({ id, subject }: Exchange, refusal: Refusal): Bytes {
  const { code, message, status } = refusal
  const isStray = code === 'NOT_FOUND' && subject.project === undefined
  const { rule, steps } = isStray ? stray : findAdvice(refusal)
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

function findAdvice({ code }: Refusal): Advice {
  const { rule, next } = findExplanation(code ?? 'BUG')
  return { rule, steps: next.user.map(({ text }) => text) }
}
