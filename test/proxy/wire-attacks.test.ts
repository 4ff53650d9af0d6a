import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VerifyError } from '../../src/base/errors.ts'
import { filePath, trust } from '../support/memory-gateway.ts'
import {
  foreignHosts,
  foreignOrigins,
  listOddFramings,
  listOddTargets,
  notRequests,
} from '../support/odd-requests.ts'
import type { RawClient } from '../support/raw-client.ts'
import { clientStallMs, holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(700_000, 'genuine ')
const filename = 'foo-1.0.tar.gz'
const path = filePath('foo', filename)

let proxy: RunningProxy
let client: RawClient
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [{ filename, content }])
  client = await proxy.connect()
})
afterEach(async () => {
  // Whatever was sent, the server is well and nothing is left open.
  expect((await proxy.get('/-/health')).status).toBe(200)
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

const codes = (): (string | undefined)[] => proxy.gateway.events.map(({ code }) => code)

/** Status for exactly these headers. */
async function askWith(lines: readonly string[]): Promise<number> {
  const own = await proxy.connect()
  own.send(['GET /simple/foo/ HTTP/1.1', ...lines, '', ''].join('\r\n'))
  return (await own.response()).status
}

describe('where a request comes from', () => {
  test.each<readonly [string, number]>([
    ['localhost', 200],
    ['LocalHost:1', 200],
    ['127.0.0.1:3141', 200],
    ['[::1]', 200],
    ['tufgate.internal', 200],
    ...foreignHosts.map((host) => [host, 421] as const),
  ])('Host: %s -> %d (DNS rebinding)', async (host, status) => {
    expect(await askWith([`Host: ${host}`])).toBe(status)
    if (status === 421) expect(codes()).toEqual(['HOST_NOT_ALLOWED'])
  })

  test('no Host, or two, is a bad request, on files too', async () => {
    expect(await askWith([])).toBe(400)
    expect(await askWith(['Host: localhost', 'Host: localhost'])).toBe(400)
    expect(await askWith(['Host: localhost', 'hOST: evil.test'])).toBe(400)
    client.send(`GET ${path} HTTP/1.0\r\n\r\n`)
    expect((await client.response()).status).toBe(400)
    expect(codes()).toEqual(Array(4).fill('BAD_REQUEST'))
  })

  test.each<readonly [string, number]>([
    ...foreignOrigins.map((header) => [header, 403] as const),
    ['Sec-Fetch-Site: none', 200],
    ['Sec-Fetch-Site: same-origin', 200],
    ['Origin: http://localhost', 200],
  ])('%s -> %d (another web site)', async (header, status) => {
    expect(await askWith(['Host: localhost', header])).toBe(status)
    if (status === 403) expect(codes()).toEqual(['ORIGIN_NOT_ALLOWED'])
  })

  test('no answer allows another web site to read it', async () => {
    for (const target of ['/simple/foo/', '/nothing', '/-/health']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { headers } = await proxy.get(target)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })
})

describe('methods', () => {
  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])(
    '%s is 405 with Allow',
    async (method) => {
      client.ask('/simple/foo/', [], method)
      const { status, headers } = await client.response()
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
      expect(await client.ended()).toBe('fin')
      expect(codes()).toEqual(['METHOD_NOT_ALLOWED'])
    },
  )

  test('CONNECT is refused, and says what to do instead', async () => {
    client.send('CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n')
    const { status, body } = await client.response()
    expect(status).toBe(405)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'METHOD_NOT_ALLOWED',
      found: 'pypi.org:443',
      next: 'use this proxy as the index URL, not as an HTTP proxy',
    })
    expect(await client.ended()).toBe('fin')
  })

  test.each([
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Expect: the-impossible',
  ])('%s is refused', async (header) => {
    client.ask('/simple/foo/', ['Connection: Upgrade', header])
    expect((await client.response()).status).toBe(400)
    expect(codes()).toEqual(['BAD_REQUEST'])
  })
})

