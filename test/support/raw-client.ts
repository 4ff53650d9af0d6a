/** A client that sends any bytes, and sees exactly what comes back and how the connection ends. */

import { connect, type Socket } from 'node:net'

export interface RawResponse {
  readonly status: number
  readonly reason: string
  readonly headers: ReadonlyMap<string, string>
  /** As many bytes as came, which may be fewer than `content-length`. */
  readonly body: Buffer
}

export class RawClient {
  #chunks: Buffer[] = []
  #total = 0
  /** Fewer bytes than this cannot be a whole response: not worth to put together. */
  #needed = 0
  #watchers: (() => void)[] = []
  #end: 'open' | 'fin' | 'reset' = 'open'
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#total += chunk.length
      this.#notify()
    })
    socket.on('end', () => this.#finish('fin'))
    socket.on('error', () => this.#finish('reset'))
    socket.on('close', () => this.#finish('reset'))
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
  }

  /** A GET (or other) of `target` with the headers that it needs. */
  ask(target: string, headers: readonly string[] = [], method = 'GET'): void {
    this.send([`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'))
  }

  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  /** Waits for the next whole response, and takes it from what was received. */
  async response(options: { head?: boolean } = {}): Promise<RawResponse> {
    const parsed = await this.#until(() => this.#parse(options.head === true))
    this.#chunks = [this.received.subarray(parsed.bytes)]
    this.#total -= parsed.bytes
    this.#needed = 0
    return parsed.response
  }

  /** Waits until the other side has ended the connection: with FIN, or otherwise. */
  async ended(): Promise<'fin' | 'reset'> {
    return this.#until(() => (this.#end === 'open' ? undefined : this.#end))
  }

  /** Waits until at least `count` bytes behind the head of a response are there. */
  async bodyBytes(count: number): Promise<Buffer> {
    return this.#until(() => {
      const end = this.received.indexOf('\r\n\r\n')
      const body = end < 0 ? undefined : this.received.subarray(end + 4)
      return body !== undefined && (body.length >= count || this.#end !== 'open') ? body : undefined
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #parse(isHead: boolean): { response: RawResponse; bytes: number } | undefined {
    if (this.#total < this.#needed && this.#end === 'open') return undefined
    const end = this.received.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#end !== 'open') throw new Error(`no response: ${this.received.toString('latin1')}`)
      return undefined
    }
    const [statusLine = '', ...lines] = this.received.toString('latin1', 0, end).split('\r\n')
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
      }),
    )
    const status = Number(statusLine.slice(9, 12))
    const hasBody = !isHead && status !== 304
    const length = hasBody ? Number(headers.get('content-length') ?? 0) : 0
    const available = this.#total - end - 4
    this.#needed = end + 4 + length
    if (available < length && this.#end === 'open') return undefined
    const body = this.received.subarray(end + 4, end + 4 + length)
    const response = { status, reason: statusLine.slice(13), headers, body }
    return { response, bytes: end + 4 + body.length }
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      await new Promise<void>((resolve) => void this.#watchers.push(resolve))
    }
  }

  #finish(end: 'fin' | 'reset'): void {
    if (this.#end === 'open') this.#end = end
    this.#notify()
  }

  #notify(): void {
    for (const notify of this.#watchers.splice(0)) notify()
  }
}
