import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rejectHeld } from '../../src/mirror/approve.ts'
import { buildListing } from '../../src/mirror/metadata-documents.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { openFileSigner } from '../../src/signing/signer.ts'
import { findRecord, trustFolder } from './own-client.ts'
import { dayMs, digestOf, hourMs, MirrorFixture, signEverything } from './mirror-fixture.ts'

let mirror: MirrorFixture
const servers: Server[] = []
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  await mirror.remove()
})

/** A JSON index whose pages the test changes; files are served from `files`. */
async function serveIndex(pages: Map<string, object>, files = new Map<string, string>()) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const page = pages.get(request.url ?? '')
    const file = files.get(request.url ?? '')
    if (page !== undefined) {
      const body = JSON.stringify({ meta: { 'api-version': '1.4' }, versions: [], ...page })
      const etag = `"${digestOf(body).slice(0, 16)}"`
      if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end()
      return response
        .writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json', etag })
        .end(body)
    }
    if (file !== undefined) return response.writeHead(200).end(file)
    return response.writeHead(404).end()
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, requests, index: `${origin}/simple/` }
}

describe('A18: links without a sha256', () => {
  test('are downloaded once, hashed and signed', async () => {
    const pages = new Map<string, object>()
    const files = new Map([['/files/foo-1.0.tar.gz', 'genuine']])
    const { origin, requests, index } = await serveIndex(pages, files)
    const link = { filename: 'foo-1.0.tar.gz', url: `${origin}/files/foo-1.0.tar.gz`, hashes: {} }
    pages.set('/simple/foo/', { name: 'foo', files: [link] })
    await mirror.init()
    await mirror.sync({ index, projects: ['foo'] })
    expect((await mirror.findRecord('foo'))?.files).toMatchObject([
      { sha256: digestOf('genuine'), size: 7 },
    ])
    pages.set('/simple/foo/', { name: 'foo', files: [link], more: 1 })
    files.set('/files/foo-1.0.tar.gz', 'evil')
    await mirror.sync()
    expect((await mirror.findRecord('foo'))?.files).toMatchObject([{ sha256: digestOf('genuine') }])
    expect(requests.filter((url) => url.startsWith('/files/'))).toHaveLength(1)
  })

  test('to an internal host are neither fetched nor signed', async () => {
    const internal = await serveIndex(new Map(), new Map([['/files/foo-1.0.tar.gz', 'secret']]))
    const pages = new Map<string, object>()
    const { index } = await serveIndex(pages)
    const url = `${internal.origin}/files/foo-1.0.tar.gz`
    pages.set('/simple/foo/', {
      name: 'foo',
      files: [{ filename: 'foo-1.0.tar.gz', url, hashes: {} }],
    })
    await mirror.init()
    await mirror.sync({ index, projects: ['foo'] })
    expect((await mirror.findRecord('foo'))?.files).toEqual([])
    expect(internal.requests).toEqual([])
    expect(mirror.takeEvents('left-out')).toMatchObject([
      { file: 'foo-1.0.tar.gz', message: `${new URL(url).host} is not in file-hosts` },
    ])
  })

  test('that cannot be fetched are left out and tried again', async () => {
    const pages = new Map<string, object>()
    const files = new Map<string, string>()
    const { origin, index } = await serveIndex(pages, files)
    const url = `${origin}/files/foo-1.0.tar.gz`
    pages.set('/simple/foo/', {
      name: 'foo',
      files: [{ filename: 'foo-1.0.tar.gz', url, hashes: {} }],
    })
    await mirror.init()
    await mirror.sync({ index, projects: ['foo'] })
    expect((await mirror.findRecord('foo'))?.files).toEqual([])
    files.set('/files/foo-1.0.tar.gz', 'genuine')
    await mirror.sync()
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(1)
  })
})

