/**
 * One request, in a straight line: whom it is for, acceptable, routed, answered, logged. Whatever is
 * thrown on the way becomes a refusal here and nowhere else, and stands in the audit log before the
 * client has it.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AuditEvent } from '../audit/event.ts'
import { describeError, isTufgateError, StorageError } from '../base/errors.ts'
import { type AccessPath, createAccessPath, refuseAccess } from './access-path.ts'
import { findAddressee, requireInnerAddressee } from './addressee.ts'
import { PageAnswers } from './answer-page.ts'
import type { Authority } from './authority.ts'
import { type ConnectLimits, Connects, type Connection } from './connect.ts'
import { refuseConnect, refuseNested } from './connect-route.ts'
import { CoreMetadataCheck } from './core-metadata.ts'
import { describeExchange, isGone, type Exchange, type Patience } from './exchange.ts'
import type { LoggedRequest } from './exchange.ts'
import { Forwarding } from './forward.ts'
import { createForwardAccess, type RequireForwardAccess } from './forward-access.ts'
import type { ForwardPort } from './forward-port.ts'
import type { GatewayOps } from './gateway.ts'
import { createOwnHosts, type OwnHosts } from './own-hosts.ts'
import { type Refusal, renderRefusal } from './refusal.ts'
import { releaseFile, type ReleaseDependencies } from './release.ts'
import { createRequestIds } from './request-id.ts'
import { requireAcceptable } from './request-guard.ts'
import { RequestLog } from './request-log.ts'
import { cutOff, respondRefusal } from './respond.ts'
import { parseRoute, requireShortTarget, type Route } from './route.ts'
import { StatusPages } from './status-pages.ts'
import { BufferPool } from './send-verified.ts'
import { toBrowser } from './status-refusal.ts'
import { startSystemTimer, type StartTimer } from './timer.ts'
import { Traffic } from './traffic.ts'
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
  /**
   * For standard error: what the operator must know even if the log cannot be written.
   * @param kind the same for what each request meets; default: the message
   */
  reportFault(message: string, kind?: string): void
  readonly startTimer?: StartTimer
}

/** What became of a CONNECT. */
export type Connected =
  | Connection
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly id: string }

export class Handler {
  readonly #options: HandlerOptions
  readonly #isOwnHost: OwnHosts
  readonly #nextId = createRequestIds()
  readonly #log: RequestLog
  readonly #pages: PageAnswers
  readonly #status: StatusPages
  readonly #accessPath: AccessPath
  readonly #release: ReleaseDependencies
  readonly #patience: Patience
  readonly #requireForwardAccess: RequireForwardAccess
  readonly #forwarding: Forwarding | undefined
  readonly #connects: Connects | undefined

