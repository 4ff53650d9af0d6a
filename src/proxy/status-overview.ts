/** The page `/-/`: how the proxy is, which list it holds, and what it refused last. */

import type { Bytes } from '../base/bytes.ts'
import { formatBytes } from '../base/byte-count.ts'
import { formatSpan } from '../base/clock.ts'
import { findTrustWords } from '../base/trust-words.ts'
import type { Readiness } from './gateway.ts'
import type { IndexState, ProxyState, RoleState } from './proxy-state.ts'
import type { RecentEvent } from './recent-events.ts'
import type { StatusAnswer } from './status-answer.ts'
import {
  answerHtml,
  describeDistance,
  html,
  isolate,
  nothing,
  renderDocument,
  renderTime,
  type Html,
} from './status-markup.ts'
import type { Traffic } from './traffic.ts'

export interface Overview {
  readonly state: ProxyState
  readonly readiness: Readiness
  readonly traffic: Traffic
  /** ms */
  readonly now: number
}

const shownEvents = 25

export function answerOverview(overview: Overview): StatusAnswer {
  return answerHtml(renderOverview(overview))
}

function renderOverview(overview: Overview): Bytes {
  const { state, readiness, traffic, now } = overview
  const { decided, failed } = traffic.recent
  const body = html`<header>
      <h1>tufgate</h1>
      ${renderBadge(readiness)}
    </header>
    <p class="lead">
      Version ${state.version}, running for ${formatSpan(now - state.startedAt)}. As of
      ${renderTime(now)}.
    </p>
    <main>
      <section aria-labelledby="indexes">
        <h2 id="indexes">${state.indexes.length === 1 ? 'Index' : 'Indexes'}</h2>
        ${state.indexes.map((index) => renderIndex(index, readiness, now))}
      </section>
      <section aria-labelledby="refused">
        <h2 id="refused">Last refused or hidden</h2>
        ${renderEvents(decided, now, true)}
      </section>
      ${renderFailed(failed, now)}
      <section aria-labelledby="counts">
        <h2 id="counts">Since the start</h2>
        ${renderCounts(traffic)}
      </section>
      <section aria-labelledby="disk">
        <h2 id="disk">On disk</h2>
        ${renderDisk(state)}
      </section>
    </main>
    <footer>
      For programs: <a href="metrics">metrics</a>, <a href="ready">ready</a>,
      <a href="health">health</a>; this page as JSON with <code>Accept: application/json</code>.
    </footer>`
  return renderDocument('tufgate: status', body)
}

function renderBadge({ ready }: Readiness): Html {
  return ready
    ? html`<span class="badge good">Serving</span>`
    : html`<span class="badge bad">Not serving everything</span>`
}

function renderIndex(index: IndexState, { checks }: Readiness, now: number): Html {
  const check = checks.find(({ name }) => name === index.name)
  const problem =
    check === undefined || check.ok
      ? nothing
      : html`<p><span class="badge bad">Not served</span> ${check.detail}</p>`
  return html`<div class="index">
    <h3>${index.name} <span class="faint">${index.url}</span></h3>
    ${problem}${renderTrust(index)}
    ${index.roles.length === 0 ? html`<p>Nothing is there yet.</p>` : renderRoles(index.roles, now)}
    ${renderSeen(index, now)}
  </div>`
}

function renderTrust({ trustKind }: IndexState): Html {
  return trustKind === 'first-use'
    ? html`<p>
        <span class="badge warn">Trust on first use</span> What was seen first is kept, and later
        changes are not served. Nobody vouches for that first time.
      </p>`
    : html`<p class="faint">What is not in its ${findTrustWords(trustKind).list} is not served.</p>`
}

/** For whoever does not know the names of TUF. */
const purposes = {
  timestamp: 'how fresh the list is',
  snapshot: 'its table of contents',
  targets: 'who may list what',
  root: 'whose keys count',
} as const

