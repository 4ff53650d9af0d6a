import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { createHasher, sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import type { DownloadVault } from '../../src/client/download.ts'
import type { TransferProgress } from '../../src/client/file-transfer.ts'
import { matching } from '../support/expecting.ts'
import {
  drip,
  endChunkedEarly,
  endless,
  flipByte,
  inOrder,
  lieAboutLength,
  redirect,
  reset,
  serve,
  serveChunked,
  serveUntilClose,
  stall,
  startHostileServer,
  status,
  truncate,
  type Behaviour,
} from '../support/hostile-server.ts'
import {
  createDownloads,
  entry,
  entryWithoutSize,
  listSpools,
  readVault,
  server,
  url,
  useDownloads,
  waits,
  wheel,
  type Options,
} from './download-fixture.ts'

useDownloads()

/** The error with which the file is refused; nothing of it may stay behind. */
async function fetchRefused(behaviour: Behaviour, options: Options = {}): Promise<unknown> {
  server.on(url, behaviour)
  const error: unknown = await createDownloads(options)
    .fetch(entry())
    .done.then(() => 'delivered')
    .catch((reason: unknown) => reason)
  expect(await readVault()).toBeUndefined()
  expect(await listSpools()).toEqual([])
  return error
}

describe('a file that was tampered with', () => {
  const another = wheel.toReversed()

  test.each([
    ['one flipped bit', flipByte(wheel)],
    ['a flipped bit in the first byte', flipByte(wheel, 0)],
    ['a flipped bit in the last byte', flipByte(wheel, wheel.length - 1)],
    ['another file of the same length', serve(another)],
    ['another file of the same length, chunked', serveChunked(another)],
    // A16: a whole small evil sdist, padded to the genuine length.
    [
      'an evil file, padded',
      serve(Buffer.concat([another.subarray(0, 900), Buffer.alloc(299_100)])),
    ],
  ])('%s: refused with both digests, tried once', async (_name, behaviour) => {
    expect(await fetchRefused(behaviour)).toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: 'sha256 of foo-1.0-py3-none-any.whl is not the signed one',
      facts: {
        expected: sha256Hex(wheel),
        found: matching(/^[0-9a-f]{64}$/),
        url: server.url(url),
        next: matching(/^Do not install it/),
      },
    })
    expect(server.count(url)).toBe(1)
  })

  test.each([
    ['longer, and says so', serve(Buffer.concat([wheel, wheel])), `${2 * wheel.length} bytes`],
    [
      'longer by a byte, chunked',
      serveChunked(Buffer.concat([wheel, wheel.subarray(0, 1)])),
      'more than 300000 bytes',
    ],
    ['endless (A5)', endless(wheel), 'more than 300000 bytes'],
    ['shorter, and says so', serve(wheel.subarray(1)), '299999 bytes'],
    ['shorter, chunked and ended properly', serveChunked(wheel, 299_999), '299999 bytes'],
    ['shorter, ended by the connection', serveUntilClose(wheel.subarray(1)), '299999 bytes'],
    ['empty', serve(new Uint8Array(0)), '0 bytes'],
  ])('%s: refused by its length, tried once', async (_name, behaviour, found) => {
    expect(await fetchRefused(behaviour)).toMatchObject({
      code: 'LENGTH_MISMATCH',
      message: 'the length of foo-1.0-py3-none-any.whl is not the signed one',
      facts: { expected: '300000 bytes', found, url: server.url(url) },
    })
    expect(server.count(url)).toBe(1)
  })

  test('a wrong announced length is refused before the body is read', async () => {
    const error = await fetchRefused(lieAboutLength(new Uint8Array(0), 10 ** 12))
    expect(error).toMatchObject({ code: 'LENGTH_MISMATCH', facts: { found: `${10 ** 12} bytes` } })
  })

  test('with a signed length that is wrong, though the vault has the file', async () => {
    server.on(url, serve(wheel))
    const downloads = createDownloads()
    await downloads.fetch(entry()).done
    await expect(downloads.fetch(entry({ size: 5 })).done).rejects.toMatchObject({
      code: 'LENGTH_MISMATCH',
      facts: { expected: '5 bytes', found: '300000 bytes' },
    })
  })

  test.each([0, 5, 299_999, 900_000])(
    'a file for which a server told %i bytes is delivered: the digest decides',
    async (toldSize) => {
      server.on(url, serve(wheel))
      const limits = { maxUnsizedFileBytes: 1e6 }
      await createDownloads({ limits }).fetch({ ...entryWithoutSize(), toldSize }).done
      expect(await readVault()).toHaveLength(wheel.length)
    },
  )

  test('a told length allows more than usual, and never more than any file may have', async () => {
    server.on(url, serve(wheel))
    const limits = { maxUnsizedFileBytes: 1000, maxFileBytes: 350_000 }
    await createDownloads({ limits }).fetch({ ...entryWithoutSize(), toldSize: 310_000 }).done
    server.on(url, endless())
    const lying = { ...entryWithoutSize(), sha256: '0'.repeat(64), toldSize: 1e12 }
    await expect(createDownloads({ limits }).fetch(lying).done).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  test('endless data without a signed size ends at the limit', async () => {
    server.on(url, endless())
    const { done } = createDownloads({ limits: { maxUnsizedFileBytes: 1e6 } }).fetch(
      entryWithoutSize(),
    )
    await expect(done).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(await listSpools()).toEqual([])
  })
})

describe('an upstream with faults', () => {
  test.each([
    ['truncated, its length kept', truncate(wheel, 200_000)],
    ['chunked and ended early', endChunkedEarly(wheel, 200_000)],
    ['reset', reset(wheel, 100_000)],
    ['reset before the answer', reset()],
  ])('%s: tried three times, then told', async (_name, behaviour) => {
    expect(await fetchRefused(behaviour)).toMatchObject({ code: 'BROKEN_OFF' })
    expect(server.count(url)).toBe(3)
    expect(waits).toEqual([250, 500])
  })

  test.each([
    ['5xx', status(502)],
    ['a truncated body', truncate(wheel, 1000)],
    ['a reset', reset(wheel, 1000)],
    ['silence', stall(wheel, 1000)],
  ])('%s, then good: delivered', async (_name, behaviour) => {
    server.on(url, inOrder(behaviour, serve(wheel)))
    const fetch = createDownloads({ http: { idleTimeoutMs: 50 } }).fetch(entry())
    await fetch.done
    expect(fetch.progress()).toMatchObject({ attempt: 2, receivedBytes: wheel.length })
    expect(await readVault()).toBeDefined()
    expect(await listSpools()).toEqual([])
  })

  test.each([400, 403, 404, 410, 451])('status %i is told at once', async (code) => {
    expect(await fetchRefused(status(code))).toMatchObject({ code: 'BAD_STATUS', status: code })
    expect(server.count(url)).toBe(1)
  })

  test('slow retrieval (A6): a byte now and then is ended, once more, then told', async () => {
    const http = { throughputWindowMs: 80 }
    expect(await fetchRefused(drip(wheel, 1, 5), { http })).toMatchObject({ code: 'TOO_SLOW' })
    expect(server.count(url)).toBe(2)
  })
})

describe('splice (A17)', () => {
  test('a tampered beginning, cut, then a good file: the attempt counts up before a byte of it', async () => {
    const evil = Uint8Array.from(wheel, (byte) => byte ^ 0xff)
    const seen: { attempt: number; head: Bytes }[] = []
    server.on(url, inOrder(truncate(evil, 1000), serve(wheel)))
    const fetch = createDownloads({
      ports: {
        // Between two attempts: what an answer that begins now would be given.
        sleep: async () => void seen.push(fetch.progress()),
      },
    }).fetch(entry())
    await fetch.done
    expect(seen).toMatchObject([
      {
        attempt: 2,
        head: new Uint8Array(0),
        length: wheel.length,
        receivedBytes: 0,
        failure: { code: 'BROKEN_OFF' },
      },
    ])
    expect(fetch.progress()).toMatchObject({ attempt: 2, head: wheel.subarray(0, 48) })
  })

  test('a head grows only at its end, and one that was handed out never changes', async () => {
    const evil = Uint8Array.from(wheel, (byte) => byte ^ 0xff)
    const seen: TransferProgress[] = []
    let attempts = 0
    const ports: Options['ports'] = {
      download: async (_address, sink) => {
        attempts += 1
        const source = attempts === 1 ? evil : wheel
        for (const [start, end] of [
          [0, 10],
          [10, 47],
          [47, 49],
          [49, 1000],
        ] as const) {
          await sink.write(source.subarray(start, end))
          seen.push(fetch.progress())
        }
        if (attempts === 1) throw new UpstreamError('BROKEN_OFF', 'cut')
        await sink.write(source.subarray(1000))
      },
    }
    const fetch = createDownloads({ ports }).fetch(entry())
    await fetch.done
    expect(seen.map(({ attempt, head }) => [attempt, head.length])).toEqual([
      [1, 10],
      [1, 47],
      [1, 48],
      [1, 48],
      [2, 10],
      [2, 47],
      [2, 48],
      [2, 48],
    ])
    for (const { attempt, head } of seen) {
      expect(head).toEqual((attempt === 1 ? evil : wheel).subarray(0, head.length))
    }
  })
})

describe('where files may come from', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost:1/foo.whl',
    'http://2130706433/foo.whl',
    'http://0177.0.0.1/foo.whl',
    'http://[::ffff:127.0.0.1]/foo.whl',
    'http://[::1]/foo.whl',
    'http://evil.example/foo.whl',
  ])('a redirect to %s is refused and not tried again', async (location) => {
    expect(await fetchRefused(redirect(location))).toMatchObject({ code: 'HOST_REFUSED' })
    expect(server.count()).toBe(1)
  })

  test('a redirect to a host of the list is followed', async () => {
    const cdn = await startHostileServer()
    cdn.on('/foo.whl', serve(wheel))
    server.on(url, redirect(cdn.url('/foo.whl')))
    const names = [server.origin, cdn.origin].map((origin) => new URL(origin).host)
    await createDownloads().fetch(entry({ hosts: { names, allowPrivate: true } })).done
    expect(await readVault()).toBeDefined()
    await cdn.close()
  })
})

test('300 MB pass through with little of them in memory', async () => {
  const size = 300_000_000
  let peak = 0
  const before = process.memoryUsage().rss
  const digest = createHasher('sha256')
  const vault: DownloadVault = {
    open: async () => undefined,
    createSpool: async () => ({
      write: async (chunk) => {
        digest.update(chunk)
        peak = Math.max(peak, process.memoryUsage.rss())
        await new Promise((resolve) => setImmediate(resolve))
      },
      digestHex: () => digest.digestHex(),
      commit: async () => {},
      discard: async () => {},
    }),
  }
  server.on(url, endless(new Uint8Array(0), size))
  const fetch = createDownloads({ ports: { vault } }).fetch(entry({ size }))
  await expect(fetch.done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  expect(fetch.progress().receivedBytes).toBe(size)
  expect(peak - before).toBeLessThan(150_000_000)
})
