/** A mirror whose database was put back from a backup, as our own messages advise. */

import { copyFile, cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { skipVersions } from '../../src/mirror/skip-versions.ts'
import { noFloors, trustFolder } from './own-client.ts'
import { digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

const database = (): string => join(mirror.directory, 'mirror.db')
const copy = (): string => join(mirror.root, 'whole')
const backup = (): string => join(mirror.root, 'backup.db')

async function restoreBackup(): Promise<void> {
  for (const suffix of ['-wal', '-shm']) await rm(database() + suffix, { force: true })
  await copyFile(backup(), database())
}

async function syncLater(...projects: string[]): Promise<void> {
  mirror.now += hourMs
  expect(await mirror.sync({ projects })).toMatchObject({ failed: 0 })
}

/** Three more publications after the backup; in the last of them `foo` got a release. */
async function publishBeyondBackup(): Promise<void> {
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.putPage('bar', ['bar-1.0.tar.gz'])
  await syncLater('foo')
  await copyFile(database(), backup())
  await syncLater('bar')
  await syncLater('foo')
  await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
  await syncLater('foo')
}

test('does not give a version out a second time: clients that saw the later ones go on', async () => {
  await publishBeyondBackup()
  const seen = await trustFolder(mirror.public, mirror.now)
  await restoreBackup()
  await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz', 'foo-1.2.tar.gz'])
  await syncLater('foo')
  const now = await trustFolder(mirror.public, mirror.now, seen.floors)
  expect(now.timestamp!.version).toBe(seen.timestamp!.version + 1)
  expect(now.snapshot!.version).toBe(seen.snapshot!.version + 1)
  expect((await mirror.findRecord('bar'))?.files).toHaveLength(1)
  expect((await mirror.findRecord('foo'))?.files).toHaveLength(3)
  expect(mirror.takeEvents('warning').map(({ message }) => message)).toContain(
    `mirror.db is older than what was published: it knows timestamp 2, and ${seen.timestamp!.version} is out`,
  )
})

test('nor another digest to a name that was signed after the backup', async () => {
  await publishBeyondBackup()
  await restoreBackup()
  await mirror.putPage('foo', ['foo-1.0.tar.gz', { filename: 'foo-1.1.tar.gz', content: 'evil' }])
  await syncLater('foo')
  expect((await mirror.findRecord('foo'))?.files[1]).toMatchObject({
    sha256: digestOf('foo-1.1.tar.gz'),
    conflict: digestOf('evil'),
  })
})

test('renew catches up as well, once and without a word the second time', async () => {
  await publishBeyondBackup()
  const seen = await trustFolder(mirror.public, mirror.now)
  await restoreBackup()
  mirror.now += 13 * hourMs
  await mirror.sync()
  mirror.takeEvents('warning')
  mirror.now += 13 * hourMs
  await mirror.renew()
  expect(mirror.takeEvents('warning')).toEqual([])
  const now = await trustFolder(mirror.public, mirror.now, seen.floors)
  expect(now.timestamp!.version).toBe(seen.timestamp!.version + 2)
})

test('signs nothing where what was published since is not there to be read', async () => {
  await publishBeyondBackup()
  await restoreBackup()
  const folder = join(mirror.public, 'metadata')
  const snapshots = (await readdir(folder)).filter((name) => /^[3-9]\.snapshot\.json$/.test(name))
  for (const name of snapshots) await rm(join(folder, name))
  await expect(mirror.sync()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining('snapshot.json is not there') as string,
  })
})

test('a timestamp that others wrote into the tree is no statement of ours', async () => {
  await publishBeyondBackup()
  const before = await trustFolder(mirror.public, mirror.now)
  const evil = { signed: { _type: 'timestamp', version: 2 ** 50 }, signatures: [] }
  await writeFile(join(mirror.public, 'metadata/timestamp.json'), JSON.stringify(evil))
  await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz', 'foo-1.2.tar.gz'])
  await syncLater('foo')
  const after = await trustFolder(mirror.public, mirror.now, noFloors)
  expect(after.timestamp!.version).toBe(before.timestamp!.version + 1)
})

/** What clients saw, and a mirror that knows nothing of it. */
async function loseTheRest() {
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await syncLater('foo')
  await cp(mirror.directory, copy(), { recursive: true })
  for (const version of ['1.1', '1.2', '1.3']) {
    await mirror.putPage('foo', ['foo-1.0.tar.gz', `foo-${version}.tar.gz`])
    await syncLater('foo')
  }
  const seen = await trustFolder(mirror.public, mirror.now)
  await rm(mirror.directory, { recursive: true })
  await cp(copy(), mirror.directory, { recursive: true })
  return seen
}

describe('a mirror that came back from a backup as a whole', () => {
  test('would give versions out again, and clients refuse it', async () => {
    const { floors } = await loseTheRest()
    await syncLater('foo')
    await expect(trustFolder(mirror.public, mirror.now, floors)).rejects.toMatchObject({
      code: 'VERSION_ROLLBACK',
    })
  })

  test('leaps over them: every version of every role is a new one', async () => {
    const { floors, snapshot } = await loseTheRest()
    mirror.now += hourMs
    await skipVersions({ ...mirror.context, count: 1000 })
    const now = await trustFolder(mirror.public, mirror.now, floors)
    for (const [file, { version }] of now.snapshot!.meta) {
      const before = snapshot!.meta.get(file)!.version
      const isOnline = !['targets.json', 'claimed.json', 'bins.json'].includes(file)
      expect({ file, isNewer: version > before }).toEqual({ file, isNewer: isOnline })
    }
    await syncLater('foo')
    await trustFolder(mirror.public, mirror.now, now.floors)
  })

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])(
    'leaps over a sensible number: not %s',
    async (count) => {
      await mirror.init()
      await expect(skipVersions({ ...mirror.context, count })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `${count} versions cannot be skipped`,
      })
    },
  )
})
