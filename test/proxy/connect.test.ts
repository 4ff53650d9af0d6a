import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { tunnelIdleMs } from '../../src/proxy/connect.ts'
import { MemoryForward } from '../support/memory-forward.ts'
import type { RawClient, RawResponse } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'

let forward: MemoryForward
let proxy: RunningProxy
let client: RawClient
let server: Server
let arrivals: Socket[]

beforeEach(async () => {
  arrivals = []
  server = createServer({ allowHalfOpen: true }, (socket) => {
    arrivals.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`))
    socket.on('end', () => socket.end('bye'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  forward = new MemoryForward()
  forward.allowed.add('other.test:443')
  forward.ports.set('other.test:443', (server.address() as AddressInfo).port)
  proxy = await RunningProxy.start({ forward })
  client = await proxy.connect()
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  await proxy.stop()
  for (const socket of arrivals) socket.destroy()
  server.close()
})

const codes = (): (string | undefined)[] => proxy.gateway.events.map(({ code }) => code)

function connect(target: string, ...headers: readonly string[]): void {
  client.send([`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, '', ''].join('\r\n'))
}

/** The head alone: what follows is the tunnel's. */
async function established(): Promise<void> {
  const start = 'HTTP/1.1 200 Connection established\r\n\r\n'
  const { status } = await client.response()
  expect(status, start).toBe(200)
}

async function refused(target: string, ...headers: readonly string[]): Promise<RawResponse> {
  connect(target, ...headers)
  const response = await client.response()
  expect(await client.ended()).toBe('fin')
  expect(forward.tunnels).toEqual([])
  return response
}

async function until(condition: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('CONNECT to an index', () => {
  test('is refused, and says what to do instead', async () => {
    const { status, reason, body } = await refused('index.test:443')
    expect(status).toBe(403)
    expect(reason).toContain(
      'HTTPS to index.test cannot be looked into: use this proxy as the index URL',
    )
    const { code, next } = JSON.parse(body.toString()) as Record<string, string>
    expect(code).toBe('FORWARD_REFUSED')
    expect(next).toContain('use http://<this proxy>/simple/ as the index URL')
    expect(next).toContain('[intercept]')
    expect(proxy.gateway.events).toMatchObject([
      { kind: 'refused', request: 'CONNECT index.test:443', found: 'index.test:443' },
    ])
  })

  test.each(['index.test:80', 'INDEX.TEST:443', 'files.test:443', 'acme.test:8443'])(
    '%s is refused, listed or not',
    async (target) => {
      forward.isAllowed = () => true
      expect((await refused(target)).status).toBe(403)
    },
  )
})

describe('CONNECT to other hosts', () => {
  test('is refused by default', async () => {
    const { status, body } = await refused('evil.test:443')
    expect(status).toBe(403)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'FORWARD_REFUSED',
      next: 'if packages come from it: give it an [[index]] in the settings. Else, where clients need it and nobody is to check it: allow = ["evil.test"] in [forward]',
    })
  })

  test.each([
    ['the metadata of a cloud machine', '169.254.169.254:80'],
    ['the same over IPv6', '[fd00:ec2::254]:80'],
    ['another port', 'other.test:22'],
    ['a mail server', 'mail.test:25'],
    ['localhost', 'localhost:443'],
  ])('%s is refused', async (_, target) => {
    expect((await refused(target)).status).toBe(403)
    expect(codes()).toEqual(['FORWARD_REFUSED'])
  })

  test.each(['127.0.0.1', 'localhost', '[::1]', 'tufgate.internal'])(
    '%s with our own port is refused, whatever is listed',
    async (host) => {
      forward.isAllowed = () => true
      const { status, reason } = await refused(`${host}:${proxy.port}`)
      expect(status).toBe(403)
      expect(reason).toContain('CONNECT would lead to this proxy itself')
    },
  )

  test.each([
    ['no port', 'other.test'],
    ['an empty port', 'other.test:'],
    ['port 0', 'other.test:0'],
    ['a port with zeros', 'other.test:0443'],
    ['a URL', 'http://other.test:443/'],
    ['a path', 'other.test:443/x'],
    ['user information', 'user:secret@other.test:443'],
    ['a dot at the end', 'other.test.:443'],
    ['an IPv6 zone', '[fe80::1%25eth0]:443'],
    ['IPv4 as a number', '2130706433:443'],
    ['IPv4 in hexadecimal', '0x7f.1:443'],
    ['nothing but a path', '/'],
    ['the asterisk', '*'],
  ])('%s is a bad request', async (_, target) => {
    forward.isAllowed = () => true
    expect((await refused(target)).status).toBe(400)
    expect(JSON.stringify(proxy.gateway.events)).not.toContain('secret')
  })

  test.each([
    ['another Host', 421, ['CONNECT other.test:443 HTTP/1.1', 'Host: index.test:443']],
    ['another port in Host', 421, ['CONNECT other.test:443 HTTP/1.1', 'Host: other.test:80']],
    ['two Hosts', 400, ['CONNECT other.test:443 HTTP/1.1', 'Host: other.test', 'Host: other.test']],
    ['a body', 400, ['CONNECT other.test:443 HTTP/1.1', 'Host: other.test', 'Content-Length: 5']],
    ['chunks', 400, ['CONNECT other.test:443 HTTP/1.1', 'Transfer-Encoding: chunked']],
    ['another web site', 403, ['CONNECT other.test:443 HTTP/1.1', 'Origin: https://evil.test']],
  ])('%s: %d', async (_, status, lines) => {
    client.send([...lines, '', ''].join('\r\n'))
    expect((await client.response()).status).toBe(status)
    expect(forward.tunnels).toEqual([])
  })

  test('that cannot be reached is told', async () => {
    forward.fault = new UpstreamError('TIMED_OUT', 'could not connect to other.test:443')
    connect('other.test:443')
    const { status, reason } = await client.response()
    expect(status).toBe(504)
    expect(reason).toContain('could not connect to other.test:443')
  })

  test('that is private is told', async () => {
    forward.fault = new UpstreamError(
      'HOST_REFUSED',
      'other.test is at the private address 10.0.0.1',
    )
    connect('other.test:443')
    expect((await client.response()).status).toBe(403)
    expect(codes()).toEqual(['HOST_REFUSED'])
  })

  test('is not begun when the log cannot be written', async () => {
    proxy.gateway.appendGate = () => Promise.reject(new Error('disk'))
    connect('other.test:443')
    expect((await client.response()).status).toBe(507)
    proxy.gateway.appendGate = undefined
    await until(() => arrivals.length === 1)
    await until(() => arrivals[0]?.destroyed === true || arrivals[0]?.readableEnded === true)
  })

  test('behind an answer that is under way is not heard', async () => {
    client.ask('/-/ready')
    client.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n')
    await client.response()
    expect(await client.ended()).toBe('fin')
    expect(client.received.length).toBe(0)
    expect(forward.tunnels).toEqual([])
  })
})

