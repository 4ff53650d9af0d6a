/**
 * The listening sockets and their limits: how many connections, how long a request may take to come
 * in, one answer at a time on each connection, and a stop that lets what is under way finish.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ConfigError, describeError, RequestError } from '../base/errors.ts'
import { bracketHost } from '../base/url-host.ts'
import type { Authority } from './authority.ts'
import { Handler, type HandlerOptions } from './handler.ts'
import type { Refusal } from './refusal.ts'
import { renderRawRefusal } from './respond.ts'

// An import would read every member of the module, and some load fetch and WebSocket: 10 MB, 50 ms.
const { createServer } = process.getBuiltinModule('node:http')

export interface ListenAddress {
  readonly host: string
  /** 0: a free port, the same for each address. */
  readonly port: number
}

export interface ServerLimits {
  readonly maxConnections: number
  /** For the whole head of a request, ms. */
  readonly headerTimeMs: number
  readonly keepAliveMs: number
  /** How long `stop` waits for answers that are under way, ms. */
  readonly stopGraceMs: number
}

export const defaultLimits: ServerLimits = {
  maxConnections: 128,
  headerTimeMs: 10_000,
  keepAliveMs: 75_000,
  stopGraceMs: 10_000,
}

/** Headers, besides the request line. */
const maxHeaderBytes = 8192
/** Requests that may wait behind one that is under way on the same connection. */
const maxPipelined = 16
const maxPortAttempts = 5
/** For a whole request with a body. */
const bodyTimeMs = 15 * 60_000
const socketBufferBytes = 262_144

/** What goes on on one connection. */
interface Lane {
  isBusy: boolean
  /** Nothing more is read from it: it ends behind the answer that is under way. */
  isLast: boolean
  isTunnel: boolean
  readonly waiting: (() => void)[]
  /** Where TLS was ended here: the host that all its requests are for. */
  readonly inner: Authority | undefined
}

export interface ProxyServer {
  readonly addresses: readonly ListenAddress[]
  stop(): Promise<void>
}

/** Throws ConfigError CONFIG_INVALID where an address cannot be listened on. */
export async function startServer(
  options: HandlerOptions,
  listen: readonly ListenAddress[],
  limits: ServerLimits = defaultLimits,
): Promise<ProxyServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new ConnectionServer(options, limits)
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const addresses = await listenOnAll(server, listen)
      return { addresses, stop: async () => server.stop() }
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await server.stop()
      // A port that was free on the first address may be taken on the next: another one will do.
      if (listen[0]?.port !== 0 || attempt === maxPortAttempts) throw error
    }
  }
}

async function listenOnAll(
  server: ConnectionServer,
  listen: readonly ListenAddress[],
): Promise<ListenAddress[]> {
  const addresses: ListenAddress[] = []
  for (const address of listen) {
    // oxlint-disable-next-line no-await-in-loop -- the first decides on the port of the others
    const bound = await server.listen(address, address.port || (addresses[0]?.port ?? 0))
    if (bound !== undefined) addresses.push(bound)
  }
  if (addresses.length > 0) return addresses
  throw new ConfigError('CONFIG_INVALID', 'there is no address to listen on')
}

class ConnectionServer {
  readonly #handler: Handler
  readonly #options: HandlerOptions
  readonly #limits: ServerLimits
  readonly #servers: Server[] = []
  readonly #lanes = new Map<Socket, Lane>()
  readonly #inner = new WeakMap<Socket, Authority>()
  #isStopping = false

  constructor(options: HandlerOptions, limits: ServerLimits) {
    const maxTunnels = Math.ceil(limits.maxConnections / 2)
    this.#handler = new Handler(options, { maxTunnels, handshakeMs: limits.headerTimeMs })
    this.#options = options
    this.#limits = limits
  }

  async listen({ host }: ListenAddress, port: number): Promise<ListenAddress | undefined> {
    const server = this.#createServer()
    try {
      await startListening(server, host, port)
    } catch (error) {
      if (isFamilyMissing(error) && this.#servers.length > 0) {
        // A container without IPv6: the other address of localhost is enough.
        this.#options.reportFault(`not listening on ${host}: ${describeError(error)}`)
        return undefined
      }
      throw toConfigError(error, host, port)
    }
    this.#servers.push(server)
    return { host, port: (server.address() as AddressInfo).port }
  }