  constructor(options: HandlerOptions, limits: ConnectLimits) {
    const { ops, timings, clientStallMs, startTimer = startSystemTimer } = options
    const now = (): number => ops.now()
    const traffic = new Traffic(now)
    const reportFault = (message: string): void => options.reportFault(message)
    this.#options = options
    this.#isOwnHost = createOwnHosts(options.hosts)
    this.#accessPath = createAccessPath(options.accessToken)
    this.#log = new RequestLog({
      append: async (event) => ops.append(this.#accessPath.hide(event)),
      traffic,
      reportFault,
    })
    const coreMetadata = new CoreMetadataCheck(ops, this.#log)
    const { maxPageCacheBytes } = options
    this.#pages = new PageAnswers({ ops, log: this.#log, coreMetadata, maxPageCacheBytes })
    this.#status = new StatusPages({ ops, log: this.#log, traffic, reportFault })
    const pool = new BufferPool()
    this.#release = { ops, timings, now, pool, log: this.#log, coreMetadata }
    this.#patience = { clientStallMs, startTimer }
    this.#requireForwardAccess = createForwardAccess(options.accessToken)
    const { forward: port } = options
    if (port === undefined) return
    const log = this.#log
    const [isOwnHost, requireAccess] = [this.#isOwnHost, this.#requireForwardAccess]
    this.#forwarding = new Forwarding({ port, pages: this.#pages, release: this.#release })
    const parts = { port, isOwnHost, requireAccess, log, now, startTimer, reportFault }
    this.#connects = new Connects(parts, limits)
  }

  /** Never rejects. `inner`: the request came out of TLS that was ended here, for this host. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    inner?: Authority,
  ): Promise<void> {
    const exchange = { ...this.#begin(request), response, patience: this.#patience }
    try {
      if (inner === undefined) await this.#answerPlain(exchange)
      else await this.#answerInner(exchange, inner)
    } catch (error) {
      await this.#refuse(exchange, error)
    }
  }

  /** Resolves once the client is connected, or with what it is to be told. Never rejects. */
  async connect(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<Connected> {
    const logged = this.#begin(request)
    try {
      if (this.#connects === undefined) throw refuseConnect(request)
      return await this.#connects.answer(logged, socket, head)
    } catch (error) {
      return this.#refuseConnect(logged, error)
    }
  }

  /** After the last connection: resolves once all is told to the log. */
  async ended(): Promise<void> {
    await this.#connects?.ended()
  }

  /** A host that was connected to answers requests; it does not connect to others. */
  async refuseNested(request: IncomingMessage): Promise<Connected> {
    return this.#refuseConnect(this.#begin(request), refuseNested(request))
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

  #begin(request: IncomingMessage): LoggedRequest {
    const startedAt = this.#options.ops.now()
    return { request, id: this.#nextId(), startedAt, subject: { resource: 'page' } }
  }

  async #answerPlain(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const addressee = findAddressee(request, this.#isOwnHost, this.#options.forward)
    if (addressee.kind === 'own' || this.#forwarding === undefined) return this.#answerOwn(exchange)
    this.#requireForwardAccess(request)
    this.#requireShort(request)
    return this.#forwarding.answer(exchange, addressee)
  }

  /** Whoever opened the connection has shown that it may. */
  async #answerInner(exchange: Exchange, authority: Authority): Promise<void> {
    const { forward: port } = this.#options
    if (port === undefined || this.#forwarding === undefined) return this.#answerOwn(exchange)
    this.#requireShort(exchange.request)
    const addressee = requireInnerAddressee(exchange.request, authority, port)
    return this.#forwarding.answer(exchange, addressee)
  }

  async #answerOwn(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const isAdmitted = this.#accessPath.strip(request)
    requireAcceptable(request, this.#isOwnHost)
    if (!isAdmitted) throw refuseAccess()
    const local = request.socket.localAddress
    const route = parseRoute(request.url ?? '', {
      isOwnHost: (host) => this.#isOwnHost(host, local),
      maxTargetBytes: this.#options.maxTargetBytes,
    })
    return this.#answerRoute(exchange, route)
  }

  #requireShort({ url = '' }: IncomingMessage): void {
    requireShortTarget(url, this.#options.maxTargetBytes)
  }

  async #answerRoute(exchange: Exchange, route: Route): Promise<void> {
    const { subject } = exchange
    switch (route.kind) {
      case 'project':
      case 'project-list':
      case 'release':
      case 'redirect':
        return this.#pages.answer(exchange, route, 'proxy')
      case 'file':
        subject.resource = 'file'
        subject.project = route.project
        subject.file = route.path.slice(route.path.lastIndexOf('/') + 1)
        return releaseFile(exchange, route, this.#release)
      default:
        return this.#status.answer(exchange, route)
    }
  }

  async #refuse(exchange: Exchange, error: unknown): Promise<void> {
    try {
      await this.#logAndRefuse(exchange, error)
    } catch (fault) {
      this.#options.reportFault(`${describeStack(fault)} (${exchange.id})`)
      exchange.request.socket.destroy()
    }
  }

  async #logAndRefuse(exchange: Exchange, error: unknown): Promise<void> {
    const { subject } = exchange
    this.#reportFaults(error, exchange.id)
    // What failed before anything was found rests on what is trusted now.
    if (subject.project !== undefined) subject.trust ??= this.#options.ops.trustOf(subject.project)
    const refusal = renderRefusal(error, subject.resource, exchange.id)
    const logged = await this.#logRefusal(this.#describeRefusal(exchange, refusal), refusal)
    if (isGone(exchange)) return
    if (!exchange.response.headersSent) respondRefusal(exchange, await toBrowser(exchange, logged))
    // What has left cannot be taken back; the rest never leaves, and the next request is told why.
    else cutOff(exchange)
  }

  async #refuseConnect(logged: LoggedRequest, error: unknown): Promise<Connected> {
    const { id } = logged
    this.#reportFaults(error, id)
    const refusal = renderRefusal(error, 'file', id)
    const told = await this.#logRefusal(this.#describeRefusal(logged, refusal), refusal)
    return { kind: 'refused', refusal: told, id }
  }

  #describeRefusal(exchange: LoggedRequest, { code, message, facts }: Refusal): AuditEvent {
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
      const { code, message, facts } = error
      const kind = `${code} ${facts.found ?? message}`
      this.#options.reportFault(`${message}: ${facts.next ?? 'see the audit log'} (${id})`, kind)
    } else if (!isTufgateError(error)) {
      const stack = describeStack(error)
      this.#options.reportFault(`${stack} (${id})`, stack)
    }
  }
}

function describeStack(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : describeError(error)
}
