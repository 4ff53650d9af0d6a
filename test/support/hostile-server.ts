/**
 * A real HTTP server on loopback whose every misbehaviour is chosen by path:
 *
 *     const server = await startHostileServer()
 *     server.on('/foo.whl', inOrder(status(503), reset(), serve(bytes)))
 *     fetch(server.url('/foo.whl')) ... server.count('/foo.whl')
 *
 * A behaviour is a function of request and response; those below can be combined or replaced.
 * `use(find)` chooses for paths that are not set by `on`. What matches nothing is a 404.
 * Nothing here waits for wall-clock time unless its name says so; `close()` cuts what still runs.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  /** How often this path was asked for before: 0 for the first request. */
  earlier: number,
) => void

type Headers = Readonly<Record<string, string | number>>

export interface HostileServer {
  readonly port: number
  readonly origin: string
  url(path: string): string
  on(path: string, behaviour: Behaviour): void
  use(find: (path: string) => Behaviour | undefined): void
  /** Requests for this path, or all. */
  count(path?: string): number
  /** Bytes of all answers for this path that left for the system, which holds a few MB of them. */
  sentBytes(path: string): number
  /** Heads of all requests in order. */
  readonly requests: readonly {
    method: string
    path: string
    headers: IncomingMessage['headers']
  }[]
  /** Resolves at the next moment when so many requests for the path have come. */
  waitFor(path: string, count: number): Promise<void>
  /** Connections that are open now. */
  readonly connections: number
  close(): Promise<void>
}

export async function startHostileServer(
  options: { tls?: ServerOptions; host?: string } = {},
): Promise<HostileServer> {
  const paths = new Map<string, Behaviour>()
  const counts = new Map<string, number>()
  const requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = []
  const sockets = new Set<Socket>()
  const meters: { readonly path: string; readBytes: () => number }[] = []
  let waiting: { path: string; count: number; resolve: () => void }[] = []
  let findOther: ((path: string) => Behaviour | undefined) | undefined

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const earlier = counts.get(path) ?? 0
    counts.set(path, earlier + 1)
    requests.push({ method: request.method ?? '', path, headers: request.headers })
    response.on('error', () => {}) // the other side may go at any time
    meters.push({ path, readBytes: measureAnswer(request.socket, response) })
    const behaviour = paths.get(path) ?? findOther?.(path) ?? status(404)
    behaviour(request, response, earlier)
    for (const one of waiting) if (one.path === path && earlier + 1 >= one.count) one.resolve()
    waiting = waiting.filter((one) => one.path !== path || earlier + 1 < one.count)
  }

  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const shown = host.includes(':') ? `[${host}]` : host
  const origin = `${options.tls === undefined ? 'http' : 'https'}://${shown}:${port}`

  return {
    port,
    origin,
    requests,
    url: (path) => `${origin}${path}`,
    on: (path, behaviour) => void paths.set(path, behaviour),
    use: (find) => {
      findOther = find
    },
    count: (path) => (path === undefined ? requests.length : (counts.get(path) ?? 0)),
    sentBytes: (path) =>
      meters.reduce((sum, meter) => sum + (meter.path === path ? meter.readBytes() : 0), 0),
    waitFor: (path, count) =>
      new Promise((resolve) => {
        if ((counts.get(path) ?? 0) >= count) resolve()
        else waiting.push({ path, count, resolve })
      }),
    get connections() {
      return sockets.size
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Counts from now to the end of the answer; others may follow on the same connection. */
function measureAnswer(socket: Socket, response: ServerResponse): () => number {
  const before = socket.bytesWritten
  let atEnd: number | undefined
  response.once('close', () => (atEnd = socket.bytesWritten))
  return () => (atEnd ?? socket.bytesWritten) - before
}

/** The bytes as they are. */
export function serve(bytes: Uint8Array, headers: Headers = {}): Behaviour {
  return (request, response) => {
    response.writeHead(200, { 'content-length': bytes.length, ...headers })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }
}

/** Honours `If-None-Match`. */
export function serveWithEtag(bytes: Uint8Array, etag: string, headers: Headers = {}): Behaviour {
  return (request, response, earlier) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
    else serve(bytes, { etag, ...headers })(request, response, earlier)
  }
}

export function status(code: number, headers: Headers = {}, body = ''): Behaviour {
  return (_request, response) => void response.writeHead(code, headers).end(body)
}

/** The same length, one bit of one byte changed. */
export function flipByte(bytes: Uint8Array, at: number = bytes.length >> 1): Behaviour {
  const changed = Uint8Array.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ 1
  return serve(changed)
}

/** Announces all, sends the first `kept` bytes, closes in order (FIN). */
export function truncate(bytes: Uint8Array, kept: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, kept), () => response.socket?.end())
  }
}

/** Chunked; closes without the last chunk. */
export function endChunkedEarly(bytes: Uint8Array, kept: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    response.write(bytes.subarray(0, kept), () => response.socket?.end())
  }
}

/** Chunked and ended properly, but short: HTTP sees nothing wrong. */
export function serveChunked(bytes: Uint8Array, kept = bytes.length): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    response.end(bytes.subarray(0, kept))
  }
}

/** Neither length nor chunks: the end of the connection is the end of the body. */
export function serveUntilClose(bytes: Uint8Array): Behaviour {
  return (_request, response) => {
    response.socket?.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), bytes]))
  }
}

