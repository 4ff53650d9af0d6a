/**
 * The one door for outgoing requests. A page or metadata is read whole, a file streams into a
 * sink; each has limits of bytes, speed and time, and every hop of a redirect is checked.
 * What fails is an UpstreamError with a code. What the bytes are worth is decided elsewhere.
 */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { setTimeout as sleepFor } from 'node:timers/promises'
import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Environment } from '../base/environment.ts'
import { UpstreamError } from '../base/errors.ts'
import type { Access } from './credentials.ts'
import {
  runExchange,
  type ExchangeLimits,
  type ExchangeRequest,
  type ExchangeSink,
} from './exchange.ts'
import { BadStatusError, describeBadGzip } from './failure.ts'
import { requireAllowedRedirect, requireAllowedUrl, showUrl, type HostRules } from './host-rules.ts'
import type { ResponseHead } from './response-head.ts'
import { retry } from './retry.ts'

export interface HttpLimits {
  readonly connectionsPerOrigin: number
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
  /** Of a page or metadata, with its retries and redirects. */
  readonly deadlineMs: number
  /** Of one attempt at a file; the floor of speed ends most long before. */
  readonly downloadDeadlineMs: number
  readonly maxRedirects: number
  readonly minBytesPerSecond: number
  readonly throughputWindowMs: number
  readonly retries: number
  readonly retryDelayMs: number
  readonly maxRetryDelayMs: number
}

export const defaultHttpLimits: HttpLimits = {
  connectionsPerOrigin: 16,
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  deadlineMs: 120_000,
  downloadDeadlineMs: 6 * 3_600_000,
  maxRedirects: 5,
  minBytesPerSecond: 8000,
  throughputWindowMs: 10_000,
  retries: 2,
  retryDelayMs: 250,
  maxRetryDelayMs: 5000,
}

export interface HttpClientOptions {
  readonly userAgent: string
  /** PEM; in place of the system's certificates. */
  readonly ca?: string
  readonly limits?: Partial<HttpLimits>
  readonly environment?: Environment
  /** In place of the system's resolver; its answers are checked all the same. */
  readonly lookup?: LookupFunction
  readonly clock?: Clock
  /** Milliseconds that never jump. */
  readonly now?: Clock
  readonly sleep?: (milliseconds: number) => Promise<void>
}

