import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { StorageError } from '../../src/base/errors.ts'
import { having } from '../support/expecting.ts'
import {
  holdUntil,
  inOrder,
  serve,
  stall,
  status,
  type Behaviour,
} from '../support/hostile-server.ts'
import {
  createDownloads,
  entry,
  entryWithoutSize,
  listSpools,
  readVault,
  server,
  time,
  url,
  useDownloads,
  vault,
  wheel,
} from './download-fixture.ts'

useDownloads()

function announce(length: number): Behaviour {
  return serve(new Uint8Array(0), { 'content-length': length })
}

describe('a good file', () => {
  test('ends in the vault, and its progress tells the beginning that it has', async () => {
    server.on(url, serve(wheel))
    const fetch = createDownloads().fetch(entry())
    expect(fetch.progress()).toEqual({
      attempt: 1,
      head: new Uint8Array(0),
      length: wheel.length,
      receivedBytes: 0,
    })
    await fetch.done
    expect(fetch.progress()).toEqual({
      attempt: 1,
      head: wheel.subarray(0, 48),
      length: wheel.length,
      receivedBytes: wheel.length,
    })
    expect(Buffer.from((await readVault()) ?? []).equals(wheel)).toBe(true)
    expect(await listSpools()).toEqual([])
  })

  test('without a signed size has the length that the server announced', async () => {
    server.on(url, serve(wheel))
    const fetch = createDownloads().fetch(entryWithoutSize())
    expect(fetch.progress().length).toBeUndefined()
    await fetch.done
    expect(fetch.progress().length).toBe(wheel.length)
  })

  test('that the vault has already is not fetched again', async () => {
    await vault.put(wheel)
    await createDownloads().fetch(entry()).done
    expect(server.count()).toBe(0)
  })

  test('that is empty', async () => {
    server.on(url, serve(new Uint8Array(0)))
    const empty = entry({ size: 0, sha256: sha256Hex(new Uint8Array(0)) })
    await createDownloads().fetch(empty).done
    expect(await vault.open(empty.sha256)).toMatchObject({ size: 0 })
  })
})