describe('framing', () => {
  const smuggled = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

  test.each(listOddFramings(smuggled))(
    'a request with %s is refused, and what follows it is not a request',
    async (_, headers, rest) => {
      client.send(
        [`GET /simple/foo/ HTTP/1.1`, 'Host: localhost', ...headers, '', rest].join('\r\n'),
      )
      expect((await client.response()).status).toBe(400)
      await client.ended()
      expect(client.received.length).toBe(0)
      expect(proxy.gateway.downloads).toEqual([])
      expect(codes()).toEqual(['BAD_REQUEST'])
    },
  )

  test('rubbish that keeps coming is one refusal and one line in the log, not one for each piece', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    proxy.gateway.appendGate = () => promise
    client.send('rubbish\r\n')
    for (let piece = 0; piece < 30; piece += 1) {
      client.send('more\r\n')
      // oxlint-disable-next-line no-await-in-loop -- a way there and back, so that the piece is read by itself
      await proxy.get('/-/health')
    }
    resolve()
    expect((await client.response()).status).toBe(400)
    expect(await client.ended()).toBe('fin')
    expect(client.received.length).toBe(0)
    expect(codes().filter((code) => code !== undefined)).toEqual(['BAD_REQUEST'])
  })

  test('a length of zero is no body', async () => {
    client.ask('/simple/foo/', ['Content-Length: 0'])
    expect((await client.response()).status).toBe(200)
  })

  test('a request in single bytes is one request', async () => {
    for (const byte of 'GET /simple/foo/ HTTP/1.1\r\nHost: localhost\r\n\r\n') client.send(byte)
    expect((await client.response()).status).toBe(200)
    expect(proxy.gateway.events.length).toBe(1)
  })

  test('pipelined requests are answered in order, one at a time', async () => {
    proxy.gateway.store(content)
    client.send(
      [path, '/simple/bar/', '/simple/foo/']
        .map((target) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        .join(''),
    )
    expect((await client.response()).body.equals(content)).toBe(true)
    expect((await client.response()).status).toBe(404)
    expect((await client.response()).status).toBe(200)
  })

  test('a pipeline without end is cut', async () => {
    client.ask(path)
    await proxy.timers.waitFor(holdForMs)
    for (let at = 0; at < 100; at += 1) client.ask(path)
    await client.ended()
    expect(proxy.gateway.downloads.length).toBe(1)
  })

  test('rubbish behind a request that is under way: the answer stays whole, then FIN', async () => {
    client.ask(path)
    await proxy.timers.waitFor(holdForMs)
    client.send('\u0000\u0001 rubbish\r\n\r\n')
    await proxy.get('/-/health')
    proxy.gateway.fetches[0]!.finish(content)
    expect((await client.response()).body.equals(content)).toBe(true)
    expect(await client.ended()).toBe('fin')
    expect(client.received.length).toBe(0)
  })

  test.each(notRequests)('%s is answered with 400 and is in the log', async (_, bytes) => {
    client.send(bytes)
    const { status, headers } = await client.response()
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    await client.ended()
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'BAD_REQUEST' }])
    expect(proxy.gateway.events[0]?.id).toBe(headers.get('x-request-id'))
    expect(proxy.gateway.events.length).toBe(1)
  })
})

describe('targets', () => {
  test.each<readonly [string, string, number]>([
    ...listOddTargets('/files/foo/files.test', 'packages', filename),
    ['8-bit bytes in the name of a project', '/simple/f\u00f6o/', 400],
    ['another host in absolute form', 'http://pypi.org/simple/foo/', 400],
    ['our host in absolute form', 'http://localhost/simple/foo/', 200],
  ])('%s', async (_, target, expected) => {
    proxy.gateway.store(content)
    client.ask(target)
    expect((await client.response()).status).toBe(expected)
  })

  test('an absolute form with our name does not make up for a foreign Host', async () => {
    client.send('GET http://localhost/simple/foo/ HTTP/1.1\r\nHost: evil.test\r\n\r\n')
    expect((await client.response()).status).toBe(421)
  })

  test('names that normalize alike are one project, and reach its files only under that name', async () => {
    proxy.gateway.store(content)
    for (const name of ['Foo', 'FOO', 'foo']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, headers } = await proxy.get(`/simple/${name}/`)
      expect(status === 200 || headers.get('location') === '../foo/').toBe(true)
    }
    expect((await proxy.get(path.replace('/foo/', '/Foo/'))).status).toBe(404)
  })

  test('the log has neither queries nor user information', async () => {
    await proxy.get('/simple/foo/?token=secret')
    await proxy.get(`${path}?token=secret`)
    await proxy.get('http://user:secret@localhost/simple/foo/')
    client.send('CONNECT user:secret@pypi.org:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.response()
    expect(proxy.gateway.events.length).toBe(4)
    expect(JSON.stringify(proxy.gateway.events)).not.toContain('secret')
  })
})

