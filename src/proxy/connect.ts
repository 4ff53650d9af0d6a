/**
 * CONNECT, answered: a tunnel that is let pass, or TLS that is ended here. Both are in the log before the
 * client hears of them. What is refused is thrown: the client can be told as long as nothing was sent.
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { passedUnverified } from '../audit/event.ts'
import { describeError, UpstreamError } from '../base/errors.ts'
import type { Authority } from './authority.ts'
import { type ConnectRoute, routeConnect } from './connect-route.ts'
import { describeExchange, type LoggedRequest } from './exchange.ts'
import type { RequireForwardAccess } from './forward-access.ts'
import type { ForwardPort } from './forward-port.ts'
import type { OwnHosts } from './own-hosts.ts'
import type { RequestLog } from './request-log.ts'
import type { StartTimer } from './timer.ts'
import { joinTunnel } from './tunnel.ts'

/** Longer than installers keep a connection that they may need again. */
export const tunnelIdleMs = 2 * 60_000

export interface ConnectLimits {
  /** At the same time. */
  readonly maxTunnels: number
  readonly handshakeMs: number
}

export interface ConnectDependencies {
  readonly port: ForwardPort
  readonly isOwnHost: OwnHosts
  readonly requireAccess: RequireForwardAccess
  readonly log: RequestLog
  readonly now: () => number
  readonly startTimer: StartTimer
  readonly reportFault: (message: string) => void
}

export type Connection =
  /** It goes on by itself, until one side ends it. */
  | { readonly kind: 'tunnel' }
  /** Requests that come out of it are for this host. */
  | { readonly kind: 'inner'; readonly socket: TLSSocket; readonly authority: Authority }

interface Place {
  readonly head: Uint8Array
  readonly authority: Authority
}

interface TunnelEnds {
  readonly socket: Duplex
  readonly server: Duplex
}

export class Connects {
  readonly #dependencies: ConnectDependencies
  readonly #limits: ConnectLimits
  /** Each until both of its ends are closed. */
  readonly #tunnels = new Set<Promise<void>>()
  #openings = 0

  constructor(dependencies: ConnectDependencies, limits: ConnectLimits) {
    this.#dependencies = dependencies
    this.#limits = limits
  }

  /** Resolves once the client has been told that it is connected. */
  async answer(logged: LoggedRequest, socket: Duplex, head: Uint8Array): Promise<Connection> {
    const { port, isOwnHost, requireAccess } = this.#dependencies
    requireAccess(logged.request)
    const route = routeConnect(logged.request, isOwnHost, port)
    if (route.kind === 'end-tls') return this.#endTls(logged, socket, { head, route })
    return this.#tunnel(logged, socket, { head, authority: route.authority })
  }

  /** Resolves once what has ended is in the log. */
  async ended(): Promise<void> {
    await Promise.all(this.#tunnels)
  }

  async #tunnel(logged: LoggedRequest, socket: Duplex, place: Place): Promise<Connection> {
    const { maxTunnels } = this.#limits
    if (this.#tunnels.size + this.#openings >= maxTunnels) throw refuseTunnel(maxTunnels)
    this.#openings += 1
    try {
      const server = await this.#openTunnel(logged, place.authority)
      accept(logged.request, socket)
      const tunnel = this.#join(logged, { socket, server }, place)
      this.#tunnels.add(tunnel)
      void tunnel.then(() => this.#tunnels.delete(tunnel))
      return { kind: 'tunnel' }
    } finally {
      this.#openings -= 1
    }
  }

  async #endTls(
    { request }: LoggedRequest,
    socket: Duplex,
    { head, route }: { head: Uint8Array; route: Extract<ConnectRoute, { kind: 'end-tls' }> },
  ): Promise<Connection> {
    const { authority, contextFor } = route
    const { endTls } = await import('./end-tls.ts')
    const context = await contextFor(authority.host)
    // No pause behind this: what comes then is for TLS alone to read.
    accept(request, socket)
    const { startTimer } = this.#dependencies
    const timeMs = this.#limits.handshakeMs
    const { host } = authority
    const inner = await endTls(socket, { host, context, head, timeMs, startTimer })
    return { kind: 'inner', socket: inner, authority }
  }

  async #openTunnel(logged: LoggedRequest, { host, port }: Authority): Promise<Duplex> {
    const { log, now, port: forward } = this.#dependencies
    const found = `${host}:${port}`
    const server = await forward.openTunnel(host, port)
    // The other side may reset it while the log is waited for; an error that nobody hears ends the process.
    server.on('error', () => void server.destroy())
    try {
      const message = `a tunnel to ${found}: what goes through it is unverified`
      const begun = { code: passedUnverified, found, message }
      await log.requireWritten(describeExchange(logged, 'page', now(), begun))
      return server
    } catch (error) {
      server.destroy()
      throw error
    }
  }

  /** Until both sides have ended. Never rejects. */
  async #join(logged: LoggedRequest, ends: TunnelEnds, { head, authority }: Place): Promise<void> {
    const { log, now, startTimer, reportFault } = this.#dependencies
    const { socket, server } = ends
    if (head.length > 0) server.write(head)
    const count = await joinTunnel(socket, server, { idleMs: tunnelIdleMs, startTimer })
    const found = `${authority.host}:${authority.port}`
    const sentBytes = count.sentBytes + head.length
    const message = `the tunnel to ${found} has ended: ${sentBytes} bytes there, ${count.receivedBytes} back, unverified`
    const ended = { code: passedUnverified, found, message, bytes: count.receivedBytes }
    try {
      await log.note(describeExchange(logged, 'page', now(), ended))
    } catch (error) {
      reportFault(describeError(error))
    }
  }
}

function accept({ httpVersion }: IncomingMessage, socket: Duplex): void {
  // RFC 9110 9.3.6: neither a length nor a body.
  socket.write(`HTTP/${httpVersion} 200 Connection established\r\n\r\n`)
}

function refuseTunnel(maxTunnels: number): UpstreamError {
  const message = `more than ${maxTunnels} tunnels at the same time`
  return new UpstreamError('UNREACHABLE', message, {
    next: 'try again in a moment; the limit is half of `connections` in the settings',
  })
}
