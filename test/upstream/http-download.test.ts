import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { containing, matching } from '../support/expecting.ts'
import {
  drip,
  endChunkedEarly,
  endless,
  endlessHeaders,
  endlessInterim,
  holdUntil,
  lieAboutLength,
  redirect,
  reset,
  serve,
  serveChunked,
  serveUntilClose,
  silence,
  stall,
  status,
  truncate,
  type Behaviour,
} from '../support/hostile-server.ts'
import {
  useHostileServer,
  createClient,
  get,
  download,
  local,
  server,
  kilobyte,
  type Received,
} from './http-fixture.ts'

useHostileServer()

describe('time', () => {
  test('no answer at all', async () => {
    server.on('/page', silence())
    const client = createClient({ limits: { headersTimeoutMs: 50 } })
    const promise = client.get(server.url('/page'), { hosts: local(), maxBytes: 1 })
    await expect(promise).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: containing('no answer came in time'),
    })
  })

  test('silence in the middle of a body', async () => {
    server.on('/file', stall(kilobyte, 100))
    const client = createClient({ limits: { idleTimeoutMs: 50 } })
    await expect(download('/file', client)).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: containing('no bytes came for too long'),
    })
  })

  test('the deadline of a page covers its redirects and its body', async () => {
    server.on('/page', redirect('/slow'))
    server.on('/slow', drip(kilobyte, 1, 5))
    await expect(get('/page', { deadlineMs: 60 })).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: `${server.url('/slow')} did not finish within its time`,
    })
  })

  test('the deadline also ends a request that waits for a connection: it is never sent', async () => {
    const gate = Promise.withResolvers<void>()
    server.on('/first', holdUntil(gate.promise, serve(kilobyte)))
    server.on('/last', serve(kilobyte))
    const client = createClient({ limits: { connectionsPerOrigin: 1 } })
    const options = { hosts: local(), maxBytes: 2000 }
    const first = client.get(server.url('/first'), options)
    await server.waitFor('/first', 1)
    const waiting = client.get(server.url('/waiting'), { ...options, deadlineMs: 20 })
    await expect(waiting).rejects.toMatchObject({ code: 'TIMED_OUT' })
    gate.resolve()
    await first
    expect((await client.get(server.url('/last'), options)).status).toBe(200)
    expect(server.count('/waiting')).toBe(0)
  })

  test('slow retrieval: a byte now and then is too slow', async () => {
    server.on('/file', drip(kilobyte, 1, 5))
    const client = createClient({ limits: { throughputWindowMs: 100 } })
    await expect(download('/file', client)).rejects.toMatchObject({
      code: 'TOO_SLOW',
      message: matching(/\/file came at \d+ B\/s$/),
      facts: {
        expected: 'at least 8000 B/s over 0.1 s',
        found: matching(/^\d+ B\/s$/),
      },
    })
  })

  test('our own slowness is not the server’s', async () => {
    const large = new Uint8Array(1_000_000)
    server.on('/file', serve(large))
    // Reading alone is a hundred times faster than this, and reading with our pauses is slower.
    const client = createClient({
      limits: { throughputWindowMs: 300, minBytesPerSecond: 1_000_000 },
    })
    let received = 0
    const sink = {
      write: async (chunk: Bytes) => {
        received += chunk.length
        await new Promise((resolve) => setTimeout(resolve, 100))
      },
    }
    await client.download(server.url('/file'), sink, { hosts: local(), maxBytes: 2_000_000 })
    expect(received).toBe(large.length)
  })
})

