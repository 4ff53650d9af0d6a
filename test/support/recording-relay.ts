/**
 * A wire between a client and a server that changes nothing and keeps everything: what a real
 * installer asked for, and every byte that it held, whole answer or not.
 */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface RelayedAnswer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** As many bytes as came, which may be fewer than `content-length`. */
  readonly body: Buffer
}

export interface RecordingRelay {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** Of all connections so far, each in its order. */
  answers(): RelayedAnswer[]
  /** Resolves at the first moment when an answer fits. */
  waitFor(fits: (answer: RelayedAnswer) => boolean): Promise<void>
  close(): Promise<void>
}

interface Connection {
  readonly sent: Buffer[]
  readonly received: Buffer[]
}

export async function startRelay(port: number): Promise<RecordingRelay> {
  const connections: Connection[] = []
  const sockets = new Set<Socket>()
  const watchers = new Set<() => void>()
  const answers = (): RelayedAnswer[] => connections.flatMap(parseConnection)
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const connection: Connection = { sent: [], received: [] }
    connections.push(connection)
    join(client, upstream, (chunk) => void connection.sent.push(chunk))
    join(upstream, client, (chunk) => {
      connection.received.push(chunk)
      for (const watch of watchers) watch()
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    waitFor: (fits) =>
      new Promise((resolve) => {
        const watch = (): void => {
          if (!answers().some(fits)) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** One direction, with its end; a connection that breaks takes the other side with it. */
function join(from: Socket, to: Socket, record: (chunk: Buffer) => void): void {
  from.on('data', (chunk) => {
    record(chunk)
    if (!to.write(chunk)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  })
  from.on('end', () => to.end())
  from.on('error', () => to.destroy())
}

function parseConnection({ sent, received }: Connection): RelayedAnswer[] {
  const requests = Buffer.concat(sent).toString('latin1').split('\r\n\r\n')
  const bytes = Buffer.concat(received)
  const answers: RelayedAnswer[] = []
  for (let at = 0, turn = 0; turn < requests.length - 1; turn += 1) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) break
    const [method = '', path = ''] = (requests[turn] ?? '').split(' ')
    const head = parseHead(bytes.toString('latin1', at, end))
    const isBodiless = method === 'HEAD' || head.status === 304
    const length = isBodiless ? 0 : Number(head.headers.get('content-length') ?? Infinity)
    const body = bytes.subarray(end + 4, Math.min(bytes.length, end + 4 + length))
    answers.push({ method, path, ...head, body })
    at = end + 4 + body.length
  }
  return answers
}

function parseHead(text: string): Pick<RelayedAnswer, 'status' | 'headers'> {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  return { status: Number(statusLine.slice(9, 12)), headers }
}
