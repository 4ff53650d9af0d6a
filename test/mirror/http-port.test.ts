import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIndexOpener } from '../../src/cli/mirror/mirror-index.ts'
import { openHttpPort } from '../../src/mirror/http-port.ts'
import type { SyncResult } from '../../src/mirror/sync.ts'
import {
  inOrder,
  redirect,
  serve,
  startHostileServer,
  status,
  type Behaviour,
  type HostileServer,
} from '../support/hostile-server.ts'
import { digestOf, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let server: HostileServer
/** ms: it passes only while the port sleeps. */
let time: number
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  server = await startHostileServer()
  time = 0
  await mirror.init()
})
afterEach(async () => {
  await server.close()
  await mirror.remove()
})

const json = { 'content-type': 'application/vnd.pypi.simple.v1+json' }

function pageOf(name: string): Behaviour {
  const filename = `${name}-1.0.tar.gz`
  const file = { filename, url: `/files/${filename}`, hashes: { sha256: digestOf(name) }, size: 1 }
  const page = { meta: { 'api-version': '1.1' }, name, versions: [], files: [file] }
  return serve(Buffer.from(JSON.stringify(page)), json)
}

function sync(...projects: string[]): Promise<SyncResult> {
  return mirror.sync({
    index: server.url('/simple/'),
    projects,
    acceptClock: true,
    parallel: 4,
    openIndex: (address) =>
      openHttpPort(address, {
        userAgent: 'tufgate/test',
        parallel: 4,
        now: () => time,
        sleep: async (milliseconds) => {
          const until = time + milliseconds
          await new Promise((resolve) => setImmediate(resolve))
          time = Math.max(time, until)
        },
      }),
  })
}

const names = Array.from({ length: 12 }, (_, at) => `p${at}`)

describe('a sync of an index that asks for a pause', () => {
  test.each([
    ['in seconds', () => '120'],
    ['as a date', () => new Date(Date.now() + 120_000).toUTCString()],
  ])('%s, keeps it and misses nothing', async (_, renderRetryAfter) => {
    for (const name of names) server.on(`/simple/${name}/`, pageOf(name))
    const pause: Behaviour = (request, response, earlier) =>
      status(429, { 'retry-after': renderRetryAfter() })(request, response, earlier)
    server.on('/simple/p3/', inOrder(pause, pageOf('p3')))
    expect(await sync(...names)).toMatchObject({ changed: 12, failed: 0 })
    expect(server.count('/simple/p3/')).toBe(2)
    expect(time).toBeGreaterThan(60_000)
    expect(time).toBeLessThanOrEqual(120_000)
  })

  test('again and again is left alone, with a few requests, and reported once for each project', async () => {
    server.use((path) =>
      path.startsWith('/simple/') ? status(429, { 'retry-after': '60' }) : undefined,
    )
    expect(await sync(...names)).toMatchObject({ changed: 0, failed: 12, isIndexSeen: false })
    // Four at a time, first tries and five pauses; not twelve times five.
    const pages = server.requests.filter(({ method }) => method === 'GET')
    expect(pages.length).toBeLessThanOrEqual(24)
    expect(mirror.takeEvents('failed')).toHaveLength(12)
  })

  test('of a day is not waited for', async () => {
    for (const name of names) server.on(`/simple/${name}/`, pageOf(name))
    server.on('/simple/p0/', status(503, { 'retry-after': '86400' }))
    expect(await sync(...names)).toMatchObject({ exitCode: 1 })
    expect(time).toBe(0)
    const messages = mirror.takeEvents('failed').map(({ message }) => message)
    expect(messages).toContain('the index asks not to be asked for another 1 d')
  })
})

test('a page that the index sends elsewhere, in circles, fails alone', async () => {
  server.on('/simple/p0/', redirect('/simple/p0/'))
  server.on('/simple/p1/', pageOf('p1'))
  expect(await sync('p0', 'p1')).toMatchObject({ changed: 1, failed: 1 })
})

test('who asks, and whom to write to, stands in every request; the contact is remembered', async () => {
  server.on('/simple/foo/', pageOf('foo'))
  const options = { index: server.url('/simple/'), projects: ['foo'], acceptClock: true }
  const openIndex = createIndexOpener({ parallel: 2 })
  await mirror.sync({ ...options, openIndex, contact: 'ops@example.org' })
  const seen = server.requests.length
  await mirror.sync({ ...options, openIndex })
  expect(server.requests.length).toBeGreaterThan(seen)
  for (const { headers } of server.requests)
    expect(headers['user-agent']).toMatch(/^tufgate\/\S+ \(signing mirror; ops@example\.org\)$/)
})
