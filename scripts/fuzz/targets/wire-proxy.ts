/**
 * A real server on a real port, with an index and files in memory: one file that is there, one that is
 * being fetched, slowly, and turns out forged. Time passes as fast as the machine allows.
 */

import type { Bytes } from '../../../src/base/bytes.ts'
import { UpstreamError } from '../../../src/base/errors.ts'
import type { FileFetch } from '../../../src/proxy/gateway.ts'
import type { StartTimer } from '../../../src/proxy/timer.ts'
import { filePath } from '../../../test/support/memory-gateway.ts'
import { MemoryForward } from '../../../test/support/memory-forward.ts'
import { dripEveryMs, RunningProxy } from '../../../test/support/running-proxy.ts'
import type { Dice } from '../dice.ts'
import { requireRule, requireSame } from '../target.ts'
import { openConnection, readAnswers, sendInPieces, type Answer } from './wire-client.ts'
import { readTape } from '../dice.ts'

/** Each piece of it says where it is from. */
function fill(word: string): Buffer {
  return Buffer.from(
    Array.from({ length: 300 }, (_, line) => `${word} ${String(line).padStart(4)}\n`).join(''),
  )
}

export const stored = { filename: 'foo-1.0.tar.gz', content: fill('stored') }
export const awaited = { filename: 'foo-2.0.tar.gz', content: fill('signed') }
const forged = fill('forged')
/** Product: releasing a file. */
const maxUnverifiedBytes = 48

/** Waits of the proxy for others are over at once; those for the client last as long as they do. */
const startTimer: StartTimer = (ms, callback) => {
  const timer = setTimeout(callback, ms <= dripEveryMs ? 0 : ms)
  return () => clearTimeout(timer)
}

export class WireProxy {
  readonly proxy: RunningProxy

  private constructor(proxy: RunningProxy) {
    this.proxy = proxy
  }

  static async start(): Promise<WireProxy> {
    const forward = new MemoryForward()
    forward.endTls()
    const proxy = await RunningProxy.start({ forward, startTimer })
    proxy.gateway.addProject('foo', [stored, awaited])
    return new WireProxy(proxy)
  }

  /** Before each input: the same start, and another way for the fetch to end. */
  prepare(dice: Dice): void {
    const { gateway } = this.proxy
    gateway.events.length = 0
    gateway.downloads.length = 0
    gateway.vault.clear()
    gateway.store(stored.content)
    gateway.nextFetch = () =>
      new SlowFetch(dice.roll(40), dice.pick(['fails', 'starts again', 'ends', 'was forged']), () =>
        gateway.store(awaited.content),
      )
  }

  /** Once all answers have ended. */
  check(received: Buffer): readonly Answer[] {
    requireSame(this.proxy.faults, [], 'faults of the proxy')
    const answers = readAnswers(received)
    for (const answer of answers) checkAnswer(answer)
    return answers
  }

  /** Nothing of what came before is left, and the next client gets what it asks for. */
  async requireHealthy(): Promise<void> {
    requireSame(this.proxy.gateway.openFiles, 0, 'files are left open')
    this.prepare(readTape(new Uint8Array()))
    const socket = await openConnection(this.proxy.port)
    const request = `GET ${filePath('foo', stored.filename)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const received = await sendInPieces(socket, Buffer.from(request), readTape(new Uint8Array()))
    const [answer, ...more] = this.check(received)
    requireSame(more.length, 0, 'more than one answer')
    requireRule(answer?.body.equals(stored.content) === true, 'the next client gets something else')
  }
}

const refusals: ReadonlySet<number> = new Set([
  400, 403, 404, 405, 406, 407, 408, 411, 413, 414, 416, 417, 421, 431, 501, 502, 503, 504,
])
const ok: ReadonlySet<number> = new Set([200, 206, 301, 302, 303, 304, 307, 308])

function checkAnswer({ status, headers, body, isWhole }: Answer): void {
  requireRule(ok.has(status) || refusals.has(status), `an answer of status ${status}`)
  if (body.includes('forged')) {
    requireRule(!isWhole, 'a forged file is whole to the client')
    requireRule(body.length <= maxUnverifiedBytes, 'more than 48 unverified bytes have left')
  }
  const isFile = body.includes('stored') || body.includes('signed')
  if (!isFile || !/^(?:stored|signed|\s|\d)/.test(body.toString('latin1'))) return
  const start = Number(/^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1] ?? 0)
  const matches = [stored, awaited].some(({ content }) =>
    content.subarray(start, start + body.length).equals(body),
  )
  requireRule(matches, 'bytes that are in no file')
}

type End = 'fails' | 'starts again' | 'ends' | 'was forged'

/** Ends after so many looks at it. */
class SlowFetch implements FileFetch {
  readonly done: Promise<void>
  readonly #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void }
  readonly #end: End
  readonly #store: () => void
  #left: number
  #attempt = 1

  constructor(looks: number, end: End, store: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => undefined)
    this.done = promise
    this.#settle = { resolve, reject }
    this.#left = looks
    this.#end = end
    this.#store = store
    if (looks === 0) this.#finish()
  }

  progress(): ReturnType<FileFetch['progress']> {
    this.#left -= 1
    if (this.#left === 0) this.#finish()
    const content: Bytes = this.#end === 'ends' ? awaited.content : forged
    return {
      attempt: this.#attempt,
      head: content.subarray(0, 64),
      length: content.length,
      receivedBytes: content.length,
    }
  }

  #finish(): void {
    if (this.#end === 'starts again') this.#attempt = 2
    if (this.#end === 'fails') {
      this.#settle.reject(new UpstreamError('BROKEN_OFF', 'the connection was lost'))
      return
    }
    this.#store()
    this.#settle.resolve()
  }
}
