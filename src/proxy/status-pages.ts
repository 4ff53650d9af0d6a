/** The pages under `/-/`: what the proxy tells about itself. */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { describeError } from '../base/errors.ts'
import { explainRequest, type Explanation } from '../explain/explanation.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import type { GatewayOps } from './gateway.ts'
import type { EntryLookup } from './proxy-state.ts'
import type { RequestLog } from './request-log.ts'
import { respondWhole } from './respond.ts'
import { renderExplanationPage, renderMissingPage } from './status-explanation.ts'
import { describeOverview } from './status-json.ts'
import { documentHeaders } from './status-markup.ts'
import { renderOverview } from './status-overview.ts'
import type { StatusRoute } from './status-route.ts'
import type { Traffic } from './traffic.ts'

const jsonHeaders = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']

export interface StatusPagesOptions {
  readonly ops: GatewayOps
  readonly log: RequestLog
  readonly traffic: Traffic
  reportFault(message: string): void
}

interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Bytes
}

export class StatusPages {
  readonly #options: StatusPagesOptions

  constructor(options: StatusPagesOptions) {
    this.#options = options
  }

  async answer(exchange: Exchange, route: StatusRoute): Promise<void> {
    if (route.kind === 'health') return this.#answerHealth(exchange)
    const { status, headers, body } = await this.#find(exchange, route)
    const { log, ops } = this.#options
    await log.note(describeExchange(exchange, 'page', ops.now(), { bytes: body.length }))
    respondWhole(exchange, status, headers, body)
  }

  async #answerHealth(exchange: Exchange): Promise<void> {
    const { log, ops } = this.#options
    try {
      await log.note(describeExchange(exchange, 'page', ops.now()))
    } catch (error) {
      // Alive is alive, even if the log is not: `/-/ready` says what is wrong.
      this.#options.reportFault(describeError(error))
    }
    respondWhole(exchange, 200, jsonHeaders, encodeUtf8('{"status":"ok"}\n'))
  }

  async #find(
    exchange: Exchange,
    route: Exclude<StatusRoute, { kind: 'health' }>,
  ): Promise<Answer> {
    if (route.kind === 'ready') return this.#findReadiness()
    if (route.kind === 'metrics') return this.#findMetrics()
    const isJson = wantsJson(exchange)
    return route.kind === 'overview'
      ? this.#findOverview(isJson)
      : this.#findExplanation(route.id, isJson)
  }

  async #findReadiness(): Promise<Answer> {
    const readiness = await this.#options.ops.readiness()
    return answerJson(readiness, readiness.ready ? 200 : 503)
  }

  async #findMetrics(): Promise<Answer> {
    const { ops, traffic } = this.#options
    const readiness = await ops.readiness()
    // Nobody who does not ask for them pays for the library.
    const { renderMetrics } = await import('./metrics.ts')
    const source = { state: ops.status(), readiness, traffic, now: ops.now() }
    const { contentType, text } = await renderMetrics(source)
    const headers = ['Content-Type', contentType, 'Cache-Control', 'no-store']
    return { status: 200, headers, body: encodeUtf8(text) }
  }

  async #findOverview(isJson: boolean): Promise<Answer> {
    const { ops, traffic } = this.#options
    const readiness = await ops.readiness()
    const overview = { state: ops.status(), readiness, traffic, now: ops.now() }
    return isJson ? answerJson(describeOverview(overview)) : answerHtml(renderOverview(overview))
  }

  async #findExplanation(id: string, isJson: boolean): Promise<Answer> {
    const { ops, traffic } = this.#options
    const recent = traffic.recent.find(id)
    const lookup: EntryLookup =
      recent.length > 0 ? { entries: recent, searched: 'whole' } : await ops.findEntries(id)
    const words = { LOG: ops.status().audit.folder }
    // A line that counts others has no id of its own.
    const entries = lookup.entries.map((entry) => ({ ...entry, id }))
    const explanation = explainRequest(entries, words)
    if (explanation === undefined) return answerMissing(id, lookup.searched, isJson)
    return answerExplanation(explanation, isJson)
  }
}

function answerExplanation(explanation: Explanation, isJson: boolean): Answer {
  return isJson ? answerJson(explanation) : answerHtml(renderExplanationPage(explanation))
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

function answerMissing(id: string, searched: EntryLookup['searched'], isJson: boolean): Answer {
  const { status, detail } = missing[searched]
  const title = status === 503 ? 'Not looked up' : `Nothing is known of ${id}`
  const command = `tufgate explain ${id}`
  return isJson
    ? answerJson({ title, status, detail, next: command }, status)
    : answerHtml(renderMissingPage({ title, detail, command }), status)
}

/** Browsers and curl get the page; a program says what it wants. */
function wantsJson({ request }: Exchange): boolean {
  const { accept = '' } = request.headers
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}

function answerJson(value: object, status = 200): Answer {
  const headers = [...jsonHeaders, 'Vary', 'Accept']
  return { status, headers, body: encodeUtf8(`${JSON.stringify(value)}\n`) }
}

function answerHtml(body: Bytes, status = 200): Answer {
  return { status, headers: documentHeaders, body }
}
