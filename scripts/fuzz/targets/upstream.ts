/** Raw bytes of a server that is an index or a file host, to the real client, on a real socket. */

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Bytes } from '../../../src/base/bytes.ts'
import { hostOf } from '../../../src/upstream/host-rules.ts'
import { HttpClient } from '../../../src/upstream/http-client.ts'
import { isCodedError, requireRule, type FuzzTarget } from '../target.ts'

const maxBytes = 20_000
/** With nothing more to say, the server ends the connection. */
const patienceMs = 20
const good = 'the right answer'

let client: HttpClient | undefined
let server: Server | undefined
let answer: Bytes = new Uint8Array()

async function open(): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>()
  const listening = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(patienceMs, () => socket.end())
    socket.on('data', (request) => {
      const isFirst = !request.toString('latin1').includes('/second')
      socket.write(
        isFirst ? answer : `HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`,
      )
    })
  })
  await new Promise<void>((resolve) => void listening.listen(0, '127.0.0.1', resolve))
  server = listening
  client = new HttpClient({
    userAgent: 'tufgate/fuzz',
    environment: {},
    limits: { deadlineMs: 5000, retries: 0, connectionsPerOrigin: 1 },
    sleep: async () => undefined,
  })
  const opened = client
  return async () => {
    client = undefined
    await opened.close()
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => void listening.close(() => resolve()))
  }
}

async function run(input: Bytes): Promise<string> {
  if (client === undefined || server === undefined) throw new Error('the server is not there')
  answer = input
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = { hosts: hostOf(origin), maxBytes }
  const outcome = await attempt(async (asked) => {
    const { body } = await asked.get(`${origin}/first`, options)
    requireRule(body.length <= maxBytes, 'more than the limit')
  })
  await attempt(async (asked) => {
    let received = 0
    const sink = { write: (chunk: Bytes) => void (received += chunk.length) }
    await asked.download(`${origin}/first.zip`, sink, options)
    requireRule(received <= maxBytes, 'more than the limit')
  })
  await attempt(async (asked) => {
    const { body } = await asked.get(`${origin}/second`, options)
    const text = Buffer.from(body).toString()
    requireRule(text === good, 'what was left of one answer is taken for the next')
  })
  return outcome
}

/** The name of what happened. */
async function attempt(ask: (client: HttpClient) => Promise<void>): Promise<string> {
  if (client === undefined) throw new Error('the client is not there')
  try {
    await ask(client)
    return 'read'
  } catch (error) {
    if (isCodedError(error)) return 'refused'
    throw error
  }
}

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')

export const upstreamTarget: FuzzTarget = {
  name: 'upstream-wire',
  rule: 'whatever a server answers is read within its limit or refused, and is no answer to the next request',
  seeds: () => [
    `${head('Content-Length: 5', 'ETag: "x"')}hello`,
    `${head('Transfer-Encoding: chunked', 'Trailer: x')}5\r\nhello\r\n0\r\nx: y\r\n\r\n`,
    `${head('Content-Encoding: gzip', 'Connection: close')}hello`,
    `HTTP/1.1 302 Found\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n`,
    `HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n`,
    `HTTP/1.1 100 Continue\r\n\r\n${head('Content-Length: 2')}ok`,
  ],
  words: [
    '\r\n',
    '\n',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'Content-Length: 3\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 99999999999999999999\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'ffffffffffffffff\r\n',
    '0\r\n\r\n',
    'Location: //127.0.0.1:1/\r\n',
  ],
  share: 0.02,
  open,
  run,
}
