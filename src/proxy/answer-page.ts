/** Pages for clients: found, told to the log with what policy left out, and sent. */

import type { PageDecision } from '../policy/decide.ts'
import type { PageLinks } from '../simple/rewrite.ts'
import { isNotModified } from './conditional.ts'
import { describeExchange, isHead, type Exchange } from './exchange.ts'
import type { GatewayOps } from './gateway.ts'
import { type PageAnswer, Pages } from './page.ts'
import type { RequestLog } from './request-log.ts'
import { respondNotModified, respondRedirect, respondWhole } from './respond.ts'
import type { PageRoute } from './route.ts'

export class PageAnswers {
  readonly #ops: GatewayOps
  readonly #log: RequestLog
  readonly #pages: Pages

  constructor(ops: GatewayOps, log: RequestLog, maxCacheBytes: number) {
    this.#ops = ops
    this.#log = log
    this.#pages = new Pages(ops, maxCacheBytes)
  }

  async answer(exchange: Exchange, route: PageRoute, links: PageLinks): Promise<void> {
    switch (route.kind) {
      case 'project': {
        const { project } = route
        exchange.subject.project = project
        return this.#send(exchange, await this.#pages.findProject(exchange, project, links))
      }
      case 'project-list':
        return this.#send(exchange, await this.#pages.findProjectList(exchange))
      case 'redirect':
        await this.#notePage(exchange, 0)
        return respondRedirect(exchange, route.location)
    }
  }

  async #send(exchange: Exchange, { page, hidden }: PageAnswer): Promise<void> {
    if (hidden !== undefined) await this.#noteHidden(exchange, hidden)
    const isKnown = isNotModified(exchange.request.headers['if-none-match'], page.etag)
    await this.#notePage(exchange, isKnown || isHead(exchange) ? 0 : page.body.length)
    if (isKnown) respondNotModified(exchange, page.headers)
    else respondWhole(exchange, 200, page.headers, page.body)
  }

  async #notePage(exchange: Exchange, bytes: number): Promise<void> {
    await this.#log.note(describeExchange(exchange, 'page', this.#ops.now(), { bytes }))
  }

  /** Once for each outcome, not for each request. */
  async #noteHidden(exchange: Exchange, decision: PageDecision): Promise<void> {
    const hidden = [...decision.rulings].filter(([, { kind }]) => kind === 'hide')
    const [first] = hidden
    if (first === undefined) return
    const names = hidden.slice(0, 5).map(([{ filename }]) => filename)
    const rest = hidden.length > names.length ? `, and ${hidden.length - names.length} more` : ''
    const whole = decision.isWhollyHidden ? ', and nothing else is left' : ''
    const message = `policy hides ${names.join(', ')}${rest}${whole}`
    const { code } = first[1]
    const event = describeExchange(exchange, 'hidden', this.#ops.now(), { code, message })
    if (!decision.isWhollyHidden) return this.#log.note(event)
    await this.#log.requireWritten(event)
    this.#ops.noteWhollyHidden(exchange.subject.project ?? '', decision)
  }
}
