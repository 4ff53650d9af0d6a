/**
 * One request, in a straight line: acceptable, routed, answered, logged. Whatever is thrown on the way
 * becomes a refusal here and nowhere else, and stands in the audit log before the client has it.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditEvent } from '../audit/event.ts'
import { describeError, isTufgateError, StorageError } from '../base/errors.ts'
import { type AccessPath, createAccessPath, refuseAccess } from './access-path.ts'
import { isNotModified } from './conditional.ts'
import type { PageDecision } from '../policy/decide.ts'
import { describeExchange, isGone, isHead, type Exchange, type Patience } from './exchange.ts'
import type { ForwardPort } from './forward-port.ts'
import type { GatewayOps } from './gateway.ts'
import { createOwnHosts, type OwnHosts } from './own-hosts.ts'
import { Pages, type PageAnswer } from './page.ts'
import { type Refusal, renderRefusal } from './refusal.ts'
import { releaseFile, type ReleaseDependencies } from './release.ts'
import { createRequestIds } from './request-id.ts'
import { requireAcceptable } from './request-guard.ts'
import { RequestLog } from './request-log.ts'
import { cutOff, respondNotModified, respondRedirect } from './respond.ts'
import { respondRefusal, respondWhole } from './respond.ts'
import { parseRoute, type Route } from './route.ts'
import { StatusPages } from './status-pages.ts'
import { BufferPool } from './send-verified.ts'
import { startSystemTimer, type StartTimer } from './timer.ts'
import type { TrickleTimings } from './trickle.ts'

export interface HandlerOptions {
  readonly ops: GatewayOps
  /** Stands as `/TOKEN` before every path; a request without it is not answered. Never in a log. */
  readonly accessToken?: string
  /** Clients may use this proxy as their HTTP proxy. With an access token they have to prove it. */
  readonly forward?: ForwardPort
  /** Names that clients may use for this proxy, with or without a port, besides its addresses. */
  readonly hosts: readonly string[]
  readonly timings: TrickleTimings
  readonly maxPageCacheBytes: number
  /** Of a request target; with method and version it is the request line. */
  readonly maxTargetBytes: number
  /** A client that has not taken 256 kB in this time is cut off. */
  readonly clientStallMs: number
  /** For standard error: what the operator must know even if the log cannot be written. */
  reportFault(message: string): void
  readonly startTimer?: StartTimer
}

export class Handler {
  readonly #options: HandlerOptions
  readonly #isOwnHost: OwnHosts
  readonly #nextId = createRequestIds()
  readonly #log: RequestLog
  readonly #pages: Pages
  readonly #status: StatusPages
  readonly #accessPath: AccessPath
  readonly #release: ReleaseDependencies
  readonly #patience: Patience

