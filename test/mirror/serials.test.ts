import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncResult } from '../../src/mirror/sync.ts'
import { startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import { dayMs, digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let server: HostileServer
/** The index: by project the serial that its page says, and the files. */
let pages: Map<string, { serial?: number; files: string[] }>
/** What the list says; `undefined` in place of a serial leaves it out. */
let list: Map<string, number | undefined>
let listSerial: number | undefined

beforeEach(async () => {
  mirror = await MirrorFixture.create()
  server = await startHostileServer()
  pages = new Map()
  list = new Map()
  listSerial = undefined
  server.use((path) => (request, response) => {
    response.setHeader('date', new Date(mirror.now).toUTCString())
    const body = path === '/simple/' ? renderList() : renderPage(path.split('/')[2] ?? '')
    const etag = `"${digestOf(body ?? '').slice(0, 16)}"`
    if (body === undefined) response.writeHead(404).end()
    else if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
    else {
      const type = 'application/vnd.pypi.simple.v1+json'
      response.writeHead(200, { 'content-type': type, etag }).end(body)
    }
  })
  await mirror.init()
  mirror.events.length = 0
})
afterEach(async () => {
  await server.close()
  await mirror.remove()
})

function renderList(): string {
  const meta = { 'api-version': '1.0', ...(listSerial && { '_last-serial': listSerial }) }
  const projects = [...list].map(([name, serial]) => ({ name, '_last-serial': serial }))
  return JSON.stringify({ meta, projects })
}

function renderPage(project: string): string | undefined {
  const page = pages.get(project)
  if (page === undefined) return undefined
  const meta = { 'api-version': '1.1', '_last-serial': page.serial }
  const files = page.files.map((filename) => ({
    filename,
    url: `/files/${filename}`,
    hashes: { sha256: digestOf(filename) },
    size: filename.length,
  }))
  return JSON.stringify({ meta, name: project, versions: [], files })
}

function put(project: string, serial: number, ...files: string[]): void {
  pages.set(project, { serial, files })
  list.set(project, serial)
}

function sync(options: { full?: boolean } = {}): Promise<SyncResult> {
  return mirror.sync({ index: server.url('/simple/'), all: true, parallel: 2, ...options })
}

/** Paths below simple/ that a sync asks for; HEAD is for the clock of the server. */
async function requestsOf(run: Promise<unknown>): Promise<string[]> {
  const before = server.requests.length
  await run
  const requests = server.requests.slice(before).filter(({ method }) => method === 'GET')
  return requests.map(({ path }) => path.slice('/simple/'.length))
}

async function filenamesOf(project: string): Promise<string[] | undefined> {
  return (await mirror.findRecord(project))?.files.map(({ filename }) => filename)
}

describe('a sync of everything, by the serials of the list', () => {
  test('asks for nothing but the list where nothing changed, and has seen the index', async () => {
    for (const name of ['a', 'b', 'c']) put(name, 5, `${name}-1.0.tar.gz`)
    expect(await sync()).toMatchObject({ lookedAt: 3, changed: 3 })
    mirror.now += hourMs
    expect(await requestsOf(sync())).toEqual([''])
    expect(server.requests.at(-1)?.headers['if-none-match']).toMatch(/^"/)
    const timestamp = await mirror.readMetadata('timestamp')
    expect(timestamp['x-tufgate']?.['index-seen']).toBe('2026-03-01T13:00:00Z')
    mirror.now += hourMs
    expect(await sync()).toMatchObject({
      lookedAt: 0,
      covered: 3,
      changed: 0,
      isIndexSeen: true,
      published: { bins: 0 },
    })
  })

  test('looks at what changed, what is new and what is gone, and at nothing else', async () => {
    for (const name of ['a', 'b', 'c']) put(name, 5, `${name}-1.0.tar.gz`)
    await sync()
    put('a', 8, 'a-1.0.tar.gz', 'a-1.1.tar.gz')
    put('d', 9, 'd-1.0.tar.gz')
    pages.delete('b')
    list.delete('b')
    expect((await requestsOf(sync())).toSorted()).toEqual(['', 'a/', 'b/', 'b/', 'd/'])
    expect(await filenamesOf('a')).toEqual(['a-1.0.tar.gz', 'a-1.1.tar.gz'])
    expect(await filenamesOf('d')).toEqual(['d-1.0.tar.gz'])
    expect((await mirror.findRecord('b'))?.files[0]).toHaveProperty('removed')
  })

  test('asks for a page that failed again, though the list has not changed since', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    put('b', 5, 'b-1.0.tar.gz')
    const page = pages.get('b')
    pages.delete('b')
    expect(await sync()).toMatchObject({ failed: 1, changed: 1 })
    pages.set('b', page!)
    expect(await requestsOf(sync())).toEqual(['', 'b/'])
    expect(await filenamesOf('b')).toEqual(['b-1.0.tar.gz'])
  })

  test('looks at everything without serials, conditionally', async () => {
    for (const name of ['a', 'b']) {
      pages.set(name, { files: [`${name}-1.0.tar.gz`] })
      list.set(name, undefined)
    }
    await sync()
    mirror.now += hourMs
    expect((await requestsOf(sync())).toSorted()).toEqual(['', 'a/', 'b/'])
    expect(server.requests.slice(-3).every(({ headers }) => headers['if-none-match'])).toBe(true)
    pages.set('a', { files: ['a-1.0.tar.gz', 'a-1.1.tar.gz'] })
    expect(await sync()).toMatchObject({ lookedAt: 2, changed: 1 })
  })

  test('takes serials of the list alone, where pages have none', async () => {
    pages.set('a', { files: ['a-1.0.tar.gz'] })
    list.set('a', 5)
    await sync()
    expect(await requestsOf(sync())).toEqual([''])
    pages.set('a', { files: ['a-1.0.tar.gz', 'a-1.1.tar.gz'] })
    list.set('a', 6)
    expect(await sync()).toMatchObject({ lookedAt: 1, changed: 1 })
  })

  test('looks at everything again with --full', async () => {
    for (const name of ['a', 'b']) put(name, 5, `${name}-1.0.tar.gz`)
    await sync()
    // An index that changes a page and does not say so.
    pages.get('a')!.files.push('a-1.1.tar.gz')
    expect(await sync()).toMatchObject({ lookedAt: 0 })
    mirror.now += hourMs
    expect(await sync({ full: true })).toMatchObject({ lookedAt: 2, changed: 1 })
  })

  test('looks at what it has not looked at for a week, whatever the serials say', async () => {
    for (const name of ['a', 'b']) put(name, 5, `${name}-1.0.tar.gz`)
    await sync()
    mirror.now += 6 * dayMs
    expect(await sync()).toMatchObject({ lookedAt: 0 })
    mirror.now += 2 * dayMs
    expect(await sync()).toMatchObject({ lookedAt: 2, changed: 0 })
    expect(await sync()).toMatchObject({ lookedAt: 0 })
  })
})

describe('a page that is older than the list', () => {
  test('is asked for once more at the end, past the caches, and then taken', async () => {
    for (const name of ['a', 'b', 'c']) put(name, 5, `${name}-1.0.tar.gz`)
    await sync()
    put('a', 8, 'a-1.0.tar.gz', 'a-1.1.tar.gz')
    put('b', 8, 'b-1.0.tar.gz', 'b-1.1.tar.gz')
    const stale = { serial: 5, files: ['a-1.0.tar.gz'] }
    const fresh = pages.get('a')
    pages.set('a', stale)
    const type = 'application/vnd.pypi.simple.v1+json'
    server.on('/simple/a/', (request, response) => {
      if (request.headers['cache-control'] === 'no-cache') pages.set('a', fresh!)
      response.writeHead(200, { 'content-type': type }).end(renderPage('a'))
    })
    const requests = await requestsOf(sync())
    expect(requests.toSorted()).toEqual(['', 'a/', 'a/', 'b/'])
    expect(requests.at(-1)).toBe('a/')
    expect(await filenamesOf('a')).toEqual(['a-1.0.tar.gz', 'a-1.1.tar.gz'])
  })

  test('that stays so is reported, not signed, and asked for again next time', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    await sync()
    list.set('a', 8)
    expect(await sync()).toMatchObject({ failed: 1, changed: 0, exitCode: 1 })
    expect(mirror.takeEvents('failed')).toEqual([
      {
        kind: 'failed',
        project: 'a',
        code: 'METADATA_UNAVAILABLE',
        message: 'the page of a is older than the list of the index says',
      },
    ])
    pages.set('a', { serial: 8, files: ['a-1.0.tar.gz', 'a-1.1.tar.gz'] })
    expect(await sync()).toMatchObject({ failed: 0, changed: 1 })
  })

  test('is nothing to sign for a project that was not there before', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    list.set('a', 8)
    expect(await sync()).toMatchObject({ failed: 1, changed: 0 })
    expect(await mirror.findRecord('a')).toBeUndefined()
  })

  test('does not make a project vanish: a 404 of a cache is asked about once more', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    await sync()
    put('a', 8, 'a-1.0.tar.gz', 'a-1.1.tar.gz')
    const type = 'application/vnd.pypi.simple.v1+json'
    server.on('/simple/a/', (request, response) => {
      if (request.headers['cache-control'] !== 'no-cache') response.writeHead(404).end()
      else response.writeHead(200, { 'content-type': type }).end(renderPage('a'))
    })
    expect(await sync()).toMatchObject({ changed: 1 })
    expect(await mirror.findRecord('a')).toMatchObject({ files: [{}, {}] })
    expect((await mirror.findRecord('a'))?.files.some(({ removed }) => removed)).toBe(false)
  })
})

