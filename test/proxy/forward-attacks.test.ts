import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { requireLetPass } from '../../src/proxy/let-pass.ts'
import { MemoryForward, publicIndex } from '../support/memory-forward.ts'
import { oddAuthorities } from '../support/odd-requests.ts'
import type { RawClient, RawResponse } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.from('genuine')
const filename = 'foo-1.0.tar.gz'
const file = `http://files.test/packages/${filename}`

let forward: MemoryForward
let proxy: RunningProxy
let client: RawClient
beforeEach(async () => {
  forward = new MemoryForward()
  forward.allowed.add('other.test:80')
  proxy = await RunningProxy.start({ forward })
  proxy.gateway.addProject('foo', [{ filename, content, url: file }])
  proxy.gateway.store(content)
  client = await proxy.connect()
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  await proxy.stop()
})

const codes = (): (string | undefined)[] => proxy.gateway.events.map(({ code }) => code)

async function send(...lines: readonly string[]): Promise<RawResponse> {
  client.send([...lines, '', ''].join('\r\n'))
  return client.response()
}

describe('URL and Host that do not agree', () => {
  test.each([
    ['another host of the index', 'http://index.test/simple/foo/', 'files.test'],
    ['this proxy', 'http://index.test/simple/foo/', 'localhost'],
    ['a host that is let pass', 'http://index.test/simple/foo/', 'other.test'],
    ['an index behind a host that is let pass', 'http://other.test/', 'index.test'],
    ['another port', 'http://index.test/simple/foo/', 'index.test:8080'],
    ['a dot at the end', 'http://index.test/simple/foo/', 'index.test.'],
    ['user information', 'http://index.test/simple/foo/', 'index.test@other.test'],
    ['a path', 'http://index.test/simple/foo/', 'index.test/'],
    ['nothing', 'http://index.test/simple/foo/', ''],
  ])('Host names %s: 421', async (_, url, host) => {
    const { status, body } = await send(`GET ${url} HTTP/1.1`, `Host: ${host}`)
    expect(status).toBe(421)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'HOST_NOT_ALLOWED',
      detail: expect.stringContaining(
        'the Host of the request is not the host in its URL',
      ) as string,
    })
    expect(await client.ended()).toBe('fin')
    expect(forward.passed).toEqual([])
  })

  test.each([
    ['no Host', []],
    ['two', ['Host: index.test', 'Host: index.test']],
    ['two that differ', ['Host: index.test', 'hOsT: other.test']],
  ])('%s: 400', async (_, hosts) => {
    const { status } = await send('GET http://index.test/simple/foo/ HTTP/1.1', ...hosts)
    expect(status).toBe(400)
    expect(codes()).toEqual(['BAD_REQUEST'])
  })

  test.each([
    ['upper case', 'http://INDEX.Test/simple/foo/', 'index.TEST'],
    ['the port that is the usual one', 'http://index.test:80/simple/foo/', 'index.test'],
    ['the port in Host only', 'http://index.test/simple/foo/', 'index.test:80'],
    ['the scheme in upper case', 'HTTP://index.test/simple/foo/', 'index.test'],
  ])('%s is the same host', async (_, url, host) => {
    expect((await send(`GET ${url} HTTP/1.1`, `Host: ${host}`)).status).toBe(200)
  })
})

describe('authorities that two programs could read in two ways', () => {
  test.each(oddAuthorities)('%s is refused, and reaches nobody', async (_, authority) => {
    forward.isAllowed = () => true
    const { status } = await send(`GET http://${authority}/ HTTP/1.1`, `Host: ${authority}`)
    expect([400, 421]).toContain(status)
    expect(forward.passed).toEqual([])
    expect(JSON.stringify(proxy.gateway.events)).not.toContain('secret')
  })

  test.each([
    ['another scheme', 'ftp://other.test/'],
    ['https in the clear', 'https://index.test/simple/foo/'],
    ['no path', 'http://other.test'],
    ['a query without a path', 'http://other.test?x'],
    ['a fragment', 'http://other.test/#x'],
    ['no scheme', '//other.test/'],
    ['three slashes', 'http:///other.test/'],
    ['one slash', 'http:/other.test/'],
  ])('%s is refused', async (_, target) => {
    forward.isAllowed = () => true
    const { status } = await send(`GET ${target} HTTP/1.1`, 'Host: other.test')
    expect([400, 421]).toContain(status)
    expect(forward.passed).toEqual([])
  })
})