describe('A20: an index that is frozen or gone', () => {
  test('is not hidden behind a fresh timestamp: renew refuses after max-unseen', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    mirror.now += 23 * hourMs
    expect(await mirror.renew()).toMatchObject({ published: { bins: 0 } })
    const timestamp = await mirror.readMetadata('timestamp')
    expect(timestamp['x-tufgate']).toMatchObject({
      signed: '2026-03-02T11:00:00Z',
      'index-seen': '2026-03-01T12:00:00Z',
    })
    mirror.now += 2 * hourMs
    await expect(mirror.renew()).rejects.toMatchObject({
      code: 'HELD',
      message: 'The index was last seen 1 d ago; nothing is signed again',
      facts: { next: 'Run: tufgate mirror sync, and look into why it has not succeeded.' },
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(timestamp)
  })

  test('that answers nothing leaves the signed time of the last look as it was', async () => {
    const pages = new Map<string, object>([['/simple/foo/', { name: 'foo', files: [] }]])
    const { index } = await serveIndex(pages)
    await mirror.init()
    await mirror.sync({ index, projects: ['foo'] })
    const before = await mirror.readMetadata('timestamp')
    mirror.now += hourMs
    pages.set('/simple/foo/', { name: 'other', files: [] })
    expect(await mirror.sync()).toMatchObject({
      failed: 1,
      isIndexSeen: false,
      published: undefined,
      exitCode: 1,
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
  })

  test('costs one conditional request per project while nothing changes', async () => {
    const pages = new Map<string, object>()
    for (const name of ['a', 'b', 'c']) pages.set(`/simple/${name}/`, { name, files: [] })
    const { index, requests } = await serveIndex(pages)
    await mirror.init()
    await mirror.sync({ index, projects: ['a', 'b', 'c'] })
    requests.length = 0
    expect(await mirror.sync()).toMatchObject({ lookedAt: 3, changed: 0, isIndexSeen: true })
    expect(requests.toSorted()).toEqual(['/simple/a/', '/simple/b/', '/simple/c/'])
  })
})

describe('A21: an index that drops what was signed', () => {
  test('a single release becomes a tombstone, the project goes on', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ changed: 1, held: 0, exitCode: 0 })
    expect((await mirror.findRecord('foo'))?.files).toMatchObject([
      { filename: 'foo-1.0.tar.gz' },
      {
        filename: 'foo-1.1.tar.gz',
        removed: '2026-03-01T13:00:00Z',
        yanked: 'removed from the index',
      },
    ])
    expect(await mirror.status()).toMatchObject({ files: { listed: 1, removed: 1 } })
  })

  test('a whole project stays as a record of tombstones, not as an unknown name', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo', 'bar'] })
    await mirror.dropPage('foo')
    expect(await mirror.sync()).toMatchObject({ changed: 1, exitCode: 0, isIndexSeen: true })
    expect((await mirror.findRecord('foo'))?.files).toMatchObject([
      { removed: '2026-03-01T12:00:00Z' },
    ])
    expect(await mirror.sync()).toMatchObject({ changed: 0, exitCode: 0 })
  })

  test('most of a large project is held until a person accepts it', async () => {
    await mirror.init()
    const names = Array.from({ length: 30 }, (_, at) => `foo-1.${at}.tar.gz`)
    await mirror.putPage('foo', names)
    await mirror.sync({ projects: ['foo'] })
    await mirror.putPage('foo', names.slice(0, 2))
    for (let times = 0; times < 2; times += 1) {
      expect(await mirror.sync()).toMatchObject({ changed: 0, held: 1, exitCode: 1 })
      expect((await mirror.findRecord('foo'))?.files.some((file) => file.removed)).toBe(false)
    }
    expect(await mirror.status()).toMatchObject({
      held: [
        {
          name: 'foo',
          reason: expect.stringContaining(
            'the index does not list 28 of 30 files any more',
          ) as string,
        },
      ],
    })
    expect(await mirror.approve({ projects: ['foo'] })).toMatchObject({ approved: ['foo'] })
    expect(await mirror.status()).toMatchObject({ held: [], files: { listed: 2, removed: 28 } })
    expect(await mirror.sync()).toMatchObject({ changed: 0, held: 0, exitCode: 0 })
  })

  test('many projects at once are held, and the look does not count until they are approved', async () => {
    await mirror.init()
    const names = Array.from({ length: 12 }, (_, at) => `p${at}`)
    for (const name of names) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    await mirror.sync({ projects: names })
    for (const name of names.slice(0, 10)) await mirror.putPage(name, [])
    for (let times = 0; times < 2; times += 1) {
      mirror.now += hourMs
      expect(await mirror.sync()).toMatchObject({
        changed: 0,
        held: 10,
        isIndexSeen: false,
        exitCode: 1,
      })
    }
    expect((await mirror.findRecord('p0'))?.files[0]).not.toHaveProperty('removed')
    expect(await mirror.approve({ kinds: ['many-removed'] })).toMatchObject({
      approved: names.slice(0, 10).toSorted(),
      skipped: [],
    })
    expect((await mirror.findRecord('p0'))?.files[0]).toHaveProperty('removed')
    expect(await mirror.sync()).toMatchObject({ changed: 0, isIndexSeen: true, exitCode: 0 })
  })

  test('many projects at once are signed where the settings say so', async () => {
    await mirror.init()
    const names = Array.from({ length: 10 }, (_, at) => `p${at}`)
    for (const name of names) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    await mirror.sync({ projects: names })
    for (const name of names) await mirror.putPage(name, [])
    mirror.events.length = 0
    expect(await mirror.sync({ changePolicy: signEverything })).toMatchObject({
      changed: 10,
      held: 0,
      isIndexSeen: true,
      exitCode: 0,
    })
    expect(mirror.takeEvents('held')).toEqual([])
  })

  test('many projects at once can be refused: what was signed stays, and the look counts', async () => {
    await mirror.init()
    const names = Array.from({ length: 10 }, (_, at) => `p${at}`)
    for (const name of names) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    await mirror.sync({ projects: names })
    for (const name of names) await mirror.putPage(name, [])
    expect(await mirror.sync()).toMatchObject({ held: 10, isIndexSeen: false })
    await rejectHeld({ ...mirror.context, all: true })
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ held: 0, isIndexSeen: true, exitCode: 0 })
    expect((await mirror.findRecord('p0'))?.files[0]).not.toHaveProperty('removed')
  })
})

