/**
 * One request and its answer over undici's `dispatch`: limits of bytes, speed and time, and
 * backpressure. It knows nothing of redirects, retries and what the bytes mean.
 *
 * It settles exactly once, and never while the sink is still writing.
 */

import type { Dispatcher } from 'undici'
import type { Clock } from '../base/clock.ts'
import type { Bytes } from '../base/bytes.ts'
import { UpstreamError } from '../base/errors.ts'
import { showUrl } from './host-rules.ts'
import { parseHead, type RawHeaders, type ResponseHead } from './response-head.ts'
import { ThroughputMeter, type ThroughputLimits } from './throughput.ts'
import { describeFailure, type FailurePlace } from './failure.ts'

export interface ExchangeRequest {
  readonly method: 'GET' | 'HEAD'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** In place of `maxBytes` for a body that comes encoded; what it unpacks to is not limited here. */
  readonly maxEncodedBytes?: number
  /** On the exchange's own clock. */
  readonly deadlineAt: number
  readonly signal?: AbortSignal | undefined
}

export interface ExchangeSink {
  /** Whether the body is wanted; to throw fails the exchange before the body is read. */
  accepts(head: ResponseHead): boolean
  /** Called with one chunk at a time, in order. */
  write(chunk: Bytes): void | Promise<void>
}

export interface ExchangeLimits {
  readonly throughput: ThroughputLimits
  /** Milliseconds that never jump. */
  readonly now: Clock
  /** The time of day, for a `Retry-After` that is a date. */
  readonly clock: Clock
}

/** Chunks that wait for the sink before the socket is paused; one read of a socket is 64 kB. */
const maxWaitingBytes = 256 * 1024
/** A body that nobody wants is read up to here, so that the connection can be used again. */
const maxDrainedBytes = 64 * 1024
const maxDrainMs = 250
/** 1xx answers refresh undici's timer: without a bound they could go on for ever. */
const maxInterimAnswers = 16

/** Resolves with the head once the wanted body has gone through the sink, or was not wanted. */
export function runExchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  sink: ExchangeSink,
  limits: ExchangeLimits,
): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(request, sink, limits, { resolve, reject })
    dispatcher.dispatch(
      {
        origin: request.url.origin,
        path: `${request.url.pathname}${request.url.search}`,
        method: request.method,
        headers: request.headers,
      },
      exchange,
    )
  })
}

interface Outcome {
  resolve(head: ResponseHead): void
  reject(error: unknown): void
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest
  readonly #sink: ExchangeSink
  readonly #limits: ExchangeLimits
  readonly #outcome: Outcome
  readonly #timers: NodeJS.Timeout[] = []
  readonly #onAbort = (): void => this.#fail(this.#abortReason())
  readonly #waiting: Bytes[] = []
  #controller: Dispatcher.DispatchController | undefined
  #meter: ThroughputMeter | undefined
  #head: ResponseHead | undefined
  #failure: { readonly error: unknown } | undefined
  #isSettled = false
  #isDraining = false
  #isEnded = false
  #isWriting = false
  #waitingBytes = 0
  #receivedBytes = 0
  #interimAnswers = 0