describe('paths on a host of an index', () => {
  test.each([
    ['dot segments', 'http://index.test/simple/../simple/foo/', 400],
    ['encoded dot segments', 'http://index.test/x/%2e%2e/simple/foo/', 400],
    ['an encoded slash', 'http://files.test/packages%2Ffoo-1.0.tar.gz', 400],
    ['an encoded backslash', 'http://files.test/packages/x%5Cfoo-1.0.tar.gz', 400],
    ['NUL', 'http://files.test/packages/foo-1.0.tar.gz%00', 400],
    ['double encoding', 'http://files.test/packages/%2566oo-1.0.tar.gz', 404],
    ['encoded letters, decoded once', 'http://files.test/packages/%66oo-1.0.tar.gz', 200],
    ['8-bit bytes', 'http://index.test/simple/f\u00f6o/', 400],
    ['a slash more', 'http://index.test//simple/foo/', 404],
    ['more than 8 kB', `http://index.test/simple/${'a'.repeat(8001)}/`, 400],
  ])('%s', async (_, url, expected) => {
    const host = url.slice(7, url.indexOf('/', 8))
    expect((await send(`GET ${url} HTTP/1.1`, `Host: ${host}`)).status).toBe(expected)
    expect(forward.passed).toEqual([])
  })

  test('an index that is also let pass is verified all the same', async () => {
    forward.isAllowed = () => true
    const { status, headers } = await send(
      'GET http://index.test/simple/foo/ HTTP/1.1',
      'Host: index.test',
    )
    expect(status).toBe(200)
    expect(headers.get('x-tufgate-trust')).toContain('root=3')
    expect((await send('GET http://index.test/x HTTP/1.1', 'Host: index.test')).status).toBe(404)
    expect(
      (await send('GET http://index.test:443/x HTTP/1.1', 'Host: index.test:443')).status,
    ).toBe(404)
    expect(forward.passed).toEqual([])
  })
})