describe('slow and broken clients', () => {
  test('a reader that takes nothing is cut off after the stall time', async () => {
    const big = Buffer.alloc(40_000_000, 'x')
    proxy.gateway.addProject('foo', [{ filename, content: big }])
    proxy.gateway.store(big)
    client.socket.pause()
    client.ask(path)
    await proxy.timers.fire(clientStallMs)
    client.socket.resume()
    await client.ended()
    expect(client.received.length).toBeLessThan(big.length)
  })

  test('a reader that takes nothing of a page is cut off as well', async () => {
    const names = Array.from({ length: 400_000 }, (_, at) => `project-with-a-long-name-${at}`)
    proxy.gateway.list = { names, digest: 'd'.repeat(64), trust }
    const json = 'Accept: application/vnd.pypi.simple.v1+json'
    const { length } = (await proxy.get('/simple/', [json])).body
    client.socket.pause()
    client.ask('/simple/', [json])
    await proxy.timers.fire(clientStallMs * Math.ceil(length / 262_144))
    client.socket.resume()
    await client.ended()
    expect(client.received.length).toBeLessThan(length)
  })

  test('a client that hangs up in the middle of a file leaves nothing open', async () => {
    const big = Buffer.alloc(40_000_000, 'x')
    proxy.gateway.addProject('foo', [{ filename, content: big }])
    proxy.gateway.store(big)
    client.ask(path)
    await client.bodyBytes(1)
    client.close()
    const follower = await proxy.get(path)
    expect(follower.body.equals(big)).toBe(true)
  })

  test('a head that never ends is given up on', async () => {
    const hasty = await RunningProxy.start({}, { headerTimeMs: 20 })
    const slow = await hasty.connect()
    slow.send('GET /simple/foo/ HTTP/1.1\r\nHost: loc')
    const { status, reason } = await slow.response()
    expect(status).toBe(400)
    expect(reason).toContain('the head of the request did not come in time')
    await hasty.stop()
  })
})

describe('a refused file, whatever way it is asked for', () => {
  const verdict = new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`)

  test.each([
    ['GET', [], 'GET'],
    ['HEAD', [], 'HEAD'],
    ['a range', ['Range: bytes=0-10'], 'GET'],
    ['a suffix', ['Range: bytes=-10'], 'GET'],
    ['ranges', ['Range: bytes=0-1,4-5'], 'GET'],
    ['If-Range', ['Range: bytes=5-', 'If-Range: "x"'], 'GET'],
    ['If-None-Match: *', ['If-None-Match: *'], 'GET'],
    ['TE', ['TE: trailers', 'Connection: TE'], 'GET'],
  ])('%s is 403 with the reason', async (_, headers, method) => {
    proxy.gateway.nextFetch = () => {
      const done = Promise.reject(verdict)
      return {
        done,
        progress: () => ({
          attempt: 1,
          head: content,
          length: content.length,
          receivedBytes: 700_000,
        }),
      }
    }
    client.ask(path, headers, method)
    const { status, reason, body } = await client.response({ head: method === 'HEAD' })
    expect(status).toBe(403)
    expect(reason).toContain('is not the signed one (r-')
    expect(body.includes('genuine')).toBe(false)
    expect(codes()).toEqual(['DIGEST_MISMATCH'])
  })
})