export interface RequestOptions {
  readonly hosts: HostRules
  readonly maxBytes: number
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

export interface GetOptions extends RequestOptions {
  readonly accept?: string
  /** Validators of what the caller has; 304 is then a good answer. */
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
  /** Asks caches on the way to ask the server (RFC 9111 5.2.1.4). */
  readonly isFresh?: boolean
  /** Good answers besides 200; their body is empty. */
  readonly statuses?: readonly number[]
}

export interface HttpResponse {
  readonly status: number
  readonly headers: ResponseHead
  /** Decoded; empty unless `status` is 200. */
  readonly body: Bytes
  /** Where it came from in the end, after redirects. */
  readonly url: string
}

export interface DownloadSink {
  /** Before the first byte. `length`: what the answer announces. To throw ends the download. */
  start?(length: number | undefined): void
  /** One chunk at a time, in order; while the promise is pending the socket is held back. */
  write(chunk: Bytes): void | Promise<void>
}

interface Hop {
  readonly url: URL
  readonly head: ResponseHead
  readonly access: Access
}

interface Journey extends Pick<
  ExchangeRequest,
  'method' | 'headers' | 'maxBytes' | 'maxEncodedBytes' | 'deadlineAt' | 'signal'
> {
  readonly hosts: HostRules
}

/** ms: it lies between the two. */
export interface ServerTime {
  readonly earliest: number
  readonly latest: number
}

const gunzipBytes = promisify(gunzip)
/** Header, file name, trailer; beyond them gzip adds less than a thousandth. */
const gzipOverheadBytes = 1024
const noBytes: Bytes = new Uint8Array(0)

export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #limits: HttpLimits
  readonly #exchangeLimits: ExchangeLimits
  /** By whether private addresses may be dialled. */
  readonly #dispatchers = new Map<boolean, Promise<Dispatcher>>()

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#limits = { ...defaultHttpLimits, ...options.limits }
    this.#exchangeLimits = {
      throughput: {
        minBytesPerSecond: this.#limits.minBytesPerSecond,
        windowMs: this.#limits.throughputWindowMs,
      },
      now: options.now ?? (() => performance.now()),
      clock: options.clock ?? Date.now,
    }
  }

  /** A page or metadata, whole, of at most `maxBytes` as decoded; retried when a fault may pass. */
  get(url: string, options: GetOptions): Promise<HttpResponse> {
    const deadlineAt = this.#deadlineAt(options.deadlineMs ?? this.#limits.deadlineMs)
    return this.#retry(deadlineAt, () => this.#getOnce(url, options, deadlineAt))
  }

  /** The length that a file would have, if the server tells it. */
  async findLength(
    url: string,
    options: Omit<RequestOptions, 'maxBytes'>,
  ): Promise<number | undefined> {
    const deadlineAt = this.#deadlineAt(options.deadlineMs ?? this.#limits.deadlineMs)
    const headers = { accept: '*/*', 'accept-encoding': 'identity' }
    const journey: Journey = { ...options, method: 'HEAD', headers, maxBytes: 0, deadlineAt }
    const sink = { accepts: () => true, write: () => {} }
    const last = await this.#retry(deadlineAt, () => this.#travel(url, journey, sink))
    const { head } = last
    if (head.status !== 200) throw buildBadStatus(last)
    return head.contentEncoding === undefined ? head.contentLength : undefined
  }

  /** What time the server says it is, whatever else it answers; `undefined` where it does not. */
  async findTime(
    url: string,
    options: Omit<RequestOptions, 'maxBytes'>,
  ): Promise<ServerTime | undefined> {
    const deadlineAt = this.#deadlineAt(options.deadlineMs ?? this.#limits.deadlineMs)
    const headers = { accept: '*/*', 'accept-encoding': 'identity', 'cache-control': 'no-cache' }
    const journey: Journey = { ...options, method: 'HEAD', headers, maxBytes: 0, deadlineAt }
    const sink = { accepts: () => true, write: () => {} }
    const { date, ageMs = 0 } = (await this.#travel(url, journey, sink)).head
    // RFC 9111 5.1: a cache counts from the date that the server gave, and some put their own there.
    return date === undefined ? undefined : { earliest: date, latest: date + ageMs }
  }

  /**
   * One attempt at a file, as it is, into the sink. TOO_LARGE once it is longer than `maxBytes`: of
   * what goes beyond nothing is handed on. An error that the sink throws comes back unchanged.
   */
  async download(
    url: string,
    sink: DownloadSink,
    options: RequestOptions,
  ): Promise<{ url: string }> {
    const deadlineAt = this.#deadlineAt(options.deadlineMs ?? this.#limits.downloadDeadlineMs)
    const headers = { accept: '*/*', 'accept-encoding': 'identity' }
    const journey: Journey = { ...options, method: 'GET', headers, deadlineAt }
    const last = await this.#travel(url, journey, {
      accepts: (head) => {
        if (head.status !== 200) return false
        requireIdentity(url, head)
        sink.start?.(head.contentLength)
        return true
      },
      write: (chunk) => sink.write(chunk),
    })
    if (last.head.status !== 200) throw buildBadStatus(last)
    return { url: last.url.href }
  }

  /** Ends what is under way, with errors. */
  async close(): Promise<void> {
    const settled = await Promise.allSettled(this.#dispatchers.values())
    const dispatchers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    this.#dispatchers.clear()
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()))
  }

  async #getOnce(url: string, options: GetOptions, deadlineAt: number): Promise<HttpResponse> {
    const chunks: Bytes[] = []
    const journey: Journey = {
      ...options,
      // The limit may be the signed length: what is short becomes longer by gzip.
      maxEncodedBytes: options.maxBytes + gzipOverheadBytes + Math.ceil(options.maxBytes / 1024),
      method: 'GET',
      headers: renderHeaders(options),
      deadlineAt,
    }
    const last = await this.#travel(url, journey, {
      accepts: (head) => head.status === 200,
      write: (chunk) => void chunks.push(chunk),
    })
    requireStatus(last, options)
    const body =
      last.head.status === 200
        ? await decodeBody(last, Buffer.concat(chunks), options.maxBytes)
        : noBytes
    return { status: last.head.status, headers: last.head, body, url: last.url.href }
  }

  /** Follows redirects by hand, each target checked like the first URL. */
  async #travel(rawUrl: string, journey: Journey, sink: ExchangeSink): Promise<Hop> {
    const { credentials } = journey.hosts
    let url = requireAllowedUrl(rawUrl, journey.hosts)
    let isSent = credentials !== undefined
    for (let hops = 0; hops <= this.#limits.maxRedirects; hops += 1) {
      // Once elsewhere, never again: another host must not choose what is asked with them.
      isSent = isSent && url.origin === credentials?.origin
      const access: Access = { credentials, isSent }
      const head = await this.#exchange(url, { ...journey, access }, sink)
      if (!isRedirect(head)) return { url, head, access }
      url = requireAllowedRedirect(url, head.location, journey.hosts)
    }
    throw new UpstreamError(
      'BAD_STATUS',
      `${showUrl(rawUrl)} redirects more than ${this.#limits.maxRedirects} times`,
      {
        expected: `at most ${this.#limits.maxRedirects} redirects`,
        url: showUrl(rawUrl),
        next: 'Look where the server redirects to; it may send requests in a circle.',
      },
    )
  }

  async #exchange(
    url: URL,
    { access: { credentials, isSent }, ...journey }: Journey & { readonly access: Access },
    sink: ExchangeSink,
  ): Promise<ResponseHead> {
    const headers = {
      'user-agent': this.#options.userAgent,
      ...journey.headers,
      ...(credentials !== undefined && isSent
        ? { authorization: credentials.renderAuthorization() }
        : {}),
    }
    const dispatcher = await this.#dispatcherFor(journey.hosts.allowPrivate)
    return runExchange(dispatcher, { ...journey, url, headers }, sink, this.#exchangeLimits)
  }

  #dispatcherFor(allowPrivate: boolean): Promise<Dispatcher> {
    const existing = this.#dispatchers.get(allowPrivate)
    if (existing !== undefined) return existing
    const created = this.#createDispatcher(allowPrivate)
    this.#dispatchers.set(allowPrivate, created)
    created.catch(() => this.#dispatchers.delete(allowPrivate))
    return created
  }

  /** Loaded with the first request: what listens need not wait for it. */
  async #createDispatcher(allowPrivate: boolean): Promise<Dispatcher> {
    const { createDispatcher } = await import('./dispatchers.ts')
    const { ca, lookup, environment = process.env } = this.#options
    return createDispatcher(allowPrivate, { ...this.#limits, ca, lookup, environment })
  }

  #retry<T>(deadlineAt: number, attempt: () => Promise<T>): Promise<T> {
    return retry(attempt, {
      retries: this.#limits.retries,
      baseDelayMs: this.#limits.retryDelayMs,
      maxDelayMs: this.#limits.maxRetryDelayMs,
      sleep: this.#options.sleep ?? ((milliseconds) => sleepFor(milliseconds)),
      remainingMs: () => deadlineAt - this.#exchangeLimits.now(),
    })
  }

  #deadlineAt(deadlineMs: number): number {
    return this.#exchangeLimits.now() + deadlineMs
  }
}