  /** Answers under way may finish; then every connection ends with FIN. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const closed = this.#servers.map(
      async (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    )
    for (const [socket, { isBusy, isTunnel }] of this.#lanes) {
      // Nobody can say when a tunnel would be done.
      if (isTunnel) socket.destroy()
      else if (!isBusy) socket.end()
    }
    const stopTimers = [
      setTimeout(() => this.#endAll((socket) => socket.end()), this.#limits.stopGraceMs),
      setTimeout(() => this.#endAll((socket) => socket.destroy()), this.#limits.stopGraceMs + 1000),
    ]
    await Promise.all(closed)
    for (const timer of stopTimers) clearTimeout(timer)
    await this.#handler.ended()
  }

  #endAll(end: (socket: Socket) => void): void {
    for (const socket of this.#lanes.keys()) end(socket)
  }

  #createServer(): Server {
    const { headerTimeMs, keepAliveMs } = this.#limits
    const server = createServer({
      highWaterMark: socketBufferBytes,
      maxHeaderSize: this.#options.maxTargetBytes + maxHeaderBytes,
      headersTimeout: headerTimeMs,
      // Only what is let pass to other servers has a body; of all other requests the head is all there is.
      requestTimeout: this.#options.forward === undefined ? headerTimeMs : bodyTimeMs,
      connectionsCheckingInterval: Math.min(1000, headerTimeMs),
      keepAliveTimeout: keepAliveMs,
      // Checked, answered and logged like everything else, in request-guard.ts.
      requireHostHeader: false,
    })
    // Node drops what is beyond its count: a header that is not seen is not checked. 16 kB is the limit.
    server.maxHeadersCount = 0
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#enqueue(request, response)
    server.on('request', answer)
    // Answered like any request, which is: refused.
    server.on('checkContinue', answer)
    server.on('checkExpectation', answer)
    server.on('connection', (socket) => this.#accept(socket, this.#inner.get(socket)))
    server.on('connect', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      void this.#connect(server, { request, socket, head })
    })
    server.on('clientError', (error: Error, socket: Duplex) => this.#onClientError(error, socket))
    return server
  }

  #accept(socket: Socket, inner?: Authority): void {
    rememberAddresses(socket)
    if (this.#lanes.size >= this.#limits.maxConnections && !this.#makeRoom()) {
      const message = `more than ${this.#limits.maxConnections} connections`
      void this.#handler.noteWarning({ kind: 'warning', client: addressOf(socket), message })
      socket.destroy()
      return
    }
    this.#lanes.set(socket, { isBusy: false, isLast: false, isTunnel: false, waiting: [], inner })
    socket.once('close', () => this.#lanes.delete(socket))
  }

  /**
   * Whoever asks for nothing makes way for whoever comes: the one that has been silent for longest. So
   * the connections that a hundred installers keep, or one that only opens them, keep nobody out.
   */
  #makeRoom(): boolean {
    for (const [socket, { isBusy }] of this.#lanes) {
      if (isBusy) continue
      this.#lanes.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }

  /**
   * One after the other: an answer that is cut off takes its connection with it, which must not be the
   * connection of an answer before it.
   */
  #enqueue(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const lane = this.#lanes.get(socket)
    if (lane === undefined || lane.isLast) return void socket.destroy()
    // The client is gone; 'close' follows, and whoever waits is told by that.
    response.on('error', () => void response.destroy())
    const begin = (): void => {
      lane.isBusy = true
      response.once('close', () => {
        lane.isBusy = false
        this.#moveToEnd(socket, lane)
        if (this.#isStopping || lane.isLast) socket.end()
        else if (socket.writable) lane.waiting.shift()?.()
      })
      void this.#handler.answer(request, response, lane.inner)
    }
    if (!lane.isBusy) return begin()
    if (lane.waiting.length >= maxPipelined) return void socket.destroy()
    lane.waiting.push(begin)
  }

  /** A Map keeps the order of insertion: the first has been silent for longest. */
  #moveToEnd(socket: Socket, lane: Lane): void {
    if (this.#lanes.delete(socket)) this.#lanes.set(socket, lane)
  }

  #onClientError(error: Error, socket: Duplex): void {
    const lane = this.#lanes.get(socket as Socket)
    if (!socket.writable || lane === undefined) return void socket.destroy()
    // Told for each piece that still comes: one refusal is enough, and one line in the log.
    if (lane.isLast) return
    const refusal = new RequestError('BAD_REQUEST', describeParseError(error), { cause: error })
    void this.#refuseSocket(socket, refusal)
  }

