import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryForward } from '../support/memory-forward.ts'
import type { RawClient } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'
import { tlsCertificate } from '../support/tls-identity.ts'

const content = Buffer.alloc(300_000, 'genuine ')
const filename = 'foo-1.0.tar.gz'
const headerTimeMs = 10_000

let forward: MemoryForward
let proxy: RunningProxy
let client: RawClient
beforeEach(async () => {
  forward = new MemoryForward()
  forward.endTls()
  proxy = await RunningProxy.start({ forward }, { headerTimeMs })
  proxy.gateway.addProject('foo', [{ filename, content }])
  proxy.gateway.store(content)
  client = await proxy.connect()
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  await proxy.stop()
})

async function connect(host = 'index.test', own = client): Promise<void> {
  own.send(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`)
  expect((await own.response()).status).toBe(200)
}

/** TLS inside of the tunnel. */
async function secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const inner = connectTls({
    socket: client.socket,
    ca: tlsCertificate,
    servername: 'index.test',
    ALPNProtocols: ['h2', 'http/1.1'],
    ...options,
  })
  inner.on('error', () => undefined)
  await once(inner, 'secureConnect')
  return inner
}

/** What comes back until the connection ends. */
async function ask(inner: TLSSocket, ...lines: readonly string[]): Promise<string> {
  const chunks: Buffer[] = []
  inner.on('data', (chunk: Buffer) => chunks.push(chunk))
  inner.write([...lines, 'Connection: close', '', ''].join('\r\n'))
  await closed(inner)
  return Buffer.concat(chunks).toString('latin1')
}

/** `once` of events would throw what comes before. */
async function closed(inner: TLSSocket): Promise<void> {
  await new Promise<void>((resolve) => void inner.once('close', () => resolve()))
}

const events = (): unknown[] =>
  proxy.gateway.events.filter(({ request }) => request !== 'GET /-/health')

async function until(condition: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** What a client begins TLS with. */
async function buildHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, callback) => {
      resolve(chunk)
      callback()
    },
  })
  const inner = connectTls({ socket, servername: 'index.test' }).on('error', () => undefined)
  const hello = await promise
  inner.destroy()
  return hello
}

async function refusedWith(code: string, message: string): Promise<void> {
  await until(() => events().length > 0)
  expect(events()).toMatchObject([
    { kind: 'refused', code, message: expect.stringContaining(message) as string },
  ])
}

describe('TLS that is ended here', () => {
  test('speaks HTTP/1.1 with the certificate of the host, and serves verified pages', async () => {
    await connect()
    const inner = await secure()
    expect(inner.alpnProtocol).toBe('http/1.1')
    expect(inner.authorized).toBe(true)
    const answer = await ask(inner, 'GET /simple/foo/ HTTP/1.1', 'Host: index.test')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(answer).toContain('X-Tufgate-Trust: root=3')
    expect(answer).toContain(`href="https://files.test/packages/${filename}#sha256=`)
    expect(events()).toMatchObject([
      { kind: 'page', project: 'foo', request: 'GET https://index.test/simple/foo/' },
    ])
  })

  test('serves verified files', async () => {
    await connect('files.test')
    const inner = await secure({ servername: 'files.test' })
    const answer = await ask(inner, `GET /packages/${filename} HTTP/1.1`, 'Host: files.test:443')
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(content.toString('latin1'))
    expect(events()).toMatchObject([
      { kind: 'released', request: `GET https://files.test/packages/${filename}` },
    ])
  })

  test('takes what came with CONNECT for the beginning of the handshake', async () => {
    const request = 'CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n'
    client.send(Buffer.concat([Buffer.from(request), await buildHello()]))
    expect((await client.response()).status).toBe(200)
    await until(() => client.received.length > 6)
    // RFC 8446 5.1 and 4: a record of the handshake, and in it ServerHello.
    expect([client.received[0], client.received[5]]).toEqual([22, 2])
  })

  test('answers many requests on one connection', async () => {
    await connect()
    const inner = await secure()
    const request = 'GET /simple/foo/ HTTP/1.1\r\nHost: index.test\r\n\r\n'
    inner.write(request + request)
    const answer = await ask(inner, 'GET /simple/foo/ HTTP/1.1', 'Host: index.test')
    expect(answer.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(3)
  })
})

