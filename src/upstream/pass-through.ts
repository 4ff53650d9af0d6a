/**
 * Plain HTTP requests to servers that the operator lets pass: sent on as they are, but for the headers of
 * one hop, and answered with what comes back. Nothing of it is verified, and none of our own credentials
 * goes along. Loaded when the first such request comes: it costs time and memory.
 */

import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'http-proxy-3'
import { toPrintable } from '../base/bytes.ts'
import { UpstreamError } from '../base/errors.ts'
import { describeFailure } from './failure.ts'
import { removeHopByHop } from './hop-by-hop.ts'
import { showUrl } from './host-rules.ts'

export interface PassThroughOptions {
  /** `host` in lower case, IPv6 in brackets. Throws UpstreamError. */
  connect(host: string, port: number): Promise<Duplex>
  /** Without a byte in either direction. */
  readonly idleTimeoutMs: number
  readonly maxBodyBytes: number
}

export interface PassedThrough {
  readonly status: number
  readonly bytes: number
}

const defaultPort = 80
const maxReasonLength = 200
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** Resolves when the answer is sent, or the client is gone. Throws UpstreamError. */
export async function passThrough(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  options: PassThroughOptions,
): Promise<PassedThrough> {
  prepareHeaders(request, url, options.maxBodyBytes)
  const passage = new Passage(url, options)
  const { hostname, port } = url
  const socket = await options.connect(hostname, port === '' ? defaultPort : Number(port))
  if (response.destroyed) {
    socket.destroy()
    return { status: 0, bytes: 0 }
  }
  // With this variable the library would call the global fetch, past all checks of addresses.
  delete process.env['FORCE_FETCH_PATH']
  const proxy = createProxyServer({
    target: url,
    // The path stands in the target.
    ignorePath: true,
    agent: new SocketAgent(socket),
    headers: { host: url.host },
  })
  return new Promise((resolve, reject) => {
    const giveUp = (error: unknown): void => {
      passage.fail(error)
      if (response.headersSent) response.destroy()
      else passage.settle(resolve, reject)
    }
    response.once('close', () => passage.settle(resolve, reject))
    proxy.on('proxyReq', (sent) => passage.watchRequest(sent, request, giveUp))
    proxy.on('proxyRes', (answer) => passage.watchAnswer(answer, response))
    proxy.web(request, response, {}, giveUp)
  })
}

/** Throws UpstreamError. */
function prepareHeaders(
  { headers, method = '' }: IncomingMessage,
  url: URL,
  maxBodyBytes: number,
): void {
  const { connection, 'transfer-encoding': coding } = headers
  removeHopByHop(headers)
  // Whether the client wants to go on is for the answer to say.
  if (/\bclose\b/i.test(connection ?? '')) headers.connection = 'close'
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new UpstreamError(
      'HOST_REFUSED',
      'a Transfer-Encoding other than chunked is not sent on',
      {
        expected: 'chunked',
        found: coding,
        url: showUrl(url),
        next: 'send it without this proxy',
      },
    )
  }
  // Otherwise it would become chunked, which not every server reads.
  if (coding === undefined && methodsWithBody.has(method)) headers['content-length'] ??= '0'
  if (Number(headers['content-length'] ?? 0) > maxBodyBytes) throw refuseBody(url, maxBodyBytes)
}

function refuseBody(url: URL, maxBodyBytes: number): UpstreamError {
  return new UpstreamError('TOO_LARGE', `a request to ${url.host} has too long a body`, {
    expected: `at most ${maxBodyBytes} bytes`,
    url: showUrl(url),
    next: 'send it without this proxy',
  })
}

/** One request and its answer: what they cost, and what went wrong. */
class Passage {
  readonly #url: URL
  readonly #options: PassThroughOptions
  #status = 0
  #bytes = 0
  #failure: unknown

  constructor(url: URL, options: PassThroughOptions) {
    this.#url = url
    this.#options = options
  }

  watchRequest(
    sent: ClientRequest,
    request: IncomingMessage,
    giveUp: (error: unknown) => void,
  ): void {
    const { idleTimeoutMs, maxBodyBytes } = this.#options
    sent.setTimeout(idleTimeoutMs, () => sent.destroy(this.#describeSilence()))
    // Nobody asked for another protocol; of an answer that says so, no error tells.
    sent.once('upgrade', (answer, socket) => {
      socket.destroy()
      giveUp(this.#refuseStatus(answer))
    })
    let bytes = 0
    request.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length
      if (bytes > maxBodyBytes) sent.destroy(refuseBody(this.#url, maxBodyBytes))
    })
  }

  watchAnswer(answer: IncomingMessage, response: ServerResponse): void {
    answer.once('error', (error) => {
      this.fail(error)
      response.destroy()
    })
    const { statusCode = 0, statusMessage = '', headers } = answer
    // Node can read what it cannot write, and throws it at nobody.
    if (statusCode < 200) return void answer.destroy(this.#refuseStatus(answer))
    answer.statusMessage = toPrintable(statusMessage, maxReasonLength)
    this.#status = statusCode
    this.#frameAnew(headers)
    response.setHeader('X-Tufgate-Trust', 'unverified')
    // What the server says of this is its own invention.
    delete headers['x-tufgate-trust']
    delete headers['x-request-id']
    answer.on('data', (chunk: Uint8Array) => (this.#bytes += chunk.length))
    // Up to here the server waits with the client, and is given up in time; what is left would wait for ever.
    answer.once('end', () => {
      response.setTimeout(this.#options.idleTimeoutMs, () => void response.destroy())
    })
  }

  fail(error: unknown): void {
    this.#failure ??= error
  }

  settle(resolve: (passed: PassedThrough) => void, reject: (error: Error) => void): void {
    if (this.#failure === undefined) {
      return resolve({ status: this.#status, bytes: this.#bytes })
    }
    const answer = { receivedBytes: this.#bytes, announcedBytes: undefined }
    const place = { url: this.#url, isStarted: true }
    const begun = this.#status === 0 ? place : { ...place, answer }
    reject(describeFailure(this.#failure, begun))
  }

  /** As the client's own version of HTTP needs it. */
  #frameAnew(headers: IncomingMessage['headers']): void {
    removeHopByHop(headers)
    delete headers['transfer-encoding']
    // RFC 9110 8.6: who believes it waits for a body, or takes the next answer for one.
    if (this.#status === 204) delete headers['content-length']
  }

  #refuseStatus({ statusCode }: IncomingMessage): UpstreamError {
    const status = String(statusCode).padStart(3, '0')
    return new UpstreamError('BAD_STATUS', `${showUrl(this.#url)} answered ${status}`, {
      expected: 'a status from 200 to 999',
      found: status,
      url: showUrl(this.#url),
      next: 'look at this server: it does not speak HTTP as it should',
    })
  }

  #describeSilence(): UpstreamError {
    return new UpstreamError('TIMED_OUT', `${showUrl(this.#url)}: nothing came for too long`, {
      url: showUrl(this.#url),
      next: 'try again later; if it goes on, look at the connection to this host',
    })
  }
}

/** One connection for one request: what is not verified shares none with anything. */
class SocketAgent extends Agent {
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    super({ keepAlive: false })
    this.#socket = socket
  }

  override createConnection(): Duplex {
    return this.#socket
  }
}
