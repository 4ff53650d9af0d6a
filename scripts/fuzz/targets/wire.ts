/**
 * Raw bytes on a real socket, to a real server: plain, as the begin of TLS behind CONNECT, and inside of
 * that TLS. Whatever comes is answered or closed, and no byte leaves unverified.
 */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { Bytes } from '../../../src/base/bytes.ts'
import { filePath } from '../../../test/support/memory-gateway.ts'
import { createDice } from '../dice.ts'
import type { FuzzTarget } from '../target.ts'
import { buildClientHello } from './client-hello.ts'
import { openConnection, sendInPieces } from './wire-client.ts'
import { awaited, stored, WireProxy } from './wire-proxy.ts'

let wire: WireProxy | undefined

async function open(): Promise<() => Promise<void>> {
  const started = await WireProxy.start()
  wire = started
  return async () => {
    wire = undefined
    await started.requireHealthy()
    await started.proxy.stop()
  }
}

const get = (target: string, ...headers: string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')

const seeds = [
  get('/simple/foo/'),
  get('/simple/foo/', 'Accept: text/html;q=0.5', 'If-None-Match: "x"', 'Accept-Encoding: gzip'),
  get(filePath('foo', stored.filename)),
  get(filePath('foo', awaited.filename)),
  get(filePath('foo', awaited.filename), 'Range: bytes=0-99') + get('/-/health'),
  get(filePath('foo', stored.filename), 'Range: bytes=0-9', 'If-Range: "x"', 'Connection: close'),
  get('/-/status', 'Origin: http://localhost'),
  get('/simple/foo') + get('/-/health') + get('/simple/'),
  get('http://index.test/simple/foo/').replace('localhost', 'index.test'),
  'CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n',
  'POST /simple/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HEAD /simple/foo/ HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n',
]

const words = [
  '\r\n',
  '\n',
  '\r',
  ' HTTP/1.1\r\n',
  'HTTP/1.0',
  'HTTP/2.0',
  'Host: localhost\r\n',
  'Host: evil.test\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding : x\r\n',
  'Content-Length: 5\r\n',
  'Upgrade: h2c\r\nConnection: upgrade\r\n',
  'Expect: 100-continue\r\n',
  'Range: bytes=0-1,2-3\r\n',
  '0\r\n\r\n',
  '%2e%2e/',
  '\u00ff',
  '\t',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
]

/** To the names that the certificate has. */
const innerSeeds = [
  get('/simple/foo/', 'Accept: text/html').replace('localhost', 'index.test'),
  get('/packages/foo-1.0.tar.gz').replace('localhost', 'files.test'),
  get('https://index.test/simple/foo/').replace('localhost', 'index.test'),
  get('/pypi/foo/json').replace('localhost', 'index.test'),
  'CONNECT files.test:443 HTTP/1.1\r\nHost: files.test:443\r\n\r\n',
  'HEAD /simple/foo/ HTTP/1.1\r\nHost: index.test\r\nContent-Length: 3\r\n\r\nabc',
]

const healthEvery = 16

/** How it is sent follows from the input alone. */
async function run(input: Bytes, begin: (port: number) => Promise<Duplex>): Promise<string> {
  if (wire === undefined) throw new Error('the proxy is not there')
  const dice = createDice(input.length, Buffer.from(input).toString('latin1'))
  wire.prepare(dice)
  const socket = await begin(wire.proxy.port)
  const [first] = wire.check(await sendInPieces(socket, input, dice))
  if (dice.roll(healthEvery) === 0) await wire.requireHealthy()
  return String(first?.status ?? 'no answer')
}

const tunnel = 'CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n'

async function openTunnel(port: number): Promise<Socket> {
  const socket = await openConnection(port)
  socket.write(tunnel)
  await new Promise((resolve) => void socket.once('readable', resolve))
  socket.read()
  return socket
}

/** A whole handshake. */
async function openInside(port: number): Promise<Duplex> {
  const socket = await openTunnel(port)
  const inner = connectTls({
    socket,
    servername: 'index.test',
    // What is asked inside is judged here, not who answers.
    rejectUnauthorized: false,
  })
  await new Promise((resolve, reject) => {
    inner.once('secureConnect', resolve)
    inner.once('error', reject)
  })
  inner.removeAllListeners('error')
  return inner
}

const rule = 'whatever comes on a connection is answered or closed, and no byte leaves unverified'

export const wireTargets: readonly FuzzTarget[] = [
  {
    name: 'wire',
    rule,
    seeds: () => seeds,
    words,
    share: 0.1,
    open,
    run: (input) => run(input, openConnection),
  },
  {
    name: 'wire-hello',
    rule: 'whatever a client sends in place of a TLS handshake, the next client is served',
    seeds: () => [
      buildClientHello('index.test'),
      buildClientHello(''),
      buildClientHello('evil.test'),
    ],
    words: ['index.test', '\u0016\u0003\u0001', '\u0000\u0000', 'GET / HTTP/1.1\r\n\r\n'],
    share: 0.1,
    open,
    // What comes back is TLS: none of it is looked at.
    run: async (input) => {
      if (wire === undefined) throw new Error('the proxy is not there')
      const dice = createDice(input.length, Buffer.from(input).toString('latin1'))
      const socket = await openTunnel(wire.proxy.port)
      const received = await sendInPieces(socket, input, dice)
      if (dice.roll(healthEvery) === 0) await wire.requireHealthy()
      wire.check(Buffer.alloc(0))
      return received.length === 0 ? 'closed' : `record ${received[0] ?? 0}`
    },
  },
  {
    name: 'wire-inside',
    rule,
    seeds: () => innerSeeds,
    words,
    share: 0.05,
    open,
    run: (input) => run(input, openInside),
  },
]
