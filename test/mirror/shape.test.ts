import { copyFile, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { changeShape, describeShape, type Shape } from '../../src/mirror/shape.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serve, startHostileServer, status, type Behaviour } from '../support/hostile-server.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { listExtraTargets, moveExtraTargets } from '../../src/mirror/extra-targets.ts'
import { VerifiedFiles } from '../../src/mirror/verified-files.ts'
import { findBin } from '../../src/tuf/delegation.ts'
import { findTarget } from '../../src/tuf/search.ts'
import { acceptDelegated } from '../../src/tuf/trusted-set.ts'
import type { TargetFile } from '../../src/tuf/metadata.ts'
import { dayMs, digestOf, MirrorFixture, type PageFile } from './mirror-fixture.ts'
import { trustFolder } from './own-client.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

/** As our client searches it: through all delegations, each role verified. */
async function find(path: string): Promise<TargetFile | undefined> {
  const trusted = await trustFolder(mirror.public, mirror.now)
  const { target } = await findTarget(
    trusted,
    path,
    async (delegator, role) => {
      const { version } = trusted.snapshot!.meta.get(`${role}.json`)!
      const bytes = await readFile(join(mirror.public, 'metadata', `${version}.${role}.json`))
      return acceptDelegated(trusted, delegator, role, bytes)
    },
    { now: mirror.now },
  )
  return target
}

const sized = (filename: string, size: number): PageFile => ({ filename, extra: { size } })
const path = 'files/foo/foo-1.0.tar.gz'

function serveWithoutHead(bytes: Uint8Array): Behaviour {
  return (request, response, earlier) =>
    (request.method === 'HEAD' ? status(405) : serve(bytes))(request, response, earlier)
}

async function lengthOf(target: string): Promise<number | undefined> {
  return (await find(target))?.length
}

/** Where every target stands with so many bins. */
function move(bitLength: number): Promise<Map<string, number>> {
  return readMirror(mirror.directory, ({ ledger: { database } }) => {
    moveExtraTargets(database, bitLength)
    const bins = new Map<string, number>()
    for (let bin = 0; bin < 2 ** bitLength; bin += 1)
      for (const [target] of listExtraTargets(database, bin)) bins.set(target, bin)
    return bins
  })
}

function change(shape: Partial<Shape>): ReturnType<typeof changeShape> {
  return changeShape(mirror.context, shape)
}

describe('with --sign-files', () => {
  beforeEach(() => mirror.init({ bins: 8, shape: { signsFiles: true } }))

  test('every file is a target, in the bin of its own path', async () => {
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.1.tar.gz', 7)])
    await mirror.sync({ projects: ['foo'] })
    expect(await find(path)).toMatchObject({
      length: 5,
      hashes: new Map([['sha256', digestOf('foo-1.0.tar.gz')]]),
    })
    expect(await find('files/foo/foo-1.1.tar.gz')).toMatchObject({ length: 7 })
    expect(await find('files/foo/foo-1.2.tar.gz')).toBeUndefined()
    expect(await mirror.findRecord('foo')).toMatchObject({ files: [{}, {}] })
  })

  test('a file that is removed, or whose content changed, is no target any more', async () => {
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.1.tar.gz', 7)])
    await mirror.sync({ projects: ['foo'] })
    await mirror.putPage('foo', [{ ...sized('foo-1.0.tar.gz', 5), content: 'evil' }])
    await mirror.sync()
    expect(await find(path)).toBeUndefined()
    expect(await find('files/foo/foo-1.1.tar.gz')).toBeUndefined()
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5)])
    await mirror.sync()
    expect(await find(path)).toMatchObject({ length: 5 })
  })

  test('one more file signs no more bins than those of the record and of the file', async () => {
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5)])
    await mirror.sync({ projects: ['foo'] })
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.1.tar.gz', 7)])
    const { published } = await mirror.sync()
    expect(published?.bins).toBeGreaterThanOrEqual(1)
    expect(published?.bins).toBeLessThanOrEqual(2)
  })

  test('the length of a file of which nobody tells it is measured, on the right file alone', async () => {
    const wheel = buildWheel({ name: 'foo', version: '1.0' })
    const server = await startHostileServer()
    const other = { ...wheel, filename: 'foo-1.1-py3-none-any.whl' }
    const links = [wheel, other].map(
      ({ filename, sha256 }) => `<a href="/files/${filename}#sha256=${sha256}">${filename}</a>`,
    )
    const page = Buffer.from(`<html><body>${links.join('\n')}</body></html>`)
    server.on('/simple/foo/', serve(page, { 'content-type': 'text/html' }))
    server.on(`/files/${wheel.filename}`, serveWithoutHead(wheel.bytes))
    server.on(`/files/${other.filename}`, serveWithoutHead(Buffer.from('another file')))
    const index = server.url('/simple/')
    await mirror.sync({ index, projects: ['foo'], acceptClock: true, hasSizes: false })
    await server.close()
    expect(await find(`files/foo/${wheel.filename}`)).toMatchObject({ length: wheel.bytes.length })
    expect(await find(`files/foo/${other.filename}`)).toBeUndefined()
    expect(await describeShape(mirror.context)).toMatchObject({ filesWithoutTarget: 1 })
  })
})