describe('requests in requests', () => {
  const smuggled = `GET ${file} HTTP/1.1\r\nHost: files.test\r\n\r\n`

  test.each([
    ['a body', [`Content-Length: ${smuggled.length}`]],
    ['chunks', ['Transfer-Encoding: chunked']],
    ['both', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ])('%s behind a GET to an index, and to a host that is let pass', async (_, headers) => {
    for (const host of ['index.test', 'other.test']) {
      const own = await proxy.connect()
      own.send(
        [`GET http://${host}/ HTTP/1.1`, `Host: ${host}`, ...headers, '', smuggled].join('\r\n'),
      )
      expect((await own.response()).status).toBe(400)
      await own.ended()
      expect(own.received.length).toBe(0)
    }
    expect(forward.passed).toEqual([])
  })

  test('own requests and others on one connection do not mix', async () => {
    client.send(
      [
        'GET /simple/foo/ HTTP/1.1\r\nHost: localhost',
        'GET http://index.test/simple/foo/ HTTP/1.1\r\nHost: index.test',
        'GET /simple/foo/ HTTP/1.1\r\nHost: localhost',
      ].join('\r\n\r\n') + '\r\n\r\n',
    )
    const bodies = [await client.response(), await client.response(), await client.response()]
    expect(bodies.map(({ body }) => body.includes('../../files/'))).toEqual([true, false, true])
  })

  test.each(['Upgrade: websocket', 'Upgrade: h2c', 'Expect: 100-continue'])(
    '%s is refused',
    async (header) => {
      for (const host of ['index.test', 'other.test']) {
        const own = await proxy.connect()
        own.send(
          `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n${header}\r\n\r\n`,
        )
        expect((await own.response()).status).toBe(400)
      }
      expect(forward.passed).toEqual([])
    },
  )
})

describe('web pages', () => {
  test.each([
    'Origin: https://evil.test',
    'Origin: null',
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Site: same-site',
  ])('%s is refused, on indexes and on what is let pass', async (header) => {
    for (const host of ['index.test', 'other.test']) {
      const { status } = await send(
        `GET http://${host}/simple/foo/ HTTP/1.1`,
        `Host: ${host}`,
        header,
      )
      expect(status).toBe(403)
    }
    expect(codes()).toEqual(['ORIGIN_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED'])
    expect(forward.passed).toEqual([])
  })

  test('a name that a page made to lead here is not a host of an index', async () => {
    const { status } = await send('GET /simple/foo/ HTTP/1.1', 'Host: index.test')
    expect(status).toBe(421)
  })
})

describe('other hosts', () => {
  test('are refused by default, with the way out', async () => {
    const { status, reason, body } = await send(
      'GET http://evil.test/x?token=secret HTTP/1.1',
      'Host: evil.test',
    )
    expect(status).toBe(403)
    expect(reason).toContain('evil.test:80 is neither a host of an index nor on the list')
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'FORWARD_REFUSED',
      next: 'if packages come from it: give it an [[index]] in the settings. Else, where clients need it and nobody is to check it: allow = ["evil.test"] in [forward]',
    })
    expect(JSON.stringify(proxy.gateway.events)).not.toContain('secret')
    expect(await client.ended()).toBe('fin')
  })

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://10.0.0.1/',
    'http://metadata.google.internal/',
  ])('%s is refused', async (url) => {
    const host = url.slice(7, url.indexOf('/', 8))
    expect((await send(`GET ${url} HTTP/1.1`, `Host: ${host}`)).status).toBe(403)
    expect(forward.passed).toEqual([])
  })

  test('that are let pass get what was asked, and the log says that nobody checked it', async () => {
    const { status, body, headers } = await send(
      'GET http://other.test/x?y=1 HTTP/1.1',
      'Host: other.test',
    )
    expect([status, body.toString()]).toEqual([200, 'passed'])
    expect(headers.get('x-request-id')).toBe(proxy.gateway.events[0]?.id)
    expect(headers.get('x-tufgate-trust')).toBeUndefined()
    expect(forward.passed).toEqual(['http://other.test/x?y=1'])
    expect(proxy.gateway.events).toMatchObject([
      {
        kind: 'page',
        code: 'PASSED_UNVERIFIED',
        found: 'other.test:80',
        request: 'GET http://other.test/x',
        message: 'let pass to other.test:80, unverified',
      },
      { code: 'PASSED_UNVERIFIED', message: 'other.test:80 answered 200, unverified', bytes: 6 },
    ])
  })

  test('are not reached when the log cannot be written', async () => {
    proxy.gateway.appendGate = () => Promise.reject(new Error('disk'))
    const { status } = await send('GET http://other.test/ HTTP/1.1', 'Host: other.test')
    proxy.gateway.appendGate = undefined
    expect(status).toBe(507)
    expect(forward.passed).toEqual([])
  })

  test('that cannot be reached are 504 with the reason', async () => {
    forward.fault = new UpstreamError('UNREACHABLE', 'could not connect to other.test:80 (refused)')
    const { status, reason, headers } = await send(
      'GET http://other.test/ HTTP/1.1',
      'Host: other.test',
    )
    expect(status).toBe(504)
    expect(reason).toContain('could not connect to other.test:80')
    expect(headers.get('x-request-id')).toBe(proxy.gateway.events[1]?.id)
    expect(codes()).toEqual(['PASSED_UNVERIFIED', 'UNREACHABLE'])
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])(
    '%s is let pass',
    async (method) => {
      client.send(`${method} http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n`)
      expect((await client.response({ head: method === 'HEAD' })).status).toBe(200)
    },
  )

  test.each(['TRACE', 'PROPFIND'])('%s is not', async (method) => {
    const { status } = await send(`${method} http://other.test/ HTTP/1.1`, 'Host: other.test')
    expect(status).toBe(405)
    expect(forward.passed).toEqual([])
  })

  test.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    // Its own address: a client of this machine that called it by that.
    ['192.0.2.1', true],
    ['192.0.2.2', false],
    ['::2', false],
    ['::ffff:192.0.2.2', false],
    [undefined, false],
  ])(
    'are for clients of this machine alone, unless the settings say otherwise: %s',
    (remoteAddress, isLocal) => {
      const socket = new Socket()
      Object.defineProperties(socket, {
        remoteAddress: { value: remoteAddress },
        localAddress: { value: '192.0.2.1' },
      })
      const request = new IncomingMessage(socket)
      const place = { host: 'other.test', port: 80 }
      const attempt = (): void => requireLetPass(forward, request, place)
      if (isLocal) expect(attempt).not.toThrow()
      else
        expect(attempt).toThrow('clients on other machines do not reach other.test:80 through this')
      forward.servesRemoteClients = true
      expect(attempt).not.toThrow()
    },
  )

  test('a head that never ends is given up on as ever', async () => {
    const hasty = await RunningProxy.start({ forward }, { headerTimeMs: 20 })
    const slow = await hasty.connect()
    slow.send('GET http://other.test/ HTTP/1.1\r\nHost: oth')
    expect((await slow.response()).reason).toContain('the head of the request did not come in time')
    await hasty.stop()
  })
})

describe('this proxy by an absolute URL', () => {
  test('is this proxy, by its own port', async () => {
    forward.isAllowed = () => true
    const host = `localhost:${proxy.port}`
    const { status, body } = await send(`GET http://${host}/simple/foo/ HTTP/1.1`, `Host: ${host}`)
    expect(status).toBe(200)
    expect(body.includes('../../files/')).toBe(true)
    expect(forward.passed).toEqual([])
  })

  test('another port of this machine is let pass where it is listed, and else not reached', async () => {
    const lines = ['GET http://localhost:5000/x HTTP/1.1', 'Host: localhost:5000']
    expect((await send(...lines)).status).toBe(404)
    forward.allowed.add('localhost:5000')
    expect((await send(...lines)).status).toBe(200)
    expect(forward.passed).toEqual(['http://localhost:5000/x'])
  })

  test('an index on this machine is an index, by its port', async () => {
    forward.indexes = [
      { ...publicIndex, url: 'http://127.0.0.1:9001/simple/', hosts: ['127.0.0.1:9001'] },
    ]
    const page = await send(
      'GET http://127.0.0.1:9001/simple/foo/ HTTP/1.1',
      'Host: 127.0.0.1:9001',
    )
    expect(page.status).toBe(200)
    expect(page.body.includes(file)).toBe(true)
  })
})