function renderHeaders(options: GetOptions): Record<string, string> {
  return {
    accept: options.accept ?? '*/*',
    'accept-encoding': 'gzip',
    ...(options.isFresh === true ? { 'cache-control': 'no-cache' } : {}),
    ...(options.etag === undefined ? {} : { 'if-none-match': options.etag }),
    ...(options.lastModified === undefined ? {} : { 'if-modified-since': options.lastModified }),
  }
}

function isRedirect(head: ResponseHead): head is ResponseHead & { location: string } {
  return [301, 302, 303, 307, 308].includes(head.status) && head.location !== undefined
}

function buildBadStatus({ url, head, access }: Hop): BadStatusError {
  return new BadStatusError(url, head.status, head.retryAfterMs, access)
}

function requireStatus(hop: Hop, options: GetOptions): void {
  const { head } = hop
  const isConditional = options.etag !== undefined || options.lastModified !== undefined
  const isGood =
    head.status === 200 ||
    (head.status === 304 && isConditional) ||
    options.statuses?.includes(head.status) === true
  if (!isGood) throw buildBadStatus(hop)
}

async function decodeBody({ url, head }: Hop, body: Bytes, maxBytes: number): Promise<Bytes> {
  if (head.contentEncoding === undefined) return body
  if (!isGzip(head.contentEncoding)) throw refuseEncoding(url.href, head.contentEncoding)
  try {
    // zlib itself stops at the limit: a gzip bomb is never unpacked.
    return await gunzipBytes(body, { maxOutputLength: maxBytes })
  } catch (error) {
    throw describeBadGzip(error, url, maxBytes)
  }
}

function isGzip(encoding: string): boolean {
  return encoding === 'gzip' || encoding === 'x-gzip'
}

/**
 * A digest is over the file as it is, and identity is what was asked for. Apache labels `.gz` files
 * gzip though they are sent as they are; pip takes them, and so do we: the digest decides.
 */
function requireIdentity(url: string, head: ResponseHead): void {
  const encoding = head.contentEncoding
  if (encoding === undefined) return
  const isLabelOnly = isGzip(encoding) && /\.(?:gz|tgz)$/i.test(showUrl(url))
  if (!isLabelOnly) throw refuseEncoding(url, encoding)
}

function refuseEncoding(url: string, encoding: string): UpstreamError {
  return new UpstreamError(
    'BAD_STATUS',
    `${showUrl(url)} came with a Content-Encoding that was not asked for`,
    {
      expected: 'no Content-Encoding',
      found: encoding.slice(0, 40),
      url: showUrl(url),
      next: 'Something on the way compresses files; turn that off for this host.',
    },
  )
}