describe('inside of it', () => {
  test.each([
    ['the Host of another index', ['GET /simple/foo/ HTTP/1.1', 'Host: files.test'], 421],
    ['the Host of this proxy', ['GET /simple/foo/ HTTP/1.1', 'Host: localhost'], 421],
    ['another port', ['GET /simple/foo/ HTTP/1.1', 'Host: index.test:8443'], 421],
    ['no Host', ['GET /simple/foo/ HTTP/1.1'], 400],
    ['two Hosts', ['GET /simple/foo/ HTTP/1.1', 'Host: index.test', 'Host: evil.test'], 400],
    ['an absolute URL', ['GET https://index.test/simple/foo/ HTTP/1.1', 'Host: index.test'], 400],
    ['one of another host', ['GET http://other.test/ HTTP/1.1', 'Host: other.test'], 400],
    ['a host in place of the path', ['GET //evil.test/ HTTP/1.1', 'Host: index.test'], 404],
    ['POST', ['POST /simple/foo/ HTTP/1.1', 'Host: index.test'], 405],
    ['a body', ['GET /simple/foo/ HTTP/1.1', 'Host: index.test', 'Content-Length: 3'], 400],
    [
      'another web site',
      ['GET /simple/foo/ HTTP/1.1', 'Host: index.test', 'Origin: https://evil.test'],
      403,
    ],
    ['our status pages', ['GET /-/health HTTP/1.1', 'Host: index.test'], 404],
    ['nested CONNECT', ['CONNECT index.test:443 HTTP/1.1', 'Host: index.test:443'], 405],
    [
      'CONNECT to what is let pass',
      ['CONNECT other.test:443 HTTP/1.1', 'Host: other.test:443'],
      405,
    ],
  ])('%s is refused', async (_, lines, status) => {
    forward.isAllowed = () => true
    await connect()
    const answer = await ask(await secure(), ...lines)
    expect(Number(answer.slice(9, 12))).toBe(status)
    expect(forward.tunnels).toEqual([])
    expect(forward.passed).toEqual([])
    expect(events()).toMatchObject([{ kind: 'refused' }])
  })

  test('a page of the same host is no other web site', async () => {
    await connect()
    const lines = ['GET /simple/foo/ HTTP/1.1', 'Host: index.test', 'Origin: https://index.test']
    expect(await ask(await secure(), ...lines)).toMatch(/^HTTP\/1\.1 200/)
  })

  test('rubbish is a bad request', async () => {
    await connect()
    expect(await ask(await secure(), 'rubbish')).toMatch(/^HTTP\/1\.1 400/)
  })
})

describe('a handshake', () => {
  test('with another name than CONNECT had is refused', async () => {
    await connect()
    const inner = connectTls({
      socket: client.socket,
      ca: tlsCertificate,
      servername: 'files.test',
    })
    inner.on('error', () => undefined)
    await closed(inner)
    await refusedWith('HOST_NOT_ALLOWED', 'TLS names another host than CONNECT did')
  })

  test('without a name is taken: addresses have none', async () => {
    await connect()
    const inner = await secure({ servername: '', checkServerIdentity: () => undefined })
    expect(await ask(inner, 'GET /simple/foo/ HTTP/1.1', 'Host: index.test')).toMatch(
      /^HTTP\/1\.1 200/,
    )
  })

  test.each([
    ['what is no TLS', 'GET / HTTP/1.1\r\nHost: index.test\r\n\r\n'],
    ['rubbish', '\u0000\u0001\u0002'.repeat(100)],
  ])('%s fails, and is in the log', async (_, bytes) => {
    await connect()
    client.send(bytes)
    await client.ended()
    await refusedWith('BAD_REQUEST', 'the TLS handshake for index.test failed')
  })

  test('that does not end is given up', async () => {
    await connect()
    client.send('\u0016\u0003\u0001')
    await proxy.timers.fire(headerTimeMs)
    await client.ended()
    await refusedWith('BAD_REQUEST', 'it did not end in time')
  })

  test('whose client leaves is in the log', async () => {
    await connect()
    client.close()
    await refusedWith('BAD_REQUEST', 'the TLS handshake for index.test failed')
  })

  test('for which no certificate can be had is refused before it begins', async () => {
    forward.contextFor = () => Promise.reject(new Error('no key'))
    client.send('CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n')
    expect((await client.response()).status).toBe(500)
    expect(proxy.faults.length).toBe(1)
  })
})

describe('its connections', () => {
  test('count like others, make room when they idle, and end when the proxy stops', async () => {
    const small = await RunningProxy.start({ forward }, { maxConnections: 2 })
    const one = await small.connect()
    await connect('index.test', one)
    const inner = connectTls({ socket: one.socket, ca: tlsCertificate, servername: 'index.test' })
    inner.on('error', () => undefined)
    await once(inner, 'secureConnect')
    inner.write('GET /simple/foo/ HTTP/1.1\r\nHost: index.test\r\n\r\n')
    await once(inner, 'data')
    const ended = closed(inner)
    await small.connect()
    await small.connect()
    await ended
    const two = await small.connect()
    await connect('index.test', two)
    const other = connectTls({ socket: two.socket, ca: tlsCertificate, servername: 'index.test' })
    other.on('error', () => undefined)
    await once(other, 'secureConnect')
    await small.stop()
    await two.ended()
  })

  test('with a token: whoever opened the connection has shown it', async () => {
    const accessToken = 'kzGdnXcR0tZ3'
    const guarded = await RunningProxy.start({ forward, accessToken })
    guarded.gateway.addProject('foo', [])
    const stranger = await guarded.connect()
    stranger.send('CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n')
    expect((await stranger.response()).status).toBe(407)
    client = await guarded.connect()
    const basic = Buffer.from(`tufgate:${accessToken}`).toString('base64')
    client.send(
      `CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
    )
    expect((await client.response()).status).toBe(200)
    const answer = await ask(await secure(), 'GET /simple/foo/ HTTP/1.1', 'Host: index.test')
    expect(answer).toMatch(/^HTTP\/1\.1 200/)
    expect(JSON.stringify(guarded.gateway.events)).not.toContain(accessToken)
    await guarded.stop()
  })
})