/** Says one length and sends another. */
export function lieAboutLength(bytes: Uint8Array, declared: number): Behaviour {
  return (_request, response) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${declared}\r\n\r\n`
    response.socket?.write(Buffer.concat([Buffer.from(head), bytes]))
  }
}

/** `start`, then the same 64 kB again and again, until somebody hangs up or `limit` is sent. */
export function endless(
  start: Uint8Array = new Uint8Array(0),
  limit = Infinity,
  headers: Headers = Number.isFinite(limit) ? { 'content-length': limit } : {},
): Behaviour {
  return (_request, response) => {
    const block = Buffer.alloc(64 * 1024, 0x61)
    let sent = start.length
    const send = (): void => {
      while (!response.destroyed && sent < limit) {
        const next = block.subarray(0, Math.min(block.length, limit - sent))
        sent += next.length
        if (!response.write(next)) return void response.once('drain', send)
      }
      response.end()
    }
    response.writeHead(200, headers)
    if (start.length > 0) response.write(start)
    send()
  }
}

/** `perTick` bytes every `tickMs`, the whole length announced. */
export function drip(bytes: Uint8Array, perTick: number, tickMs: number): Behaviour {
  return (_request, response) => {
    let at = 0
    response.writeHead(200, { 'content-length': bytes.length })
    response.flushHeaders()
    const timer = setInterval(() => {
      const next = bytes.subarray(at, at + perTick)
      at += next.length
      if (at < bytes.length) response.write(next)
      else response.end(next)
      if (at >= bytes.length) clearInterval(timer)
    }, tickMs)
    response.on('close', () => clearInterval(timer))
  }
}

/** The whole length announced; a timer that comes late makes up for it, so that the rate is kept. */
export function pour(bytes: Uint8Array, bytesPerSecond: number, headers: Headers = {}): Behaviour {
  return (_request, response) => {
    const startedAt = performance.now()
    let at = 0
    response.writeHead(200, { 'content-length': bytes.length, ...headers })
    response.flushHeaders()
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * bytesPerSecond)
      const next = bytes.subarray(at, due)
      at += next.length
      if (next.length > 0) response.write(next)
      if (at < bytes.length) return
      clearInterval(timer)
      response.end()
    }, 50)
    response.on('close', () => clearInterval(timer))
  }
}

/** One byte of the head each `tickMs`, for ever: it has no end. */
export function dripHead(tickMs: number): Behaviour {
  return (_request, response) => {
    const { socket } = response
    socket?.write('HTTP/1.1 200 OK\r\nx-filler: ')
    const timer = setInterval(() => socket?.write('a'), tickMs)
    socket?.on('close', () => clearInterval(timer))
  }
}

/** The first `kept` bytes, then silence on an open connection. */
export function stall(bytes: Uint8Array, kept: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.flushHeaders()
    response.write(bytes.subarray(0, kept))
  }
}

/** Takes the request and never answers. */
export function silence(): Behaviour {
  return () => {}
}

/** Sends nothing until `released` resolves. */
export function holdUntil(released: Promise<void>, then: Behaviour): Behaviour {
  return (request, response, earlier) => {
    void released.then(() => then(request, response, earlier))
  }
}

/** One header line after the other, for ever. */
export function endlessHeaders(): Behaviour {
  return (_request, response) => {
    const { socket } = response
    socket?.write('HTTP/1.1 200 OK\r\n')
    const send = (): void => {
      if (socket === null || socket.destroyed) return
      // A pause: whoever reads all of it would keep this process from everything else.
      socket.write(`x-filler: ${'a'.repeat(8000)}\r\n`, () => setImmediate(send))
    }
    send()
  }
}

/** Interim answers (1xx) without end. */
export function endlessInterim(code = 103, pauseMs = 0): Behaviour {
  return (_request, response) => {
    const { socket } = response
    const send = (): void => {
      if (socket === null || socket.destroyed) return
      socket.write(`HTTP/1.1 ${code} Early Hints\r\nlink: </x>\r\n\r\n`, () =>
        pauseMs === 0 ? setImmediate(send) : setTimeout(send, pauseMs),
      )
    }
    send()
  }
}

/** RST: before any answer, or after the head and `kept` bytes. */
export function reset(bytes?: Uint8Array, kept = 0): Behaviour {
  return (_request, response) => {
    if (bytes === undefined) {
      response.socket?.resetAndDestroy()
      return
    }
    response.writeHead(200, { 'content-length': bytes.length })
    response.flushHeaders()
    response.write(bytes.subarray(0, kept), () => {
      // The RST overtakes what is still on its way: the other side shall see these bytes first.
      setImmediate(() => setTimeout(() => response.socket?.resetAndDestroy(), 20))
    })
  }
}

export function redirect(location: string, code = 302): Behaviour {
  return status(code, { location })
}

/** A small body that unpacks to `unpacked` zero bytes. */
export function gzipBomb(unpacked: number, headers: Headers = {}): Behaviour {
  const bytes = gzipSync(Buffer.alloc(unpacked), { level: 9 })
  return serve(bytes, { 'content-encoding': 'gzip', ...headers })
}

export function serveGzip(bytes: Uint8Array, headers: Headers = {}): Behaviour {
  return serve(gzipSync(bytes), { 'content-encoding': 'gzip', ...headers })
}

/** The first request gets the first behaviour and so on; the last one stays. */
export function inOrder(...behaviours: readonly Behaviour[]): Behaviour {
  return (request, response, earlier) => {
    const behaviour = behaviours[Math.min(earlier, behaviours.length - 1)]
    behaviour?.(request, response, earlier)
  }
}
