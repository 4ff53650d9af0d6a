/** Pages for clients: found, told to the log with what policy left out, and sent. */

import type { PageDecision } from '../policy/decide.ts'
import type { PageLinks } from '../simple/rewrite.ts'
import { isNotModified } from './conditional.ts'
import type { CoreMetadataCheck } from './core-metadata.ts'
import { DeclaredReader } from './declared-reader.ts'
import { describeExchange, isHead, type Exchange } from './exchange.ts'
import type { GatewayOps } from './gateway.ts'
import { type DecidedProject, Pages } from './page.ts'
import type { CachedPage } from './page-cache.ts'
import { ReleaseAnswers } from './release-answer.ts'
import type { RequestLog } from './request-log.ts'
import { respondNotModified, respondRedirect, respondWhole } from './respond.ts'
import type { PageRoute } from './route.ts'

export interface PageParts {
  readonly ops: GatewayOps
  readonly log: RequestLog
  readonly coreMetadata: CoreMetadataCheck
  readonly maxPageCacheBytes: number
}

export class PageAnswers {
  readonly #ops: GatewayOps
  readonly #log: RequestLog
  readonly #pages: Pages
  readonly #releases: ReleaseAnswers

  constructor({ ops, log, coreMetadata, maxPageCacheBytes }: PageParts) {
    this.#ops = ops
    this.#log = log
    this.#pages = new Pages(ops, maxPageCacheBytes)
    this.#releases = new ReleaseAnswers(this.#pages, new DeclaredReader({ ops, log, coreMetadata }))
  }

  async answer(exchange: Exchange, route: PageRoute, links: PageLinks): Promise<void> {
    switch (route.kind) {
      case 'project': {
        const decided = await this.#decide(exchange, route.project)
        return this.#send(exchange, await this.#pages.findProject(exchange, decided, links))
      }
      case 'release': {
        const { project, version: rawVersion } = route
        const decided = await this.#decide(exchange, project)
        const page =
          rawVersion === undefined
            ? await this.#releases.findProject(exchange, decided, links)
            : await this.#releases.findRelease(exchange, decided, { rawVersion, links })
        return this.#send(exchange, page)
      }
      case 'project-list':
        return this.#send(exchange, await this.#pages.findProjectList(exchange))
      case 'redirect':
        await this.#notePage(exchange, 0)
        return respondRedirect(exchange, route.location)
    }
  }

  async #decide(exchange: Exchange, project: string): Promise<DecidedProject> {
    exchange.subject.project = project
    const decided = await this.#pages.decideProject(exchange, project)
    if (decided.isNews) await this.#noteHidden(exchange, decided.decision)
    return decided
  }

  async #send(exchange: Exchange, page: CachedPage): Promise<void> {
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