/** What expires first comes first. */
function renderRoles(all: readonly RoleState[], now: number): Html {
  const roles = all.toSorted((left, right) => left.expires - right.expires)
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Part of the list</th>
        <th scope="col" class="number">Version</th>
        <th scope="col" class="number">Expires</th>
      </tr>
    </thead>
    <tbody>
      ${roles.map(
        ({ role, version, expires }) =>
          html` <tr>
            <th scope="row">${role} <span class="faint">${purposes[role]}</span></th>
            <td class="number">${version}</td>
            <td class="number">${renderExpiry(expires, now)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

function renderExpiry(expires: number, now: number): Html {
  const distance = describeDistance(expires, now)
  const text =
    expires <= now ? html`<span class="badge bad">expired ${distance}</span>` : html`${distance}`
  return html`${text} <span class="faint">${renderTime(expires)}</span>`
}

function renderSeen({ indexSeenAt, trustKind }: IndexState, now: number): Html {
  if (indexSeenAt === undefined) return nothing
  const who =
    trustKind === 'first-use' ? 'The index was last seen' : 'The mirror last saw the index'
  return html`<p>
    ${who} ${describeDistance(indexSeenAt, now)}
    <span class="faint">(${renderTime(indexSeenAt)})</span>.
  </p>`
}

function renderEvents(events: readonly RecentEvent[], now: number, isDecision: boolean): Html {
  if (events.length === 0) return html`<p>Nothing, since the start.</p>`
  const rest = events.length - shownEvents
  return html`<ul class="events">
      ${events.slice(0, shownEvents).map((one) => renderEvent(one, now, isDecision))}
    </ul>
    ${rest > 0 ? html`<p class="faint">And ${rest} more, in the audit log.</p>` : nothing}`
}

function renderEvent({ event, times }: RecentEvent, now: number, isDecision: boolean): Html {
  const { id, kind, project, file, request, code, message, time } = event
  const name = isolate(file ?? project ?? request ?? 'a request')
  const badge =
    kind === 'hidden'
      ? html`<span class="badge warn">hidden</span>`
      : isDecision
        ? html`<span class="badge bad">refused</span>`
        : html`<span class="badge warn">not served</span>`
  const what = id === undefined ? name : html`<a href="refused/${id}">${name}</a>`
  return html` <li>
    ${badge} <span class="what">${what}</span>
    <p>${isolate(message ?? '')}</p>
    <p class="faint">
      ${describeDistance(time, now)}
      (${renderTime(time)})${times > 1 ? html`, ${times} times` : nothing}${code === undefined ? nothing : html`, ${code}`}${id === undefined ? nothing : html`, <code>${id}</code>`}
    </p>
  </li>`
}

/** Typing errors, and an installer that looks for itself: nobody needs to see them first. */
function renderFailed(events: readonly RecentEvent[], now: number): Html {
  if (events.length === 0) return nothing
  return html`<section>
    <details>
      <summary>Not there, not reachable or asked for wrongly: ${events.length}</summary>
      ${renderEvents(events, now, false)}
    </details>
  </section>`
}

function renderCounts({ answers, refused, hidden }: Traffic): Html {
  const bytes = [...answers.values()].reduce((sum, one) => sum + one.bytes, 0)
  const tiles = [
    ['files delivered', answers.get('file')?.count ?? 0],
    ['pages', answers.get('page')?.count ?? 0],
    ['refused', answers.get('refused')?.count ?? 0],
    ['sent', formatBytes(bytes)],
  ] as const
  return html`<div class="tiles">
      ${tiles.map(([name, value]) => html`<div><strong>${value}</strong>${name}</div>`)}
    </div>
    ${renderCodes([...refused], [...hidden])}`
}

type Count = readonly [code: string, count: number]

function renderCodes(refused: readonly Count[], hidden: readonly Count[]): Html {
  if (refused.length + hidden.length === 0) return nothing
  const row =
    (what: string) =>
    ([code, count]: Count) =>
      html`<tr>
        <th scope="row"><code>${code}</code> <span class="faint">${what}</span></th>
        <td class="number">${count}</td>
      </tr>`
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Reason</th>
        <th scope="col" class="number">Times</th>
      </tr>
    </thead>
    <tbody>
      ${sortCounts(refused).map(row('refused'))}${sortCounts(hidden).map(row('pages with hidden files'))}
    </tbody>
  </table>`
}

function sortCounts(counts: readonly Count[]): Count[] {
  return counts.toSorted(([, left], [, right]) => right - left)
}

function renderDisk({ vault, audit }: ProxyState): Html {
  const share = vault.maxBytes === 0 ? 0 : Math.round((100 * vault.bytes) / vault.maxBytes)
  return html`<dl>
    <dt>Vault</dt>
    <dd>${formatBytes(vault.bytes)} of at most ${formatBytes(vault.maxBytes)} (${share} %)</dd>
    ${
      audit.folder === undefined
        ? nothing
        : html`<dt>Audit log</dt>
            <dd class="mono">${audit.folder}</dd>`
    }
    <dt>Its last line</dt>
    <dd class="mono">${audit.head}</dd>
  </dl>`
}