test('whoever asks and is gone at once stands in the log by its address', async () => {
  forward.servesRemoteClients = true
  forward.openTunnel = async () => {
    client.socket.resetAndDestroy()
    // The proxy has seen the end of the one when it answers the other.
    await proxy.get('/-/health')
    await proxy.get('/-/health')
    throw new UpstreamError('UNREACHABLE', 'could not connect to other.test:443')
  }
  connect('other.test:443')
  await until(() => codes().includes('UNREACHABLE'))
  expect(proxy.gateway.events.at(-1)).toMatchObject({
    client: '127.0.0.1',
    request: 'CONNECT other.test:443',
  })
})

describe('a tunnel', () => {
  test('carries bytes both ways, and each direction ends by itself', async () => {
    connect('other.test:443')
    await established()
    client.send('hello')
    await until(() => client.received.includes('echo hello'))
    client.socket.end()
    await until(() => client.received.includes('bye'))
    expect(await client.ended()).toBe('fin')
    await until(() => proxy.gateway.events.length === 2)
    expect(proxy.gateway.events).toMatchObject([
      {
        kind: 'page',
        code: 'PASSED_UNVERIFIED',
        request: 'CONNECT other.test:443',
        found: 'other.test:443',
        message: 'a tunnel to other.test:443: what goes through it is unverified',
      },
      {
        kind: 'page',
        code: 'PASSED_UNVERIFIED',
        message: 'the tunnel to other.test:443 has ended: 5 bytes there, 13 back, unverified',
        bytes: 13,
      },
    ])
    expect(proxy.gateway.events[0]?.id).toBe(proxy.gateway.events[1]?.id)
  })

  test('takes what came with CONNECT, and reads no request out of it', async () => {
    const request = 'GET /simple/foo/ HTTP/1.1\r\nHost: localhost\r\n\r\n'
    client.send(`CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n${request}`)
    await established()
    await until(() => client.received.includes('echo GET /simple/foo/'))
    expect(proxy.gateway.events.filter(({ project }) => project !== undefined)).toEqual([])
  })

  test('is opened for clients that speak HTTP/1.0 and send no Host', async () => {
    client.send('CONNECT other.test:443 HTTP/1.0\r\n\r\n')
    await established()
    client.send('x')
    await until(() => client.received.includes('echo x'))
  })

  test('where nothing moves ends', async () => {
    connect('other.test:443')
    await established()
    client.send('x')
    await until(() => client.received.includes('echo x'))
    await proxy.timers.fire(tunnelIdleMs)
    await proxy.timers.fire(tunnelIdleMs)
    await client.ended()
    await until(() => proxy.gateway.events.length === 2)
  })

  test('where something moves goes on', async () => {
    connect('other.test:443')
    await established()
    for (const word of ['one', 'two', 'three']) {
      client.send(word)
      await until(() => client.received.includes(`echo ${word}`))
      await proxy.timers.fire(tunnelIdleMs)
    }
    client.send('still')
    await until(() => client.received.includes('echo still'))
  })

  test('ends when the server is gone', async () => {
    connect('other.test:443')
    await established()
    await until(() => arrivals.length === 1)
    arrivals[0]?.resetAndDestroy()
    await client.ended()
    await until(() => proxy.gateway.events.length === 2)
  })

  test('that the server resets while the log is waited for ends no more than itself', async () => {
    const written = Promise.withResolvers<void>()
    proxy.gateway.appendGate = () => written.promise
    const opened = Promise.withResolvers<Duplex>()
    const open = forward.openTunnel.bind(forward)
    vi.spyOn(forward, 'openTunnel').mockImplementation(async (host, port) => {
      const tunnel = await open(host, port)
      opened.resolve(tunnel)
      return tunnel
    })
    connect('other.test:443')
    const tunnel = await opened.promise
    await until(() => arrivals.length === 1)
    arrivals[0]?.resetAndDestroy()
    await until(() => tunnel.destroyed)
    proxy.gateway.appendGate = undefined
    written.resolve()
    await client.ended()
    await until(() => proxy.gateway.events.length === 2)
  })

  test('ends when the client is gone', async () => {
    connect('other.test:443')
    await established()
    await until(() => arrivals.length === 1)
    client.socket.resetAndDestroy()
    await until(() => arrivals[0]?.destroyed === true || arrivals[0]?.readableEnded === true)
    await until(() => proxy.gateway.events.length === 2)
  })

  test('is one of so many: half of the connections at most', async () => {
    const small = await RunningProxy.start({ forward }, { maxConnections: 3 })
    const clients = [await small.connect(), await small.connect(), await small.connect()]
    const statuses: number[] = []
    for (const one of clients) {
      one.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n')
      statuses.push((await one.response()).status)
    }
    expect(statuses).toEqual([200, 200, 504])
    await small.stop()
  })

  test('does not make room for others while it is open', async () => {
    const small = await RunningProxy.start({ forward }, { maxConnections: 2 })
    const one = await small.connect()
    one.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n')
    await one.response()
    for (let at = 0; at < 5; at += 1) await small.connect()
    one.send('x')
    await until(() => one.received.includes('echo x'))
    await small.stop()
    await one.ended()
  })

  test('ends at once when the proxy stops, and is in the log by then', async () => {
    const own = await RunningProxy.start({ forward }, { stopGraceMs: 3_600_000 })
    const one = await own.connect()
    one.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n')
    await one.response()
    await own.server.stop()
    expect(own.gateway.events.map(({ message }) => message)).toEqual([
      'a tunnel to other.test:443: what goes through it is unverified',
      'the tunnel to other.test:443 has ended: 0 bytes there, 0 back, unverified',
    ])
    await one.ended()
  })
})