  async #connect(server: Server, { request, socket, head }: Connecting): Promise<void> {
    const lane = this.#closeLane(socket)
    if (lane === undefined) return
    const connected =
      lane.inner === undefined
        ? await this.#handler.connect(request, socket, head)
        : await this.#handler.refuseNested(request)
    if (connected.kind === 'refused') return endWith(socket, connected)
    if (connected.kind === 'tunnel') {
      lane.isBusy = true
      lane.isTunnel = true
      if (this.#isStopping) socket.destroy()
      return
    }
    if (this.#isStopping) return void connected.socket.destroy()
    // The connection goes on as the one inside of it.
    this.#lanes.delete(request.socket)
    this.#inner.set(connected.socket, connected.authority)
    server.emit('connection', connected.socket)
  }

  async #refuseSocket(socket: Duplex, error: RequestError): Promise<void> {
    if (this.#closeLane(socket) === undefined) return
    const { found } = error.facts
    const refused = await this.#handler.refuseRaw(
      {
        kind: 'refused',
        client: addressOf(socket as Socket),
        code: error.code,
        message: error.message,
        ...(found === undefined ? {} : { found }),
      },
      error,
    )
    endWith(socket, refused)
  }

  /** Takes a connection out of HTTP; `undefined` where nothing of ours may be sent on it. */
  #closeLane(socket: Duplex): Lane | undefined {
    const lane = this.#lanes.get(socket as Socket)
    if (lane === undefined) return void socket.destroy()
    socket.on('error', () => void socket.destroy())
    lane.isLast = true
    lane.waiting.length = 0
    // Bytes of ours in the middle of another answer would be taken for a part of that.
    return lane.isBusy ? undefined : lane
  }
}

/** Node keeps what was asked once: whoever asks for something and is gone stands in the log by its address. */
function rememberAddresses(socket: Socket): void {
  void socket.remoteAddress
  void socket.localAddress
}

interface Connecting {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Uint8Array
}

function endWith(socket: Duplex, { refusal, id }: { refusal: Refusal; id: string }): void {
  if (!socket.writable) return void socket.destroy()
  socket.end(renderRawRefusal(refusal, id))
  // What else the client sends is not read; it has until then to read the answer.
  setTimeout(() => socket.destroy(), 1000).unref()
}

async function startListening(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 511, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function isFamilyMissing(error: unknown): boolean {
  return codeOf(error) === 'EADDRNOTAVAIL' || codeOf(error) === 'EAFNOSUPPORT'
}

function toConfigError(cause: unknown, host: string, port: number): ConfigError {
  const place = `${bracketHost(host)}:${port}`
  const isTaken = codeOf(cause) === 'EADDRINUSE'
  const problem = isTaken ? 'it is in use already' : describeError(cause)
  const next = isTaken
    ? 'stop the program that listens there, or listen elsewhere: --listen 127.0.0.1:PORT, or `listen` in the settings'
    : 'give an address of this machine (--listen 127.0.0.1:PORT, or `listen` in the settings), and a port above 1023'
  return new ConfigError('CONFIG_INVALID', `cannot listen on ${place}: ${problem}`, {
    cause,
    next,
  })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}

/** llhttp names its errors; their texts would not mean much to a reader of the log. */
function describeParseError(error: Error): string {
  const code = codeOf(error)
  if (code === 'HPE_HEADER_OVERFLOW') return 'the head of the request is too long'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'the head of the request did not come in time'
  return `not an HTTP request (${code ?? error.name})`
}

function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? 'gone'
}
