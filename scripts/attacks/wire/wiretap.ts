/** A client that sends any bytes, on as many connections as it likes, and forgets nothing of what came. */

import { RawClient } from '../../../test/support/raw-client.ts'
import { findLeak, type Leak } from './evil-bytes.ts'

/** Nothing honest takes longer. */
const patienceMs = 20_000

export interface Heard extends Leak {
  /** `9 x 403, 2 x 404`, in the order of the statuses. */
  readonly answers: string
  readonly connections: number
  /** The first reason phrase of a refusal. */
  readonly line: string
}

export class Wiretap {
  /** Of whom it speaks to next. */
  port: number
  readonly #clients: RawClient[] = []

  constructor(port: number) {
    this.port = port
  }

  async open(): Promise<RawClient> {
    const client = await RawClient.open(this.port)
    this.#clients.push(client)
    return client
  }

  /** On a connection of its own, until the other side ends it. */
  async say(bytes: string | Buffer): Promise<Buffer> {
    const client = await this.open()
    client.send(bytes)
    return this.hear(client)
  }

  /** One request, and the end of the connection behind it. */
  async ask(target: string, headers: readonly string[] = [], method = 'GET'): Promise<Buffer> {
    const client = await this.open()
    client.ask(target, ['Connection: close', ...headers], method)
    return this.hear(client)
  }

  /** Until the other side ends it. */
  async hear(client: RawClient): Promise<Buffer> {
    const timer = setTimeout(() => client.close(), patienceMs)
    await client.ended()
    clearTimeout(timer)
    client.close()
    return client.received
  }

  tell(): Heard {
    const received = this.#clients.map((client) => client.received)
    const leaks = received.map(findLeak)
    const heads = received.flatMap((bytes) => [
      ...bytes.toString('latin1').matchAll(/HTTP\/1\.[01] (\d{3}) ([^\r\n]*)/g),
    ])
    const refused = heads.find(([, status = '']) => Number(status) >= 400)
    return {
      longest: Math.max(0, ...leaks.map(({ longest }) => longest)),
      later: leaks.reduce((sum, { later }) => sum + later, 0),
      answers: tally(heads.map(([, status = '']) => status)),
      connections: received.length,
      line: refused?.[2] ?? '',
    }
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }
}

function tally(statuses: readonly string[]): string {
  const groups = Map.groupBy(statuses.toSorted(), (status) => status)
  return Array.from(groups, ([status, all]) => `${all.length} x ${status}`).join(', ')
}