describe('a list that goes back', () => {
  test('does not count as a look at the index, and is said to be old', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    put('b', 7, 'b-1.0.tar.gz')
    listSerial = 7
    await sync()
    mirror.now += hourMs
    list.set('b', 3)
    listSerial = 6
    expect(await sync()).toMatchObject({ lookedAt: 0, isIndexSeen: false })
    expect(mirror.takeEvents('warning')).toMatchObject([
      {
        message:
          'The list of the index has serial 6, and serial 7 was seen before: it is an old copy',
      },
    ])
    const timestamp = await mirror.readMetadata('timestamp')
    expect(timestamp['x-tufgate']?.['index-seen']).toBe('2026-03-01T12:00:00Z')
  })

  test('for single projects is reported, and what is signed of them stays', async () => {
    put('a', 5, 'a-1.0.tar.gz')
    put('b', 7, 'b-1.0.tar.gz')
    await sync()
    put('b', 3)
    put('a', 8, 'a-1.0.tar.gz', 'a-1.1.tar.gz')
    expect(await sync()).toMatchObject({ lookedAt: 1, changed: 1 })
    expect(await filenamesOf('b')).toEqual(['b-1.0.tar.gz'])
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: 'The list of the index has older serials than before for 1 project' },
    ])
  })
})

test('one project that always fails does not stop the others', async () => {
  for (const name of ['a', 'b', 'c']) put(name, 5, `${name}-1.0.tar.gz`)
  server.on('/simple/b/', (_request, response) => void response.writeHead(403).end())
  expect(await sync()).toMatchObject({ lookedAt: 3, changed: 2, failed: 1, isIndexSeen: true })
  expect(mirror.takeEvents('failed')).toMatchObject([{ project: 'b', code: 'BAD_STATUS' }])
})
