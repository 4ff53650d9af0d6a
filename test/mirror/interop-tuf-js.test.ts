import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Updater } from 'tuf-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InitOptions } from '../../src/mirror/init.ts'
import { parseRecord } from '../../src/simple/record.ts'
import { TufJsClient } from '../ceremony/tuf-js-client.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'
import { serveStatic, type StaticServer } from './static-server.ts'

let mirror: MirrorFixture
let server: StaticServer
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  // tuf-js reads the clock of the machine.
  mirror.now = Date.now()
  server = await serveStatic(mirror.public)
})
afterEach(async () => {
  server.close()
  await mirror.remove()
})

/** tuf-js asks for target files under its own base and adds the digest itself. */
async function newClient(): Promise<Updater> {
  const state = join(mirror.root, 'client')
  await mkdir(join(state, 'targets'), { recursive: true })
  await copyFile(join(mirror.public, 'metadata/1.root.json'), join(state, 'root.json'))
  return new Updater({
    metadataDir: state,
    metadataBaseUrl: `${server.origin}/metadata`,
    targetDir: join(state, 'targets'),
    targetBaseUrl: `${server.origin}/targets`,
    forceCache: false,
  })
}

async function fetchRecord(project: string) {
  const client = await newClient()
  await client.refresh()
  const info = await client.getTargetInfo(`simple/${project}/index.json`)
  if (info === undefined) return undefined
  const path = await client.downloadTarget(info, join(mirror.root, `${project}.json`))
  return parseRecord(await readFile(path), project)
}

const shapes: [string, Partial<InitOptions>][] = [
  ['Ed25519 keys', {}],
  ['P-256 keys', { keyKind: 'ecdsa-p256' }],
  ['P-384 keys', { keyKind: 'ecdsa-p384' }],
  ['RSA-PSS keys', { keyKind: 'rsa-pss' }],
  ['2 of 3 root keys', { rootKeys: 3, rootThreshold: 2 }],
  ['1024 bins, whose snapshot has versions only', { bins: 1024 }],
  ['2 bins', { bins: 2 }],
  ['a signed project list', { hasProjectList: true }],
  ['files and HTML as targets', { shape: { signsFiles: true, signsHtml: true } }],
  ['no hashes in the snapshot of few bins', { shape: { snapshotHashes: 'off' } }],
]

describe('tuf-js reads a mirror', () => {
  test.each(shapes)('with %s', async (_what, options) => {
    await mirror.init(options)
    const names = ['foo', 'bar', 'baz-2', 'zope-interface']
    for (const name of names) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    await mirror.sync({ projects: names })
    for (const name of names) {
      expect((await fetchRecord(name))?.files).toMatchObject([{ filename: `${name}-1.0.tar.gz` }])
    }
    expect(await fetchRecord('absent')).toBeUndefined()
  })

  test('before anything was synchronised', async () => {
    await mirror.init()
    expect(await fetchRecord('foo')).toBeUndefined()
  })

  test('again after changes and a renewal, from where it was', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    expect((await fetchRecord('foo'))?.files).toHaveLength(1)
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await mirror.sync()
    expect((await fetchRecord('foo'))?.files).toHaveLength(2)
    mirror.now += 13 * hourMs
    expect(await mirror.renew()).toMatchObject({ published: { bins: 0 } })
    expect((await fetchRecord('foo'))?.files).toHaveLength(2)
  })

  test('and finds each file, and the page in HTML, as a target of its own', async () => {
    await mirror.init({ bins: 16, shape: { signsFiles: true, signsHtml: true } })
    const files = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']
    const sized = files.map((filename) => ({ filename, extra: { size: filename.length } }))
    await mirror.putPage('foo', sized)
    await mirror.sync({ projects: ['foo'] })
    const client = await newClient()
    for (const filename of files) {
      expect(await client.getTargetInfo(`files/foo/${filename}`)).toMatchObject({
        length: filename.length,
        hashes: { sha256: digestOf(filename) },
      })
    }
    expect(await client.getTargetInfo('files/foo/foo-1.2.tar.gz')).toBeUndefined()
    const page = await client.getTargetInfo('simple/foo/index.html')
    const path = await client.downloadTarget(page!, join(mirror.root, 'foo.html'))
    expect(await readFile(path, 'utf8')).toContain('foo-1.1.tar.gz')
  })

  test('and finds the signed project list as a target', async () => {
    await mirror.init({ hasProjectList: true })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const client = await newClient()
    const info = await client.getTargetInfo('simple/index.json')
    const path = await client.downloadTarget(info!, join(mirror.root, 'list.json'))
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ projects: [{ name: 'foo' }] })
  })
})

describe('tuf-js reads projects that sign for themselves', () => {
  test.each(['recent', 'promoted'])('whose claim is %s', async (state) => {
    const claimed = await ClaimedMirror.create(Date.now())
    const published = await serveStatic(claimed.mirror.public)
    try {
      const client = new TufJsClient(join(claimed.mirror.root, 'tuf-js'))
      const visit = (project: string) =>
        client.visit(claimed.mirror.public, published.origin, project)
      expect(await visit('foo')).toEqual(['foo-1.0.tar.gz'])
      await claimed.claimWhole()
      if (state === 'promoted') await claimed.promote()
      expect(await visit('foo')).toEqual(['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
      expect(await visit('bar')).toEqual(['bar-1.0.tar.gz'])
    } finally {
      published.close()
      await claimed.remove()
    }
  })
})