describe('a mirror that signs records alone', () => {
  beforeEach(async () => {
    await mirror.init({ bins: 8 })
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5)])
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo', 'bar'], hasSizes: false })
    mirror.events.length = 0
  })

  test('signs files too once it is told so, and stops when it is told so', async () => {
    expect(await find(path)).toBeUndefined()
    expect(await change({ signsFiles: true })).toMatchObject({
      shape: { signsFiles: true, signsHtml: false, snapshotHashes: 'auto' },
      filesWithoutTarget: 1,
    })
    expect(await find(path)).toMatchObject({ length: 5 })
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: '1 files are no targets yet: nobody knows how long they are' },
    ])
    expect(await change({ signsFiles: false })).toMatchObject({ filesWithoutTarget: 0 })
    expect(await find(path)).toBeUndefined()
  })

  test('signs the HTML page of each project once it is told so', async () => {
    await change({ signsHtml: true })
    const target = await find('simple/foo/index.html')
    const digest = target!.hashes.get('sha256')!
    const folder = join(mirror.public, 'targets/simple/foo')
    const bytes = await readFile(join(folder, `${digest}.index.html`))
    expect(sha256Hex(bytes)).toBe(digest)
    expect(bytes).toHaveLength(target!.length)
    expect(await readFile(join(folder, 'index.html'))).toEqual(bytes)
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.1.tar.gz', 5)])
    await mirror.sync()
    const next = (await find('simple/foo/index.html'))!.hashes.get('sha256')
    expect(next).not.toBe(digest)
    expect(await readdir(folder)).toContain(`${digest}.index.html`)
    mirror.now += 4 * dayMs
    await mirror.sync()
    mirror.now += 4 * dayMs
    await mirror.sync()
    const names = await readdir(folder)
    expect(names).not.toContain(`${digest}.index.html`)
    expect(names).toContain(`${next}.index.html`)
    await change({ signsHtml: false })
    expect(await find('simple/foo/index.html')).toBeUndefined()
  })

  test('says hashes of bins in its snapshot, or not, as it is told', async () => {
    const readEntry = async (): Promise<object> => {
      const timestamp = await mirror.readMetadata('timestamp')
      const { version } = timestamp.meta['snapshot.json']!
      const { meta } = await mirror.readMetadata(`${version}.snapshot`)
      return Object.entries(meta).find(([name]) => name.startsWith('bins-'))![1]
    }
    expect(await readEntry()).toHaveProperty('hashes')
    await change({ snapshotHashes: 'off' })
    expect(await readEntry()).not.toHaveProperty('hashes')
    expect(await readEntry()).toHaveProperty('version')
    await change({ snapshotHashes: 'on' })
    expect(await readEntry()).toHaveProperty('hashes')
    expect(await mirror.findRecord('foo')).toBeDefined()
  })

  test('does again what is asked for again, and writes nothing for it', async () => {
    await change({ signsFiles: true })
    const bins = await readMirror(mirror.directory, ({ roles }) => roles.countDirty())
    expect(bins).toBe(0)
    expect(await change({ signsFiles: true })).toMatchObject({ published: { bins: 0 } })
  })
})

describe('a mirror that signs files and HTML', () => {
  beforeEach(async () => {
    await mirror.init({ bins: 8, shape: { signsFiles: true, signsHtml: true } })
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.1.tar.gz', 7)])
    await mirror.sync({ projects: ['foo'] })
  })

  test('whose database is put back from a backup takes them over with the records', async () => {
    const database = join(mirror.directory, 'mirror.db')
    const backup = join(mirror.root, 'backup.db')
    await copyFile(database, backup)
    mirror.now += 3_600_000
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.2.tar.gz', 9)])
    await mirror.putPage('bar', [sized('bar-1.0.tar.gz', 4)])
    await mirror.sync({ projects: ['foo', 'bar'] })
    for (const suffix of ['-wal', '-shm']) await rm(database + suffix, { force: true })
    await copyFile(backup, database)
    mirror.now += 3_600_000
    await mirror.putPage('baz', [sized('baz-1.0.tar.gz', 4)])
    await mirror.sync({ projects: ['baz'] })
    // Every bin is signed again, from what the database says.
    mirror.now += 6 * dayMs
    await mirror.sync()
    expect(await lengthOf(path)).toBe(5)
    expect(await lengthOf('files/foo/foo-1.1.tar.gz')).toBeUndefined()
    expect(await lengthOf('files/foo/foo-1.2.tar.gz')).toBe(9)
    expect(await lengthOf('files/bar/bar-1.0.tar.gz')).toBe(4)
    for (const project of ['foo', 'bar', 'baz']) {
      const target = await find(`simple/${project}/index.html`)
      const name = `${target!.hashes.get('sha256')}.index.html`
      expect(await readdir(join(mirror.public, 'targets/simple', project))).toContain(name)
    }
  })

  test('moves them with the records to another number of bins', async () => {
    for (const bitLength of [6, 2, 3]) {
      const bins = await move(bitLength)
      expect([...bins.keys()].toSorted()).toEqual([
        path,
        'files/foo/foo-1.1.tar.gz',
        'simple/foo/index.html',
      ])
      for (const [target, bin] of bins) expect(bin).toBe(findBin(bitLength, target))
    }
  })

  test('signs the right length of a file once somebody has measured it', async () => {
    const project = 'foo'
    await readMirror(mirror.directory, ({ ledger: { database } }) =>
      new VerifiedFiles(database).put(project, 'foo-1.0.tar.gz', { length: 6, now: mirror.now }),
    )
    await mirror.sync()
    expect(await find(path)).toMatchObject({ length: 6 })
    // What the page goes on to tell does not count any more.
    await mirror.putPage('foo', [sized('foo-1.0.tar.gz', 5), sized('foo-1.3.tar.gz', 7)])
    await mirror.sync()
    expect(await find(path)).toMatchObject({ length: 6 })
  })
})
