/**
 * CONNECT, answered: a tunnel that is let pass, or TLS that is ended here. Both are in the log before the
 * client hears of them. What is refused is thrown: the client can be told as long as nothing was sent.
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { passedUnverified } from '../audit/event.ts'
import { UpstreamError } from '../base/errors.ts'
import type { Authority } from './authority.ts'
import { type ConnectRoute, routeConnect } from './connect-route.ts'
import { endTls } from './end-tls.ts'
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
}

/** Requests that come out of it are for this host. */
export interface InnerConnection {
  readonly socket: TLSSocket
  readonly authority: Authority
}

export class Connects {
  readonly #dependencies: ConnectDependencies
  readonly #limits: ConnectLimits
  #tunnels = 0

  constructor(dependencies: ConnectDependencies, limits: ConnectLimits) {
    this.#dependencies = dependencies
    this.#limits = limits
  }

  /** Resolves once a tunnel has ended, or TLS is set up. */
  async answer(
    logged: LoggedRequest,
    socket: Duplex,
    head: Uint8Array,
  ): Promise<InnerConnection | undefined> {
    const { port, isOwnHost, requireAccess } = this.#dependencies
    requireAccess(logged.request)
    const route = routeConnect(logged.request, isOwnHost, port)
    if (route.kind === 'end-tls') return this.#endTls(logged, socket, { head, route })
    if (this.#tunnels >= this.#limits.maxTunnels) throw refuseTunnel(this.#limits.maxTunnels)
    this.#tunnels += 1
    try {
      await this.#tunnel(logged, socket, { head, authority: route.authority })
    } finally {
      this.#tunnels -= 1
    }
    return undefined
  }

  async #endTls(
    { request }: LoggedRequest,
    socket: Duplex,
    { head, route }: { head: Uint8Array; route: Extract<ConnectRoute, { kind: 'end-tls' }> },
  ): Promise<InnerConnection | undefined> {
    const { authority, contextFor } = route
    const context = await contextFor(authority.host)
    accept(request, socket)
    const { startTimer } = this.#dependencies
    const timeMs = this.#limits.handshakeMs
    const { host } = authority
    return { socket: await endTls(socket, { host, context, head, timeMs, startTimer }), authority }
  }

  async #tunnel(
    logged: LoggedRequest,
    socket: Duplex,
    { head, authority: { host, port } }: { head: Uint8Array; authority: Authority },
  ): Promise<void> {
    const { log, now, startTimer, port: forward } = this.#dependencies
    const found = `${host}:${port}`
    const note = { code: passedUnverified, found }
    const server = await forward.openTunnel(host, port)
    try {
      const begun = { ...note, message: `a tunnel to ${found}: what goes through it is unverified` }
      await log.requireWritten(describeExchange(logged, 'page', now(), begun))
    } catch (error) {
      server.destroy()
      throw error
    }
    accept(logged.request, socket)
    if (head.length > 0) server.write(head)
    const count = await joinTunnel(socket, server, { idleMs: tunnelIdleMs, startTimer })
    const sentBytes = count.sentBytes + head.length
    const message = `the tunnel to ${found} has ended: ${sentBytes} bytes there, ${count.receivedBytes} back, unverified`
    const ended = { ...note, message, bytes: count.receivedBytes }
    await log.note(describeExchange(logged, 'page', now(), ended))
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
