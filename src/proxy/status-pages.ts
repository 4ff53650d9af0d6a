/** The pages under `/-/`: what the proxy tells about itself. What renders them is loaded when it is asked for. */

import { encodeUtf8 } from '../base/bytes.ts'
import { describeError } from '../base/errors.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import type { GatewayOps } from './gateway.ts'
import { isLocalClient } from './local-client.ts'
import type { EntryLookup, ProxyState } from './proxy-state.ts'
import type { RequestLog } from './request-log.ts'
import { respondWhole } from './respond.ts'
import { answerJson, wantsJson, type StatusAnswer } from './status-answer.ts'
import type { StatusRoute } from './status-route.ts'
import type { Traffic } from './traffic.ts'

export interface StatusPagesOptions {
  readonly ops: GatewayOps
  readonly log: RequestLog
  readonly traffic: Traffic
  reportFault(message: string): void
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
    const { headers, body } = answerJson({ status: 'ok' })
    respondWhole(exchange, 200, headers, body)
  }

  async #find(
    exchange: Exchange,
    route: Exclude<StatusRoute, { kind: 'health' }>,
  ): Promise<StatusAnswer> {
    if (route.kind === 'ready') return this.#findReadiness()
    if (route.kind === 'metrics') return this.#findMetrics()
    return route.kind === 'overview'
      ? this.#findOverview(exchange)
      : this.#findExplanation(exchange, route.id)
  }

  async #findReadiness(): Promise<StatusAnswer> {
    const readiness = await this.#options.ops.readiness()
    return answerJson(readiness, readiness.ready ? 200 : 503)
  }

  async #findMetrics(): Promise<StatusAnswer> {
    const { ops, traffic } = this.#options
    const readiness = await ops.readiness()
    const { renderMetrics } = await import('./metrics.ts')
    const source = { state: ops.status(), readiness, traffic, now: ops.now() }
    const { contentType, text } = await renderMetrics(source)
    const headers = ['Content-Type', contentType, 'Cache-Control', 'no-store']
    return { status: 200, headers, body: encodeUtf8(text) }
  }

  async #findOverview(exchange: Exchange): Promise<StatusAnswer> {
    const { ops, traffic } = this.#options
    const readiness = await ops.readiness()
    const state = stateFor(exchange, ops.status())
    const overview = { state, readiness, traffic, now: ops.now() }
    if (wantsJson(exchange)) {
      const { describeOverview } = await import('./status-json.ts')
      return answerJson(describeOverview(overview))
    }
    const { answerOverview } = await import('./status-overview.ts')
    return answerOverview(overview)
  }

  async #findExplanation(exchange: Exchange, id: string): Promise<StatusAnswer> {
    const { ops, traffic } = this.#options
    const recent = traffic.recent.find(id)
    const lookup: EntryLookup =
      recent.length > 0 ? { entries: recent, searched: 'whole' } : await ops.findEntries(id)
    const { folder } = stateFor(exchange, ops.status()).audit
    const { answerExplanation } = await import('./status-explanation.ts')
    return answerExplanation({ id, lookup, folder }, exchange)
  }
}

/** Where files are on the machine of the proxy is nobody's business elsewhere. */
function stateFor(exchange: Exchange, state: ProxyState): ProxyState {
  if (isLocalClient(exchange.request.socket)) return state
  const { head } = state.audit
  return { ...state, audit: { head } }
}