test('A22: no two contents are ever signed under one version of a role', async () => {
  await mirror.init()
  const seen = new Map<string, string>()
  for (let round = 0; round < 6; round += 1) {
    await mirror.putPage(
      'foo',
      Array.from({ length: round + 1 }, (_, at) => `foo-1.${at}.tar.gz`),
    )
    mirror.now += dayMs
    await mirror.sync({ projects: ['foo'] })
    const timestamp = await mirror.readMetadata('timestamp')
    const snapshot = await mirror.readMetadata(
      `${timestamp.meta['snapshot.json']!.version}.snapshot`,
    )
    for (const [name, { version }] of Object.entries(snapshot.meta)) {
      const content = JSON.stringify(
        await mirror.readMetadata(`${version}.${name.replace('.json', '')}`),
      )
      const key = `${version}.${name}`
      expect(seen.get(key) ?? content).toBe(content)
      seen.set(key, content)
    }
  }
})

test('A22: a bin signed with the stolen key under the same version is refused, where snapshot has hashes', async () => {
  await mirror.init({ bins: 2 })
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.sync({ projects: ['foo'] })
  const trusted = await trustFolder(mirror.public, mirror.now)
  expect(await findRecord(mirror.public, 'foo', trusted, mirror.now)).toBeDefined()
  const thief = await openFileSigner(join(mirror.directory, 'keys/bins-nn.pem'))
  for (const bin of ['0', '1']) {
    for (const version of [1, 2]) {
      const evil = buildListing({ version, expires: mirror.now + dayMs }, [])
      const path = join(mirror.public, `metadata/${version}.bins-${bin}.json`)
      await writeFile(path, await signEnvelope(evil, [thief]))
    }
  }
  await expect(findRecord(mirror.public, 'foo', trusted, mirror.now)).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:LENGTH|DIGEST)_MISMATCH$/) as string,
  })
})

test('A23: one changed old file is kept as it was signed and does not freeze the later releases', async () => {
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.sync({ projects: ['foo'] })
  await mirror.putPage('foo', [{ filename: 'foo-1.0.tar.gz', content: 'evil' }, 'foo-1.1.tar.gz'])
  expect(await mirror.sync()).toMatchObject({ changed: 1, failed: 0, exitCode: 0 })
  expect((await mirror.findRecord('foo'))?.files).toMatchObject([
    { filename: 'foo-1.0.tar.gz', sha256: digestOf('foo-1.0.tar.gz'), conflict: digestOf('evil') },
    { filename: 'foo-1.1.tar.gz' },
  ])
  expect(await mirror.status()).toMatchObject({
    conflicted: [{ name: 'foo', files: ['foo-1.0.tar.gz'] }],
  })
  expect(mirror.takeEvents('conflict')).toMatchObject([
    { file: 'foo-1.0.tar.gz', expected: digestOf('foo-1.0.tar.gz'), found: digestOf('evil') },
  ])
})
