/** A client that says CONNECT to a proxy, begins TLS inside, and then sends any bytes. */

import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

export interface Connected {
  readonly status: number
  /** All that was answered where it was refused. */
  readonly refusal: string
  readonly socket: Socket
}

export async function sendConnect(origin: string, target: string): Promise<Connected> {
  const { hostname, port } = new URL(origin)
  const socket = connectPlain(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  const head = first.toString('latin1')
  const status = Number(head.slice(9, 12))
  // A client speaks first in TLS: nothing but the head can have come.
  const refusal = status === 200 ? '' : head + (await text(socket))
  return { status, refusal, socket }
}

/** Rejects where the handshake fails. */
export async function beginTls(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  const inner = connect({ ...options, socket })
  try {
    await once(inner, 'secureConnect')
    return inner
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** All that comes back, until the other side ends it. */
export async function exchange(inner: TLSSocket, lines: readonly string[]): Promise<string> {
  inner.write([...lines, '', ''].join('\r\n'))
  try {
    return await text(inner)
  } finally {
    inner.destroy()
  }
}
