import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StorageError } from '../../src/base/errors.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import type { SyncOptions } from '../../src/mirror/sync.ts'
import { dayMs, digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(async () => {
  await mirror.remove()
})

describe('a sync', () => {
  test('signs what was named, and from then on what is signed', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    const first = await mirror.sync({ projects: ['Foo'] })
    expect(first).toMatchObject({
      lookedAt: 1,
      changed: 1,
      failed: 0,
      isIndexSeen: true,
      exitCode: 0,
    })
    const record = await mirror.findRecord('foo')
    expect(record?.files).toMatchObject([
      {
        filename: 'foo-1.0.tar.gz',
        url: 'https://files.test/files/foo-1.0.tar.gz',
        sha256: digestOf('foo-1.0.tar.gz'),
        firstSeen: mirror.now,
      },
    ])
    expect(await mirror.findRecord('bar')).toBeUndefined()
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    expect(await mirror.sync()).toMatchObject({ lookedAt: 1, changed: 1 })
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(2)
  })

  test('does not take over the private keys of the index, which change every time', async () => {
    await mirror.init()
    await mirror.putPage('foo', [{ filename: 'foo-1.0.tar.gz', extra: { _serial: 3 } }])
    await mirror.sync({ projects: ['foo'] })
    const record = await mirror.findRecord('foo')
    expect([...record!.extra.keys(), ...record!.files[0]!.extra.keys()]).toEqual([])
  })

  test('of what did not change moves only the signed time of the look', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const before = await mirror.readMetadata('timestamp')
    const names = await readdir(join(mirror.public, 'metadata'))
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ changed: 0, published: { bins: 0 } })
    const after = await mirror.readMetadata('timestamp')
    expect(after.version).toBe(before.version + 1)
    expect(after.meta).toEqual(before.meta)
    expect(after['x-tufgate']).toMatchObject({
      signed: '2026-03-01T13:00:00Z',
      'index-seen': '2026-03-01T13:00:00Z',
    })
    expect(await readdir(join(mirror.public, 'metadata'))).toEqual(names)
  })

  test('signs the one bin that changed, snapshot and timestamp, and nothing else', async () => {
    await mirror.init({ bins: 64 })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    expect(await mirror.sync({ projects: ['foo'] })).toMatchObject({
      published: { bins: 1, snapshot: 2, timestamp: 2 },
    })
    const snapshot = await mirror.readMetadata('2.snapshot')
    const versions = Object.values(snapshot.meta).map(({ version }) => version)
    expect(versions.filter((version) => version === 2)).toHaveLength(1)
  })

  test('reports one bad project and goes on with the rest', async () => {
    await mirror.init()
    await mirror.putRawPage('bad', 'index.json', '{"name":')
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    const result = await mirror.sync({ projects: ['bad', 'foo', 'absent'] })
    expect(result).toMatchObject({ changed: 1, failed: 2, exitCode: 1 })
    expect(await mirror.findRecord('foo')).toBeDefined()
    // They are looked at side by side.
    const failed = new Map(mirror.takeEvents('failed').map((event) => [event.project, event]))
    expect(failed.size).toBe(2)
    expect(failed.get('bad')).toMatchObject({ code: 'MALFORMED' })
    expect(failed.get('absent')).toMatchObject({
      message: `The index has no project absent: there is no simple/absent/ in ${mirror.index}`,
    })
  })

  test('puts twins for plain clients beside the record, each with its gzip twin', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const folder = join(mirror.public, 'targets/simple/foo')
    const record = await readFile(join(folder, 'index.json'))
    const names = await readdir(folder)
    expect(names).toHaveLength(6)
    for (const name of names.filter((file) => !file.endsWith('.gz'))) {
      const packed = await readFile(join(folder, `${name}.gz`))
      expect(gunzipSync(packed)).toEqual(await readFile(join(folder, name)))
    }
    expect(names).toContain(`${digestOf(record.toString())}.index.json`)
    const html = await readFile(join(folder, 'index.html'), 'utf8')
    expect(html).toContain(
      `https://files.test/files/foo-1.0.tar.gz#sha256=${digestOf('foo-1.0.tar.gz')}`,
    )
    expect((await stat(join(folder, 'index.html'))).mode & 0o777).toBe(0o644)
  })

  test('keeps superseded metadata and records for readers in the middle of them, then removes them', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const folder = join(mirror.public, 'targets/simple/foo')
    const [old] = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.index\.json$/.test(name))
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    mirror.now += hourMs
    await mirror.sync()
    expect(await readdir(folder)).toContain(old)
    expect(await readdir(join(mirror.public, 'metadata'))).toContain('2.snapshot.json')
    mirror.now += 2 * dayMs + hourMs
    await mirror.sync()
    expect(await readdir(folder)).not.toContain(old)
    const names = await readdir(join(mirror.public, 'metadata'))
    expect(names).not.toContain('2.snapshot.json')
    expect(names).not.toContain('2.snapshot.json.gz')
    expect(names).toContain('1.root.json')
    expect(await mirror.findRecord('foo')).toBeDefined()
  })

  test('with --project alone does not claim that everything was seen', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    mirror.now += hourMs
    mirror.events.length = 0
    expect(await mirror.sync({ projects: ['bar'] })).toMatchObject({
      changed: 1,
      isIndexSeen: false,
    })
    const timestamp = await mirror.readMetadata('timestamp')
    expect(timestamp['x-tufgate']).toMatchObject({
      signed: '2026-03-01T13:00:00Z',
      'index-seen': '2026-03-01T12:00:00Z',
    })
    expect(mirror.takeEvents('warning')).toEqual([])
    mirror.now += 12 * hourMs
    await mirror.sync({ projects: ['bar'] })
    expect(mirror.takeEvents('warning')).toMatchObject([
      {
        message: 'Only a part of what is signed was looked at.',
        next: `Run "tufgate mirror sync ${mirror.directory}" within 11 h (max-unseen), or renew will refuse.`,
      },
    ])
  })

  test('takes all of the index with --all', async () => {
    await mirror.init()
    for (const name of ['a', 'b', 'c']) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    expect(await mirror.sync({ all: true })).toMatchObject({
      lookedAt: 3,
      changed: 3,
      isIndexSeen: true,
    })
  })

  test('takes the names of requirements files, and reports what no index serves', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    const port = {
      read: () => Promise.resolve('foo==1.0\n-e .\n'),
      resolve: (_from: string, nested: string) => nested,
    }
    const result = await mirror.sync({ requirements: { paths: ['r.txt'], port } })
    expect(result).toMatchObject({ changed: 1 })
    expect(mirror.takeEvents('not-covered')).toEqual([
      { kind: 'not-covered', place: 'r.txt:2', line: '-e .' },
    ])
  })

  test('refuses another index than the one of the first time, unless told', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    await expect(mirror.sync({ index: '/elsewhere' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `The mirror follows ${mirror.index}, not /elsewhere`,
    })
    const moved = { index: `${mirror.index}/../index`, acceptIndex: true }
    expect(await mirror.sync(moved)).toMatchObject({ lookedAt: 1, changed: 0 })
    expect(await mirror.status()).toMatchObject({ index: moved.index })
  })

  test('refuses to sign with a clock that is behind the last signature', async () => {
    await mirror.init()
    mirror.now -= 1000
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: 'The clock says 2026-03-01T11:59:59Z, which is before the last signature',
    })
  })

  test('publishes a signed list of the projects where it was asked for', async () => {
    await mirror.init({ hasProjectList: true })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const list = await readFile(join(mirror.public, 'targets/simple/index.json'), 'utf8')
    expect(JSON.parse(list)).toMatchObject({ projects: [{ name: 'foo' }] })
    const snapshot = await mirror.readMetadata('2.snapshot')
    const targets: string[] = []
    for (const [file, { version }] of Object.entries(snapshot.meta)) {
      const document = await mirror.readMetadata(`${version}.${file.replace('.json', '')}`)
      targets.push(...Object.keys(document.targets))
    }
    expect(targets.toSorted()).toEqual(['simple/foo/index.json', 'simple/index.json'])
  })

  test('makes a damaged record again, with its names still bound to their digests', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const folder = join(mirror.public, 'targets/simple/foo')
    const [name] = (await readdir(folder)).filter((file) =>
      /^[0-9a-f]{64}\.index\.json$/.test(file),
    )
    await writeFile(join(folder, name!), 'damaged')
    await mirror.putPage('foo', [{ filename: 'foo-1.0.tar.gz', content: 'evil' }, 'foo-1.1.tar.gz'])
    await mirror.sync()
    const record = await mirror.findRecord('foo')
    expect(record?.files.map(({ filename }) => filename)).toEqual(['foo-1.1.tar.gz'])
    expect(mirror.events).toContainEqual(
      expect.objectContaining({
        kind: 'conflict',
        file: 'foo-1.0.tar.gz',
        found: digestOf('evil'),
      }),
    )
  })

  test('is one at a time in a folder; its state can be read meanwhile', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    let during: unknown
    const openIndex: SyncOptions['openIndex'] = async (address) => {
      const second = mirror.sync({ projects: ['foo'] })
      await expect(second).rejects.toMatchObject({ code: 'STATE_BUSY' })
      during = await mirror.status()
      return openMirrorIndex(address)
    }
    expect(await mirror.sync({ projects: ['foo'], openIndex })).toMatchObject({ changed: 1 })
    expect(during).toMatchObject({ projects: 0 })
  })

  test('that finds the disk full publishes nothing and says so', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    const before = await mirror.readMetadata('timestamp')
    const cause = new StorageError('DISK_FULL', 'cannot write', { next: 'free space' })
    const openIndex: SyncOptions['openIndex'] = async (address) => ({
      ...(await openMirrorIndex(address)),
      fetchPage: () => Promise.reject(cause),
    })
    await expect(mirror.sync({ projects: ['foo', 'bar'], openIndex })).rejects.toBe(cause)
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
    expect(await mirror.sync({ projects: ['foo'] })).toMatchObject({ changed: 1, exitCode: 0 })
  })
})
