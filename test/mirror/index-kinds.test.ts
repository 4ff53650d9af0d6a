import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { digestOf, MirrorFixture } from './mirror-fixture.ts'
import { findRecord, trustFolder } from './own-client.ts'

let mirror: MirrorFixture
let folder: string
let served: ServedIndex | undefined
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  folder = await mkdtemp(join(tmpdir(), 'tufgate-index-'))
})
afterEach(async () => {
  await served?.close()
  served = undefined
  await mirror.remove()
  await rm(folder, { recursive: true, force: true })
})

const wheel = buildWheel({ name: 'foo', version: '1.0' })

async function recordOf(project: string) {
  return findRecord(
    mirror.public,
    project,
    await trustFolder(mirror.public, mirror.now),
    mirror.now,
  )
}

describe('the mirror signs', () => {
  test('an ordinary index over HTTP, in HTML', async () => {
    await writeIndex(folder, [{ name: 'foo', wheels: [wheel] }])
    served = await serveFolder(folder)
    await mirror.init()
    expect(await mirror.sync({ index: served.url, projects: ['foo'] })).toMatchObject({
      exitCode: 0,
    })
    expect((await recordOf('foo'))?.files).toMatchObject([
      {
        filename: wheel.filename,
        sha256: wheel.sha256,
        url: `${served.origin}/files/${wheel.filename}`,
        coreMetadata: new Map([['sha256', digestOf(wheel.metadata.toString())]]),
      },
    ])
    expect((await recordOf('foo'))?.versions).toEqual(['1.0'])
  })

  test('the same index as a folder, with the sizes of its files', async () => {
    await writeIndex(folder, [{ name: 'foo', wheels: [wheel] }])
    await mirror.init()
    const baseUrl = 'https://packages.test/pypi'
    expect(await mirror.sync({ index: folder, baseUrl, projects: ['foo'] })).toMatchObject({
      exitCode: 0,
    })
    expect((await recordOf('foo'))?.files).toMatchObject([
      { url: `${baseUrl}/files/${wheel.filename}`, size: wheel.bytes.length, sha256: wheel.sha256 },
    ])
  })

  test('a folder of bandersnatch, whose JSON pages have names of their own', async () => {
    const path = `packages/aa/bb/${wheel.filename}`
    const page = {
      meta: { 'api-version': '1.1', '_last-serial': 5 },
      name: 'foo',
      versions: ['1.0'],
      files: [
        {
          filename: wheel.filename,
          url: `../../${path}`,
          hashes: { sha256: wheel.sha256 },
          size: 5,
          'upload-time': '2026-01-01T00:00:00.000000Z',
          'requires-python': '>=3.9',
          yanked: false,
        },
      ],
    }
    await mkdir(join(folder, 'web/simple/foo'), { recursive: true })
    await writeFile(join(folder, 'web/simple/foo/index.v1_json'), JSON.stringify(page))
    await writeFile(join(folder, 'web/simple/foo/index.html'), '<html>not this one</html>')
    await mirror.init()
    const baseUrl = 'https://bandersnatch.test/'
    await mirror.sync({ index: folder, baseUrl, all: true })
    expect((await recordOf('foo'))?.files).toMatchObject([
      {
        url: `${baseUrl}${path}`,
        size: 5,
        requiresPython: '>=3.9',
        uploadTime: '2026-01-01T00:00:00.000000Z',
      },
    ])
  })

  test('links of a folder that have no sha256, from the files themselves', async () => {
    await writeIndex(folder, [{ name: 'foo', wheels: [wheel] }])
    const link = `<a href="../../files/${wheel.filename}">${wheel.filename}</a>`
    await writeFile(join(folder, 'simple/foo/index.html'), `<html><body>${link}</body></html>`)
    await mirror.init()
    await mirror.sync({ index: folder, baseUrl: 'https://packages.test/', projects: ['foo'] })
    expect((await recordOf('foo'))?.files).toMatchObject([{ sha256: wheel.sha256 }])
  })

  test('its own published tree, which is an ordinary index', async () => {
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.init()
    await mirror.sync({ projects: ['foo'] })
    await cp(join(mirror.public, 'targets'), folder, { recursive: true })
    const second = await MirrorFixture.create()
    try {
      await second.init()
      const fileHosts = ['files.test']
      await second.sync({ index: folder, baseUrl: 'https://second.test/', fileHosts, all: true })
      const record = await second.findRecord('foo')
      expect(record?.files).toMatchObject([{ url: 'https://files.test/files/foo-1.0.tar.gz' }])
    } finally {
      await second.remove()
    }
  })

  test('nothing of a host that is not in file-hosts, until it is', async () => {
    await mirror.init()
    await mirror.putPage('foo', [
      { filename: 'foo-1.0.tar.gz', url: 'https://cdn.test/foo-1.0.tar.gz' },
    ])
    await mirror.sync({ projects: ['foo'] })
    expect((await recordOf('foo'))?.files).toEqual([])
    await mirror.sync({ fileHosts: ['CDN.test'] })
    expect((await recordOf('foo'))?.files).toHaveLength(1)
    const text = await readFile(join(mirror.public, 'targets/simple/foo/index.json'), 'utf8')
    expect(text).toContain('https://cdn.test/foo-1.0.tar.gz')
  })
})