describe('a file', () => {
  test('streams as it is, its announced length first', async () => {
    server.on('/file', serve(kilobyte))
    const received = await download('/file')
    expect(received.announced).toBe(1024)
    expect(Buffer.from(received.bytes).equals(kilobyte)).toBe(true)
    expect(server.requests[0]?.headers).toMatchObject({
      accept: '*/*',
      'accept-encoding': 'identity',
    })
  })

  test.each([
    ['chunked', serveChunked(kilobyte)],
    ['delimited by the end of the connection', serveUntilClose(kilobyte)],
  ])('%s has no announced length', async (_name, behaviour) => {
    server.on('/file', behaviour)
    const received = await download('/file')
    expect(received).toMatchObject({ announced: undefined })
    expect(received.bytes).toHaveLength(1024)
  })

  test.each([
    ['truncated', truncate(kilobyte, 1023)],
    ['chunked and ended early', endChunkedEarly(kilobyte, 1023)],
    ['reset', reset(kilobyte, 500)],
    ['reset before the answer', reset()],
    ['with 1xx answers for ever', endlessInterim()],
    [
      'not HTTP',
      (_request: unknown, response: { socket: { end(text: string): void } | null }) =>
        response.socket?.end('nonsense\r\n\r\n'),
    ],
  ])('%s is broken off', async (_name, behaviour) => {
    server.on('/file', behaviour)
    await expect(download('/file')).rejects.toMatchObject({
      code: 'BROKEN_OFF',
      facts: { url: server.url('/file'), next: containing('Try again') },
    })
  })

  test.each<[string, Behaviour, object]>([
    ['with a length', truncate(kilobyte, 500), { expected: '1024 bytes', found: '500 bytes' }],
    [
      'in chunks',
      endChunkedEarly(kilobyte, 500),
      { expected: 'an answer with an end', found: '500 bytes' },
    ],
    ['before its head', reset(), { found: 'no answer' }],
  ])('an answer that breaks off says how far it came: %s', async (_name, behaviour, facts) => {
    server.on('/file', behaviour)
    await expect(download('/file')).rejects.toMatchObject({ code: 'BROKEN_OFF', facts })
  })

  test('endless headers end at 32 kB', async () => {
    server.on('/file', endlessHeaders())
    await expect(download('/file')).rejects.toMatchObject({
      // Not TOO_LARGE, which of a signed file is a verdict: nothing of it has come.
      code: 'BAD_STATUS',
      message: expect.stringContaining('the headers are too long') as string,
    })
  })

  test('endless data: nothing beyond the limit reaches the sink', async () => {
    server.on('/file', endless())
    let received = 0
    const sink = { write: (chunk: Bytes) => void (received += chunk.length) }
    const options = { hosts: local(), maxBytes: 1_000_000 }
    await expect(createClient().download(server.url('/file'), sink, options)).rejects.toMatchObject(
      {
        code: 'TOO_LARGE',
      },
    )
    expect(received).toBeLessThanOrEqual(1_000_000)
  })

  test('a longer body than announced: the surplus is not part of it', async () => {
    server.on('/file', lieAboutLength(kilobyte, 1000))
    const outcome = await download('/file').catch((error: unknown) => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'BROKEN_OFF' })
    else expect((outcome as Received).bytes).toHaveLength(1000)
  })

  test('with a Content-Encoding is refused, but for the label that Apache puts on .gz', async () => {
    server.on('/foo-1.0.whl', serve(kilobyte, { 'content-encoding': 'gzip' }))
    server.on('/foo-1.0.tar.gz', serve(kilobyte, { 'content-encoding': 'x-gzip' }))
    await expect(download('/foo-1.0.whl')).rejects.toMatchObject({ code: 'BAD_STATUS' })
    expect((await download('/foo-1.0.tar.gz')).bytes).toHaveLength(1024)
  })

  test.each([204, 206, 203, 404, 500])('with status %i is an error, tried once', async (code) => {
    server.on('/file', status(code))
    await expect(download('/file')).rejects.toMatchObject({ code: 'BAD_STATUS', status: code })
    expect(server.count('/file')).toBe(1)
  })

  test('what the sink throws comes back as it is, and the connection is given up', async () => {
    server.on('/file', endless())
    const options = { hosts: local(), maxBytes: 1e9 }
    const client = createClient()
    const problem = new Error('disk full')
    const sinks = [
      {
        write: () => {
          throw problem
        },
      },
      { write: () => Promise.reject(problem) },
      {
        start: () => {
          throw problem
        },
        write: () => {},
      },
    ]
    for (const sink of sinks) {
      await expect(client.download(server.url('/file'), sink, options)).rejects.toBe(problem)
    }
  })

  test('never two writes at a time, never out of order, few waiting', async () => {
    const large = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251)
    server.on('/file', serve(large))
    const chunks: Bytes[] = []
    let writing = 0
    const sink = {
      write: async (chunk: Bytes) => {
        writing += 1
        expect(writing).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        chunks.push(chunk)
        writing -= 1
      },
    }
    await createClient().download(server.url('/file'), sink, { hosts: local(), maxBytes: 4e6 })
    expect(Buffer.concat(chunks).equals(large)).toBe(true)
  })

  test('a failure is told when the write that is under way has ended, not before', async () => {
    server.on('/file', stall(kilobyte, 10))
    const controller = new AbortController()
    const options = { hosts: local(), maxBytes: 1e6, signal: controller.signal }
    const written = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    const write = (): Promise<void> => {
      began.resolve()
      return written.promise
    }
    let isTold = false
    const promise = createClient()
      .download(server.url('/file'), { write }, options)
      .catch(() => {
        isTold = true
      })
    await began.promise
    controller.abort(new Error('we stop'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isTold).toBe(false)
    written.resolve()
    await promise
    expect(isTold).toBe(true)
  })

  test('can be given up from outside', async () => {
    server.on('/file', stall(kilobyte, 10))
    const controller = new AbortController()
    const options = { hosts: local(), maxBytes: 1e6, signal: controller.signal }
    const promise = createClient().download(server.url('/file'), { write: () => {} }, options)
    await server.waitFor('/file', 1)
    controller.abort(new Error('we stop'))
    await expect(promise).rejects.toThrow('we stop')
  })
})

test('the length of a file by HEAD', async () => {
  server.on('/file', serve(kilobyte))
  expect(await createClient().findLength(server.url('/file'), { hosts: local() })).toBe(1024)
  expect(server.requests[0]?.method).toBe('HEAD')
  const missing = createClient().findLength(server.url('/gone'), { hosts: local() })
  await expect(missing).rejects.toMatchObject({ code: 'BAD_STATUS', status: 404 })
})