  constructor(options: HandlerOptions) {
    const { ops, timings, clientStallMs, startTimer = startSystemTimer } = options
    this.#options = options
    this.#isOwnHost = createOwnHosts(options.hosts)
    this.#log = new RequestLog({
      append: async (event) => ops.append(event),
      reportFault: (message) => options.reportFault(message),
    })
    this.#pages = new Pages(ops, options.maxPageCacheBytes)
    this.#status = new StatusPages(ops, this.#log, (message) => options.reportFault(message))
    this.#accessPath = createAccessPath(options.accessToken)
    const now = (): number => ops.now()
    const pool = new BufferPool()
    this.#release = { ops, timings, now, pool, log: this.#log }
    this.#patience = { clientStallMs, startTimer }
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = this.#options.ops.now()
    const subject = { resource: 'page' as const }
    const patience = this.#patience
    const exchange: Exchange = {
      request,
      response,
      id: this.#nextId(),
      startedAt,
      subject,
      patience,
    }
    try {
      const isAdmitted = this.#accessPath.strip(request)
      requireAcceptable(request, this.#isOwnHost)
      if (!isAdmitted) throw refuseAccess()
      const local = request.socket.localAddress
      const route = parseRoute(request.url ?? '', {
        isOwnHost: (host) => this.#isOwnHost(host, local),
        maxTargetBytes: this.#options.maxTargetBytes,
      })
      await this.#answerRoute(exchange, route)
    } catch (error) {
      await this.#refuse(exchange, error)
    }
  }

  /** For bytes that were not HTTP; resolves once the refusal is in the log, or cannot be. */
  async refuseRaw(event: AuditEvent, error: unknown): Promise<{ refusal: Refusal; id: string }> {
    const id = this.#nextId()
    return {
      refusal: await this.#logRefusal({ ...event, id }, renderRefusal(error, 'page', id)),
      id,
    }
  }

  async noteWarning(event: AuditEvent): Promise<void> {
    try {
      await this.#log.note(event)
    } catch (error) {
      // Nothing is answered here that could be refused instead.
      this.#options.reportFault(describeError(error))
    }
  }

  async #answerRoute(exchange: Exchange, route: Route): Promise<void> {
    const { subject } = exchange
    switch (route.kind) {
      case 'project':
        subject.project = route.project
        return this.#answerPage(exchange, await this.#pages.findProject(exchange, route.project))
      case 'project-list':
        return this.#answerPage(exchange, await this.#pages.findProjectList(exchange))
      case 'file':
        subject.resource = 'file'
        subject.project = route.project
        subject.file = route.path.slice(route.path.lastIndexOf('/') + 1)
        return releaseFile(exchange, route, this.#release)
      case 'redirect':
        await this.#notePage(exchange, 0)
        return respondRedirect(exchange, route.location)
      default:
        return this.#status.answer(exchange, route)
    }
  }

  async #answerPage(exchange: Exchange, { page, hidden }: PageAnswer): Promise<void> {
    if (hidden !== undefined) await this.#noteHidden(exchange, hidden)
    const isKnown = isNotModified(exchange.request.headers['if-none-match'], page.etag)
    await this.#notePage(exchange, isKnown || isHead(exchange) ? 0 : page.body.length)
    if (isKnown) respondNotModified(exchange, page.headers)
    else respondWhole(exchange, 200, page.headers, page.body)
  }

  async #notePage(exchange: Exchange, bytes: number): Promise<void> {
    await this.#log.note(describeExchange(exchange, 'page', this.#options.ops.now(), { bytes }))
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
    const { ops } = this.#options
    const event = describeExchange(exchange, 'hidden', ops.now(), { code, message })
    if (!decision.isWhollyHidden) return this.#log.note(event)
    await this.#log.requireWritten(event)
    ops.noteWhollyHidden(exchange.subject.project ?? '', decision)
  }

  async #refuse(exchange: Exchange, error: unknown): Promise<void> {
    try {
      await this.#logAndRefuse(exchange, error)
    } catch (fault) {
      this.#options.reportFault(`${describeStack(fault)} [${exchange.id}]`)
      exchange.request.socket.destroy()
    }
  }

  async #logAndRefuse(exchange: Exchange, error: unknown): Promise<void> {
    const { resource } = exchange.subject
    this.#reportFaults(error, exchange.id)
    const refusal = renderRefusal(error, resource, exchange.id)
    const logged = await this.#logRefusal(this.#describeRefusal(exchange, refusal), refusal)
    if (isGone(exchange)) return
    if (!exchange.response.headersSent) respondRefusal(exchange, logged)
    // What has left cannot be taken back; the rest never leaves, and the next request is told why.
    else cutOff(exchange)
  }

  #describeRefusal(exchange: Exchange, { code, message, facts }: Refusal): AuditEvent {
    const expected = facts.expected ?? exchange.subject.expected
    return describeExchange(exchange, 'refused', this.#options.ops.now(), {
      code: code ?? 'BUG',
      message,
      ...(expected === undefined ? {} : { expected }),
      ...(facts.found === undefined ? {} : { found: facts.found }),
      ...(facts.next === undefined ? {} : { next: facts.next }),
    })
  }

  /** What the client is told: the refusal, or that our log cannot be written. */
  async #logRefusal(event: AuditEvent, refusal: Refusal): Promise<Refusal> {
    try {
      await this.#log.requireWritten(event)
      return refusal
    } catch (error) {
      const id = event.id ?? ''
      this.#reportFaults(error, id)
      return renderRefusal(error, 'file', id)
    }
  }

  #reportFaults(error: unknown, id: string): void {
    if (error instanceof StorageError) {
      this.#options.reportFault(
        `${error.message}: ${error.facts.next ?? 'see the audit log'} [${id}]`,
      )
    } else if (!isTufgateError(error)) {
      this.#options.reportFault(`${describeStack(error)} [${id}]`)
    }
  }
}

function describeStack(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : describeError(error)
}
