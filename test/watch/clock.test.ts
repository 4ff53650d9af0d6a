import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { renewMirror, type RenewOptions, type RenewResult } from '../../src/mirror/renew.ts'
import type { SyncOptions, SyncResult } from '../../src/mirror/sync.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { dayMs, hourMs, MirrorFixture } from '../mirror/mirror-fixture.ts'
import { SimulatedClient } from './simulated-client.ts'

const minuteMs = 60_000
const day = '2026-03-01'

let mirror: MirrorFixture
let server: Server
/** What the index says; `undefined`: nothing. */
let headers: Record<string, string>
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init({ check: checkPublication })
  mirror.events.length = 0
  headers = {}
  server = createServer((request, response) => {
    response.sendDate = false
    const page = {
      meta: { 'api-version': '1.4' },
      name: 'foo',
      files: [
        { filename: 'foo-1.0.tar.gz', url: '/foo-1.0.tar.gz', hashes: { sha256: 'a'.repeat(64) } },
      ],
    }
    const status = request.url === '/simple/foo/' ? 200 : 404
    const type = { 'content-type': 'application/vnd.pypi.simple.v1+json' }
    response.writeHead(status, { ...type, ...headers }).end(JSON.stringify(page))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await mirror.remove()
})

function sync(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
  const { port } = server.address() as AddressInfo
  const index = `http://127.0.0.1:${port}/simple/`
  const choice = { index, projects: ['foo'], openIndex: openMirrorIndex }
  return mirror.sync({ ...choice, check: checkPublication, ...options })
}

function renew(options: Partial<RenewOptions> = {}): Promise<RenewResult> {
  const context = { ...mirror.context, openIndex: openMirrorIndex, check: checkPublication }
  return renewMirror({ ...context, ...options })
}

function httpDate(time: number): string {
  return new Date(time).toUTCString()
}

describe('a clock that the index contradicts', () => {
  test('signs nothing when it is ahead, and both times are said', async () => {
    headers = { date: httpDate(mirror.now - 6 * minuteMs) }
    await expect(sync()).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: expect.stringMatching(
        /^The clock of this machine is 6 min ahead of that of http:\/\/127\.0\.0\.1:\d+\/simple\/$/,
      ) as string,
      facts: {
        expected: `${day}T11:54:00Z, as the index says`,
        found: `${day}T12:00:00Z`,
        next: expect.stringContaining('--accept-clock') as string,
      },
    })
    expect((await mirror.readMetadata('timestamp')).version).toBe(1)
  })

  test('signs nothing when it is behind', async () => {
    headers = { date: httpDate(mirror.now + 2 * dayMs) }
    await expect(sync()).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: expect.stringContaining('is 2 d behind') as string,
    })
  })

  test('renews nothing either', async () => {
    await sync()
    mirror.now += 13 * hourMs
    headers = { date: httpDate(mirror.now - hourMs) }
    await expect(renew()).rejects.toMatchObject({ code: 'CLOCK_WRONG' })
    headers = { date: httpDate(mirror.now - 4 * minuteMs) }
    expect((await renew()).published).toMatchObject({ timestamp: 3 })
  })

  test('is right within five minutes, and where the index says no time', async () => {
    for (const date of [-4 * minuteMs, 4 * minuteMs].map((skew) => httpDate(mirror.now + skew))) {
      headers = { date }
      expect((await sync()).isIndexSeen).toBe(true)
      mirror.now += minuteMs
    }
    headers = {}
    expect((await sync()).isIndexSeen).toBe(true)
    headers = { date: 'yesterday' }
    expect((await sync()).isIndexSeen).toBe(true)
  })

  test('is not wrong because a cache on the way answers with what it had for an hour', async () => {
    headers = { date: httpDate(mirror.now - hourMs), age: '3600' }
    expect((await sync()).isIndexSeen).toBe(true)
    headers = { date: httpDate(mirror.now), age: '3600' }
    expect((await sync()).isIndexSeen).toBe(true)
    headers = { date: httpDate(mirror.now - 2 * hourMs), age: '3600' }
    await expect(sync()).rejects.toMatchObject({ code: 'CLOCK_WRONG' })
  })

  test('is right where a person says so: an index that lies stops nobody for ever', async () => {
    headers = { date: httpDate(0) }
    await expect(sync()).rejects.toMatchObject({ code: 'CLOCK_WRONG' })
    expect((await sync({ acceptClock: true })).isIndexSeen).toBe(true)
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: expect.stringContaining('it is taken for right all the same') as string },
    ])
    mirror.now += 13 * hourMs
    expect((await renew({ acceptClock: true })).published).toBeDefined()
  })

  test('is nobody else than the index: one that is down does not stop a renewal', async () => {
    await sync()
    mirror.now += 13 * hourMs
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    expect((await renew()).published).toBeDefined()
  })
})

describe('a clock that was two days ahead, signed once, and was set back', () => {
  beforeEach(async () => {
    await sync()
    mirror.now += 2 * dayMs
    await sync()
    mirror.now -= 2 * dayMs - hourMs
  })

  test('signs nothing until a person says that it is right', async () => {
    await expect(sync()).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      facts: {
        expected: '2026-03-03T12:00:00Z or later',
        next: expect.stringContaining('--accept-clock') as string,
      },
    })
  })

  test('goes on with --accept-clock, in versions that were never used, and clients follow', async () => {
    await expect(
      new SimulatedClient(mirror.public).read(['foo'], mirror.now),
    ).rejects.toMatchObject({ code: 'CLOCK_WRONG' })
    const { published } = await sync({ acceptClock: true })
    expect(published).toMatchObject({ timestamp: 4 })
    expect(mirror.takeEvents('warning')).toMatchObject([
      {
        message:
          'The last signature is dated 2026-03-03T12:00:00Z; from now on it is 2026-03-01T13:00:00Z again',
      },
    ])
    expect((await new SimulatedClient(mirror.public).read(['foo'], mirror.now)).size).toBe(1)
    mirror.now += 10 * minuteMs
    expect((await sync()).published).toMatchObject({ timestamp: 5 })
  })

  test('does not count its look in the future as a recent one', async () => {
    await expect(renew({ acceptClock: true })).rejects.toMatchObject({
      code: 'HELD',
      message: expect.stringContaining('last seen 1 d ago') as string,
    })
  })
})