describe('many who ask', () => {
  test('50 followers, one request', async () => {
    server.on(url, serve(wheel))
    const downloads = createDownloads()
    const all = Array.from({ length: 50 }, () => downloads.fetch(entry()))
    await Promise.all(all.map(({ done }) => done))
    expect(server.count(url)).toBe(1)
  })

  test('followers of a fetch that fails all get its error', async () => {
    server.on(url, serve(wheel.toReversed()))
    const downloads = createDownloads()
    const all = Array.from({ length: 50 }, () => downloads.fetch(entry()).done)
    for (const result of await Promise.allSettled(all)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'DIGEST_MISMATCH' } })
    }
    expect(server.count(url)).toBe(1)
  })

  test('who leaves does not end the fetch: the next one finds the file', async () => {
    const gate = Promise.withResolvers<void>()
    server.on(url, holdUntil(gate.promise, serve(wheel)))
    const downloads = createDownloads()
    downloads.fetch(entry())
    await server.waitFor(url, 1)
    gate.resolve()
    await downloads.fetch(entry()).done
    expect(server.count(url)).toBe(1)
    expect(await readVault()).toBeDefined()
  })

  test('nobody listens to a failure, and nothing is left unhandled', async () => {
    server.on(url, status(404))
    const discarded = Promise.withResolvers<void>()
    const ownVault = {
      open: async () => undefined,
      createSpool: async () => ({
        write: async () => {},
        digestHex: () => '',
        commit: async () => {},
        discard: async () => discarded.resolve(),
      }),
    }
    createDownloads({ ports: { vault: ownVault } }).fetch(entry())
    await discarded.promise
    // vitest fails the run on an unhandled rejection.
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('the same path on another host is another file', async () => {
    server.on(url, serve(wheel))
    server.on('/mirror/foo.whl', serve(wheel.toReversed()))
    const downloads = createDownloads()
    const other = downloads.fetch(entry({ url: server.url('/mirror/foo.whl') }))
    const good = downloads.fetch(entry())
    await expect(other.done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    await good.done
  })
})

describe('a verdict', () => {
  test('is remembered for 60 s: retries get it at once, without a request', async () => {
    server.on(url, inOrder(serve(wheel.toReversed()), serve(wheel)))
    const downloads = createDownloads()
    const first = await downloads.fetch(entry()).done.catch((error: unknown) => error)
    time.now += 59_999
    const again = downloads.fetch(entry())
    expect(await again.done.catch((error: unknown) => error)).toBe(first)
    expect(again.progress()).toMatchObject({ receivedBytes: 0 })
    expect(server.count(url)).toBe(1)
  })

  test('is forgotten after 60 s, so that a passing fault of a CDN heals', async () => {
    server.on(url, inOrder(serve(wheel.toReversed()), serve(wheel)))
    const downloads = createDownloads()
    await expect(downloads.fetch(entry()).done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    time.now += 60_000
    await downloads.fetch(entry()).done
    expect(server.count(url)).toBe(2)
  })

  test('is forgotten when the clock goes back', async () => {
    server.on(url, inOrder(serve(wheel.toReversed()), serve(wheel)))
    const downloads = createDownloads()
    await expect(downloads.fetch(entry()).done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    time.now -= 3_600_000
    await downloads.fetch(entry()).done
  })

  test('holds for the signed digest that it was about, not for a later one', async () => {
    const changed = wheel.toReversed()
    server.on(url, serve(changed))
    const downloads = createDownloads()
    await expect(downloads.fetch(entry()).done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    await downloads.fetch(entry({ sha256: sha256Hex(changed) })).done
  })

  test('is no upstream fault: those are tried again by the next who asks', async () => {
    server.on(url, inOrder(status(404), serve(wheel)))
    const downloads = createDownloads()
    await expect(downloads.fetch(entry()).done).rejects.toMatchObject({ code: 'BAD_STATUS' })
    await downloads.fetch(entry()).done
  })

  test('only so many are kept', async () => {
    server.use(() => serve(wheel.toReversed()))
    const downloads = createDownloads({ limits: { maxVerdicts: 2 } })
    for (const path of ['/a', '/b', '/c', '/a', '/c']) {
      const { done } = downloads.fetch(entry({ url: server.url(path) }))
      await expect(done).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    }
    expect(server.count('/a')).toBe(2)
    expect(server.count('/c')).toBe(1)
  })
})

describe('limits', () => {
  test('so many at once, the others wait their turn', async () => {
    const gate = Promise.withResolvers<void>()
    server.use(() => holdUntil(gate.promise, serve(wheel)))
    const downloads = createDownloads({ limits: { maxConcurrent: 2 } })
    const paths = ['/a', '/b', '/c', '/d']
    const all = paths.map((path) => downloads.fetch(entry({ url: server.url(path) })).done)
    await Promise.all([server.waitFor('/a', 1), server.waitFor('/b', 1)])
    expect(server.count()).toBe(2)
    gate.resolve()
    await Promise.all(all)
    expect(server.count()).toBe(4)
  })

  test('so many bytes at once; a file that is larger than all of them comes alone', async () => {
    const gate = Promise.withResolvers<void>()
    server.use(() => holdUntil(gate.promise, serve(wheel)))
    const downloads = createDownloads({ limits: { maxSpoolBytes: wheel.length - 1 } })
    const all = ['/a', '/b'].map((path) => downloads.fetch(entry({ url: server.url(path) })).done)
    await server.waitFor('/a', 1)
    expect(server.count('/b')).toBe(0)
    gate.resolve()
    await Promise.all(all)
  })

  test('a queue that is full says so', async () => {
    server.use(() => stall(wheel, 10))
    const downloads = createDownloads({ limits: { maxConcurrent: 1, maxWaiting: 1 } })
    const [, , last] = ['/a', '/b', '/c'].map((path) =>
      downloads.fetch(entry({ url: server.url(path) })),
    )
    await expect(last?.done).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'too many fetches are waiting already',
    })
  })

  test('a file that is signed longer than any may be is not fetched', async () => {
    const { done } = createDownloads().fetch(entry({ size: 6 * 1024 ** 3 }))
    await expect(done).rejects.toMatchObject({
      code: 'TOO_LARGE',
      facts: { expected: 'at most 5368709120 bytes', found: '6442450944 bytes' },
    })
    expect(server.count()).toBe(0)
  })

  test('a file that is signed longer than any may be does not stand before others in the queue', async () => {
    const gate = Promise.withResolvers<void>()
    server.on('/slow', holdUntil(gate.promise, serve(wheel)))
    server.on('/other', serve(wheel))
    const downloads = createDownloads({ limits: { maxSpoolBytes: 2 * wheel.length } })
    const slow = downloads.fetch(entry({ url: server.url('/slow') })).done
    await server.waitFor('/slow', 1)
    const huge = downloads.fetch(entry({ url: server.url('/huge'), size: Number.MAX_SAFE_INTEGER }))
    await downloads.fetch(entry({ url: server.url('/other') })).done
    await expect(huge.done).rejects.toMatchObject({ code: 'TOO_LARGE' })
    gate.resolve()
    await slow
  })

  test('without a signed size 1 GiB and, for metadata, 16 MiB are the end', async () => {
    server.on('/file', announce(1024 ** 3 + 1))
    server.on('/file.metadata', announce(16 * 1024 ** 2 + 1))
    const downloads = createDownloads()
    const file = entryWithoutSize({ url: server.url('/file') })
    const metadata = entryWithoutSize({ url: server.url('/file.metadata'), kind: 'metadata' })
    const tooLarge = having({ code: 'TOO_LARGE' })
    await expect(downloads.fetch(file).done).rejects.toEqual(tooLarge)
    await expect(downloads.fetch(metadata).done).rejects.toEqual(tooLarge)
  })
})

describe('our own faults', () => {
  test('a full disk is told as it is, not tried again, and leaves nothing behind', async () => {
    server.on(url, serve(wheel))
    const problem = new StorageError('DISK_FULL', 'no space left')
    let discarded = 0
    const full = {
      open: async () => undefined,
      createSpool: async () => ({
        write: () => Promise.reject(problem),
        digestHex: () => '',
        commit: async () => {},
        discard: async () => void (discarded += 1),
      }),
    }
    const { done } = createDownloads({ ports: { vault: full } }).fetch(entry())
    await expect(done).rejects.toBe(problem)
    expect([server.count(url), discarded]).toEqual([1, 1])
  })

  test('a vault that cannot be opened is told, also when it throws at once', async () => {
    const problem = new StorageError('STORAGE_FAILED', 'damaged')
    const broken = {
      open: () => {
        throw problem
      },
      createSpool: () => Promise.reject(problem),
    }
    const { done } = createDownloads({ ports: { vault: broken } }).fetch(entry())
    await expect(done).rejects.toBe(problem)
  })

  test('stopping ends what runs and what waits, and removes the spools', async () => {
    server.use(() => stall(wheel, 100_000))
    const downloads = createDownloads({ limits: { maxConcurrent: 1 } })
    const both = ['/a', '/b'].map((path) => downloads.fetch(entry({ url: server.url(path) })).done)
    await server.waitFor('/a', 1)
    await downloads.close()
    for (const result of await Promise.allSettled(both)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNREACHABLE' } })
    }
    expect(await listSpools()).toEqual([])
    expect(server.count('/b')).toBe(0)
  })
})