  constructor(
    request: ExchangeRequest,
    sink: ExchangeSink,
    limits: ExchangeLimits,
    outcome: Outcome,
  ) {
    this.#request = request
    this.#sink = sink
    this.#limits = limits
    this.#outcome = outcome
    const remainingMs = Math.max(0, request.deadlineAt - limits.now())
    // setTimeout takes 31 bits; what lies beyond is no deadline.
    if (remainingMs < 2 ** 31)
      this.#timers.push(setTimeout(() => this.#failByDeadline(), remainingMs))
    if (request.signal?.aborted === true) this.#onAbort()
    else request.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It may have failed while it still waited for a connection, where undici cannot abort it.
    if (this.#failure !== undefined) controller.abort(toError(this.#failure.error))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, raw: RawHeaders): void {
    if (this.#failure !== undefined) return
    if (status < 200) return this.#countInterim()
    const head = parseHead(status, raw, this.#limits.clock())
    this.#head = head
    try {
      if (this.#sink.accepts(head)) this.#watchSpeed()
      else this.#startDraining()
    } catch (error) {
      this.#fail(error)
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Bytes): void {
    if (this.#failure !== undefined) return
    this.#receivedBytes += chunk.byteLength
    if (this.#isDraining) {
      if (this.#receivedBytes > maxDrainedBytes) this.#stopDraining()
      return
    }
    this.#meter?.addBytes(chunk.byteLength)
    if (this.#receivedBytes > this.#maxBytes()) return this.#fail(this.#tooLarge())
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.byteLength
    this.#pump()
    if (this.#waitingBytes > maxWaitingBytes) this.#pause()
  }

  onResponseEnd(): void {
    this.#isEnded = true
    this.#meter = undefined
    this.#pump()
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    // A body that nobody wants may break off.
    if (this.#isDraining) return this.#settle()
    const isStarted = this.#controller !== undefined
    this.#fail(describeFailure(error, { url: this.#request.url, isStarted, ...this.#progress() }))
  }

  #progress(): Pick<FailurePlace, 'answer'> {
    if (this.#head === undefined) return {}
    const answer = {
      receivedBytes: this.#receivedBytes,
      announcedBytes: this.#head.contentLength,
    }
    return { answer }
  }

  /** Hands chunks to the sink until it is busy; settles when everything has gone through. */
  #pump(): void {
    while (!this.#isWriting && this.#failure === undefined) {
      const chunk = this.#waiting.shift()
      if (chunk === undefined) break
      this.#waitingBytes -= chunk.byteLength
      this.#write(chunk)
    }
    const isIdle = !this.#isWriting && this.#waiting.length === 0
    if (this.#waitingBytes <= maxWaitingBytes / 2 && this.#failure === undefined) this.#resume()
    if (!this.#isWriting && (this.#failure !== undefined || (this.#isEnded && isIdle)))
      this.#settle()
  }

  #write(chunk: Bytes): void {
    try {
      const written = this.#sink.write(chunk)
      if (written === undefined) return
      this.#isWriting = true
      written.then(
        () => this.#finishWrite(),
        (error: unknown) => this.#finishWrite({ error }),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  #finishWrite(failure?: { readonly error: unknown }): void {
    this.#isWriting = false
    if (failure !== undefined && this.#failure === undefined) this.#fail(failure.error)
    else this.#pump()
  }

  #pause(): void {
    if (this.#controller === undefined || this.#controller.paused) return
    this.#meter?.pause(this.#limits.now())
    this.#controller.pause()
  }

  #resume(): void {
    if (this.#controller === undefined || !this.#controller.paused) return
    this.#meter?.resume(this.#limits.now())
    this.#controller.resume()
  }

  /** The head says it all; the rest is read, for a moment, to keep the connection. */
  #startDraining(): void {
    this.#isDraining = true
    this.#timers.push(setTimeout(() => this.#stopDraining(), maxDrainMs))
  }

  #stopDraining(): void {
    this.#settle()
    this.#controller?.abort(new Error('the body is not wanted'))
  }

  #countInterim(): void {
    this.#interimAnswers += 1
    if (this.#interimAnswers <= maxInterimAnswers) return
    this.#fail(
      new UpstreamError(
        'BROKEN_OFF',
        `${showUrl(this.#request.url)} sends 1xx answers without end`,
        {
          url: showUrl(this.#request.url),
          next: 'Try again; if it goes on, the server or something before it is broken.',
        },
      ),
    )
  }

  #watchSpeed(): void {
    const { throughput, now } = this.#limits
    this.#meter = new ThroughputMeter(throughput, now())
    this.#timers.push(setInterval(() => this.#checkSpeed(), Math.max(10, throughput.windowMs / 4)))
  }

  #checkSpeed(): void {
    const rate = this.#meter?.findTooSlow(this.#limits.now())
    if (rate === undefined) return
    const { minBytesPerSecond, windowMs } = this.#limits.throughput
    this.#fail(
      new UpstreamError(
        'TOO_SLOW',
        `${showUrl(this.#request.url)} came at ${Math.floor(rate)} B/s`,
        {
          expected: `at least ${minBytesPerSecond} B/s over ${windowMs / 1000} s`,
          found: `${Math.floor(rate)} B/s`,
          url: showUrl(this.#request.url),
          next: 'Try again later; the connection to this host is too slow, or the host holds back on purpose.',
        },
      ),
    )
  }

  #maxBytes(): number {
    const { maxBytes, maxEncodedBytes = maxBytes } = this.#request
    return this.#head?.contentEncoding === undefined ? maxBytes : maxEncodedBytes
  }

  #tooLarge(): UpstreamError {
    const { url } = this.#request
    const maxBytes = this.#maxBytes()
    return new UpstreamError(
      'TOO_LARGE',
      `${showUrl(url)} is longer than ${maxBytes} bytes; the rest was not read`,
      {
        expected: `at most ${maxBytes} bytes`,
        found: `more than ${maxBytes} bytes`,
        url: showUrl(url),
        next: 'Look at what the server sends there; the limits are in the settings.',
      },
    )
  }

  #failByDeadline(): void {
    const url = showUrl(this.#request.url)
    this.#fail(
      new UpstreamError('TIMED_OUT', `${url} did not finish within its time`, {
        found: `${this.#receivedBytes} bytes`,
        url,
        next: 'Try again; if it goes on, look at the connection to this host.',
      }),
    )
  }

  #abortReason(): Error {
    return toError(this.#request.signal?.reason)
  }

  /** The first failure counts. The rejection waits for a write that is under way. */
  #fail(error: unknown): void {
    if (this.#isSettled || this.#failure !== undefined) return
    this.#failure = { error }
    this.#waiting.length = 0
    this.#stopTimers()
    this.#controller?.abort(toError(error))
    if (!this.#isWriting) this.#settle()
  }

  #settle(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#stopTimers()
    if (this.#failure !== undefined) this.#outcome.reject(this.#failure.error)
    else if (this.#head !== undefined) this.#outcome.resolve(this.#head)
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer)
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error('aborted', { cause: value })
}
