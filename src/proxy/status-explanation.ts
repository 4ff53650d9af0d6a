/** The page `/-/refused/ID`: an explanation, or that there is none. */

import type { Bytes } from '../base/bytes.ts'
import { explainRequest, type Explanation, type NextStep } from '../explain/explanation.ts'
import type { Exchange } from './exchange.ts'
import type { EntryLookup } from './proxy-state.ts'
import { answerJson, wantsJson, type StatusAnswer } from './status-answer.ts'
import { answerHtml, html, isolate, nothing, renderDocument, type Html } from './status-markup.ts'

export interface Question {
  readonly id: string
  readonly lookup: EntryLookup
  /** Of the audit log, for whoever may know. */
  readonly folder?: string | undefined
}

export function answerExplanation(
  { id, lookup, folder }: Question,
  exchange: Exchange,
): StatusAnswer {
  const isJson = wantsJson(exchange)
  // A line that counts others has no id of its own.
  const entries = lookup.entries.map((entry) => ({ ...entry, id }))
  const found = explainRequest(entries, folder === undefined ? {} : { LOG: folder })
  if (found === undefined) return answerMissing(id, lookup.searched, isJson)
  const shown = withoutOthers(found, exchange)
  return isJson ? answerJson(shown) : answerHtml(renderExplanationPage(shown))
}

/** Who it was is told to him alone; the operator finds it in the log. */
function withoutOthers({ who, ...rest }: Explanation, { request }: Exchange): Explanation {
  return who !== undefined && who === request.socket.remoteAddress ? { ...rest, who } : rest
}

const missing = {
  whole: {
    status: 404,
    detail:
      'The audit log of this proxy has no line with this id. It may be an id of another proxy, or older than what the log keeps.',
  },
  partly: {
    status: 404,
    detail:
      'The newest part of the audit log has no line with this id. Older parts are not looked at for a page; this command looks at all of them.',
  },
  busy: {
    status: 503,
    detail:
      'The audit log is being looked at for somebody else. Try again in a moment, or ask at a terminal.',
  },
} as const

function answerMissing(
  id: string,
  searched: EntryLookup['searched'],
  isJson: boolean,
): StatusAnswer {
  const { status, detail } = missing[searched]
  const title = status === 503 ? 'Not looked up' : `Nothing is known of ${id}`
  const next = `tufgate explain ${id}`
  return isJson
    ? answerJson({ title, status, detail, next }, status)
    : answerHtml(renderMissingPage(title, detail, next), status)
}

const badges = {
  refused: html`<span class="badge bad">Refused</span>`,
  hidden: html`<span class="badge warn">Hidden</span>`,
  delivered: html`<span class="badge good">Delivered</span>`,
  noted: html`<span class="badge warn">Noted</span>`,
} as const

function renderExplanationPage(explanation: Explanation): Bytes {
  const { outcome, file, project, asked, rule, clause, restsOn, also, placeholders } = explanation
  const name = isolate(file ?? project ?? asked ?? 'a request')
  const body = html`<header>
      ${badges[outcome]}
      <h1>${name}</h1>
    </header>
    <p class="lead"><a href="../">Status of the proxy</a></p>
    <main>
      <section>
        <h2>What happened</h2>
        ${renderHappened(explanation)}
      </section>
      <section>
        <h2>The rule</h2>
        <p>${rule}</p>
        ${clause === undefined ? nothing : html`<p class="faint">${clause}</p>`}
        ${restsOn === undefined ? nothing : html`<p class="faint">Rests on: ${restsOn}</p>`}
      </section>
      <section>
        <h2>
          ${outcome === 'delivered' ? 'What it means' : 'What it can mean, the likeliest first'}
        </h2>
        ${renderMeaning(explanation)}
      </section>
      ${renderSteps('If you ran the installer', explanation.next, 'user')}
      ${renderSteps('If you run the proxy', explanation.next, 'operator', placeholders)}
      ${
        also.length === 0
          ? nothing
          : html`<section>
              <h2>Also in the log</h2>
              <ul>
                ${also.map((text) => html`<li>${isolate(text)}</li>`)}
              </ul>
            </section>`
      }
    </main>`
  return renderDocument(`tufgate: ${explanation.title}`, body)
}

function renderHappened(explanation: Explanation): Html {
  const { happened, advice, compared, id, code, asked, who, when, count } = explanation
  const facts: readonly (readonly [string, string | undefined, boolean?])[] = [
    ...compared.map(([name, value]) => [name, value, true] as const),
    ['asked', asked, true],
    ['by', who],
    ['at', when.replace('T', ' ').replace('Z', ' UTC')],
    ['times', count === undefined ? undefined : String(count)],
    ['reason', code, true],
    ['request id', id, true],
  ]
  return html`${happened === undefined ? nothing : html`<p><strong>${isolate(happened)}</strong></p>`}
    ${advice === undefined ? nothing : html`<p>${isolate(advice)}</p>`}
    <dl>
      ${facts.map(([name, value, isCode]) => (value === undefined ? nothing : renderFact(name, value, isCode === true)))}
    </dl>`
}

function renderFact(name: string, value: string, isCode: boolean): Html {
  return html`<dt>${name}</dt><dd${isCode ? html` class="mono"` : nothing}>${isolate(value)}</dd>`
}

function renderMeaning({ meaning, outcome }: Explanation): Html {
  const items = meaning.map((text) => html`<li>${text}</li>`)
  return outcome === 'delivered'
    ? html`<ul>
        ${items}
      </ul>`
    : html`<ol>
        ${items}
      </ol>`
}

function renderSteps(
  title: string,
  next: readonly NextStep[],
  who: NextStep['who'],
  placeholders: readonly string[] = [],
): Html {
  const steps = next.filter((step) => step.who === who)
  if (steps.length === 0) return nothing
  return html`<section>
    <h2>${title}</h2>
    <ul>
      ${steps.map(renderStep)}
    </ul>
    ${placeholders.length === 0 ? nothing : html`<p class="faint">${placeholders.join('; ')}</p>`}
  </section>`
}

function renderStep({ text, command }: { readonly text: string; readonly command?: string }): Html {
  return html`<li>
    ${text}${command === undefined ? nothing : html`<pre><code>${command}</code></pre>`}
  </li>`
}

function renderMissingPage(title: string, detail: string, command: string): Bytes {
  const body = html`<header><h1>${title}</h1></header>
    <p class="lead"><a href="../">Status of the proxy</a></p>
    <main>
      <section>
        <p>${detail}</p>
        <pre><code>${command}</code></pre>
      </section>
    </main>`
  return renderDocument(`tufgate: ${title}`, body)
}
