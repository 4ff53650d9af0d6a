import { describe, expect, test } from 'vitest'
import { hostOf } from '../../src/upstream/host-rules.ts'
import { containing, having, matching } from '../support/expecting.ts'
import {
  endChunkedEarly,
  endless,
  gzipBomb,
  inOrder,
  reset,
  serve,
  serveGzip,
  serveWithEtag,
  startHostileServer,
  status,
  truncate,
} from '../support/hostile-server.ts'
import {
  useHostileServer,
  createClient,
  get,
  local,
  server,
  text,
  kilobyte,
} from './http-fixture.ts'

useHostileServer()

describe('a page or metadata', () => {
  test('comes whole, with the headers that matter and our name in the request', async () => {
    const headers = {
      etag: '"abc"',
      'last-modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
      'content-type': 'application/vnd.pypi.simple.v1+json',
      'x-pypi-last-serial': 42,
    }
    server.on('/page', serve(text, headers))
    const response = await get('/page', { accept: 'text/html' })
    expect(response).toMatchObject({ status: 200, url: server.url('/page') })
    expect(Buffer.from(response.body).equals(text)).toBe(true)
    const { date, ...head } = response.headers
    expect(date).toBeTypeOf('number')
    expect(head).toEqual({
      status: 200,
      etag: '"abc"',
      lastModified: 'Wed, 21 Oct 2026 07:28:00 GMT',
      contentType: 'application/vnd.pypi.simple.v1+json',
      contentLength: text.length,
      serial: 42,
    })
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'tufgate/test',
      accept: 'text/html',
      'accept-encoding': 'gzip',
    })
  })

  test('is not sent again when nothing changed', async () => {
    server.on('/page', serveWithEtag(text, '"v1"'))
    const first = await get('/page')
    const second = await get('/page', { etag: first.headers.etag })
    expect(second.status).toBe(304)
    expect(second.body).toHaveLength(0)
  })

  test('a 304 that nobody asked for is an error', async () => {
    server.on('/page', status(304))
    await expect(get('/page')).rejects.toMatchObject({
      code: 'BAD_STATUS',
      message: `${server.url('/page')} answered 304`,
    })
  })

  test('is unpacked when it is gzip', async () => {
    server.on('/page', serveGzip(text))
    const { body } = await get('/page')
    expect(Buffer.from(body).equals(text)).toBe(true)
  })

  test('gzip bomb: 20 MB in 20 kB are not unpacked beyond the limit', async () => {
    server.on('/page', gzipBomb(20_000_000))
    await expect(get('/page', { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `${server.url('/page')} unpacks to more than 100000 bytes`,
      facts: { next: containing('limits') },
    })
  })

  test('gzip that is cut or is none is broken off', async () => {
    server.on('/cut', serveGzipCut())
    server.on('/none', serve(text, { 'content-encoding': 'gzip' }))
    for (const path of ['/cut', '/none']) {
      await expect(get(path)).rejects.toMatchObject({
        code: 'BROKEN_OFF',
        message: `${server.url(path)}: the answer is not whole gzip`,
      })
    }
  })

  test('an encoding that was not asked for is refused', async () => {
    server.on('/page', serve(text, { 'content-encoding': 'br' }))
    await expect(get('/page')).rejects.toMatchObject({
      code: 'BAD_STATUS',
      facts: { found: 'br', expected: 'no Content-Encoding' },
    })
  })

  test('endless data: reading stops at the limit', async () => {
    server.on('/page', endless(text))
    await expect(get('/page')).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `${server.url('/page')} is longer than 10000 bytes; the rest was not read`,
    })
    expect(server.count('/page')).toBe(1)
  })

  test('exactly the limit is good, one byte more is not', async () => {
    server.on('/page', serve(kilobyte))
    expect((await get('/page', { maxBytes: 1024 })).body).toHaveLength(1024)
    await expect(get('/page', { maxBytes: 1023 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('statuses that the caller takes are an answer, others an error that tells them', async () => {
    server.on('/gone', status(404, {}, 'nothing here'))
    expect(await get('/gone', { statuses: [404] })).toMatchObject({ status: 404 })
    await expect(get('/gone')).rejects.toMatchObject({
      code: 'BAD_STATUS',
      status: 404,
      message: `${server.url('/gone')} answered 404`,
      facts: { expected: '200', found: '404', next: containing('not there') },
    })
  })

  test('the connection is used again after an answer that was not wanted', async () => {
    server.on('/gone', status(404, {}, 'x'.repeat(5000)))
    const client = createClient()
    for (let at = 0; at < 5; at += 1) {
      await client.get(server.url('/gone'), { hosts: local(), maxBytes: 10, statuses: [404] })
    }
    // undici may open one to spare before it sees that the first is free again.
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  test('nobody waits for the body of a 404', async () => {
    server.on('/gone', (_request, response) => {
      response.writeHead(404, { 'content-length': 100_000 })
      response.write('slow')
    })
    expect(await get('/gone', { statuses: [404] })).toMatchObject({ status: 404 })
  })
})

function serveGzipCut() {
  const whole = Buffer.from('H4sIAAAAAAAAA0vOzy0oSi0uVkhKLC5RyE0tLk5MTwUAvfDYTxQAAAA=', 'base64')
  return serve(whole.subarray(0, 20), { 'content-encoding': 'gzip' })
}

describe('retries', () => {
  test.each([
    ['5xx', status(503)],
    ['429', status(429, { 'retry-after': '1' })],
    ['a reset', reset()],
    ['a truncated body', truncate(kilobyte, 100)],
    ['a chunked body that ends early', endChunkedEarly(kilobyte, 100)],
  ])('%s, then good', async (_name, fault) => {
    server.on('/page', inOrder(fault, fault, serve(text)))
    expect((await get('/page')).status).toBe(200)
    expect(server.count('/page')).toBe(3)
  })

  test('two at most', async () => {
    server.on('/page', status(502))
    await expect(get('/page')).rejects.toMatchObject({ code: 'BAD_STATUS', status: 502 })
    expect(server.count('/page')).toBe(3)
  })

  test.each([400, 401, 403, 404, 410, 451, 501])('none after %i', async (code) => {
    server.on('/page', status(code))
    const wanted = code === 401 ? 'ACCESS_DENIED' : 'BAD_STATUS'
    await expect(get('/page')).rejects.toMatchObject({ code: wanted, status: code })
    expect(server.count('/page')).toBe(1)
  })

  test('wait as long as the server asks, and not at all when it asks for too long', async () => {
    const waits: number[] = []
    const client = createClient({ sleep: async (milliseconds) => void waits.push(milliseconds) })
    const options = { hosts: local(), maxBytes: 1000 }
    server.on('/page', inOrder(status(503, { 'retry-after': '3' }), status(503), serve(text)))
    await client.get(server.url('/page'), options)
    expect(waits).toEqual([3000, 500])
    server.on('/busy', status(503, { 'retry-after': '3600' }))
    await expect(client.get(server.url('/busy'), options)).rejects.toMatchObject({ status: 503 })
    expect(server.count('/busy')).toBe(1)
  })

  test('none when the caller’s own time would be over by then', async () => {
    const waits: number[] = []
    const client = createClient({ sleep: async (milliseconds) => void waits.push(milliseconds) })
    server.on('/page', status(503, { 'retry-after': '4' }))
    const options = { hosts: local(), maxBytes: 1000, deadlineMs: 3000 }
    await expect(client.get(server.url('/page'), options)).rejects.toMatchObject({ status: 503 })
    expect(waits).toEqual([])
  })

  test('a server that is not there', async () => {
    const gone = await startHostileServer()
    await gone.close()
    const promise = createClient().get(gone.url('/'), { hosts: hostOf(gone.origin), maxBytes: 1 })
    await expect(promise).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: matching(/^http:\/\/127\.0\.0\.1:\d+\/: could not connect \(/),
      facts: { url: gone.url('/'), next: containing('network') },
      cause: having({ code: 'ECONNREFUSED' }),
    })
  })
})
