import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeCanonical } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { mirrorStatus } from '../../src/mirror/status.ts'
import { buildPrivateKey, putKeyFile } from '../../src/signing/key-file.ts'
import { requireUnexpired } from '../../src/tuf/freshness.ts'
import { dayMs, hourMs, MirrorFixture } from './mirror-fixture.ts'
import { findRecord, trustFolder } from './own-client.ts'

async function listKeys(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.pem')).toSorted()
}

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(async () => {
  await mirror.remove()
})

describe('a new mirror', () => {
  test('is valid and empty for our own client', async () => {
    await mirror.init()
    const trusted = await trustFolder(mirror.public, mirror.now)
    requireUnexpired(trusted, mirror.now)
    expect(await findRecord(mirror.public, 'foo', trusted, mirror.now)).toBeUndefined()
    expect(trusted.snapshot.meta.size).toBe(5 + 4)
  })

  test('keeps online keys with it and offline keys elsewhere, for their owner alone', async () => {
    await mirror.init({ rootKeys: 3, rootThreshold: 2 })
    const offline = `${mirror.directory}-offline-keys`
    expect(await listKeys(join(mirror.directory, 'keys'))).toEqual([
      'bins-nn.pem',
      'deny.pem',
      'recently-claimed.pem',
      'snapshot.pem',
      'timestamp.pem',
    ])
    expect(await listKeys(offline)).toEqual([
      'bins.pem',
      'claimed.pem',
      'root-1.pem',
      'root-2.pem',
      'root-3.pem',
      'targets.pem',
    ])
    for (const folder of [offline, join(mirror.directory, 'keys')]) {
      expect((await stat(folder)).mode & 0o777).toBe(0o700)
      for (const name of await listKeys(folder)) {
        expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
      }
    }
    for (const name of await readdir(mirror.public, { recursive: true })) {
      expect(name).not.toMatch(/\.pem$/)
    }
  })

  test('gives each role a key of its own', async () => {
    await mirror.init()
    const keyids = new Set<string>()
    const online = ['1.deny', '1.recently-claimed', '1.bins-0', '1.snapshot', 'timestamp']
    const roles = ['1.root', '1.targets', '1.claimed', '1.bins', ...online]
    for (const name of roles) {
      const text = await readFile(join(mirror.public, 'metadata', `${name}.json`), 'utf8')
      const { signatures } = JSON.parse(text) as { signatures: { keyid: string }[] }
      for (const { keyid } of signatures) keyids.add(keyid)
    }
    expect(keyids.size).toBe(9)
  })

  test('has the lifetimes of each role, and canonical metadata', async () => {
    await mirror.init()
    const expiry = async (name: string): Promise<number> =>
      Date.parse((await mirror.readMetadata(name)).expires) - mirror.now
    expect(await expiry('1.root')).toBe(365 * dayMs)
    expect(await expiry('1.targets')).toBe(365 * dayMs)
    expect(await expiry('1.bins')).toBe(365 * dayMs)
    expect(await expiry('1.bins-3')).toBe(7 * dayMs)
    expect(await expiry('1.snapshot')).toBe(7 * dayMs)
    expect(await expiry('timestamp')).toBe(dayMs)
    for (const name of ['1.root', '1.bins', '1.snapshot', 'timestamp']) {
      const text = await readFile(join(mirror.public, 'metadata', `${name}.json`), 'utf8')
      expect(text).toBe(encodeCanonical(JSON.parse(text)))
    }
  })

  test('says what a client pins, where it is and what to keep offline', async () => {
    const result = await mirror.init({ rootKeys: 3, rootThreshold: 2 })
    const root = await readFile(join(mirror.public, 'metadata/1.root.json'))
    expect(result).toEqual({
      rootSha256: sha256Hex(root),
      rootPath: join(mirror.public, 'metadata/1.root.json'),
      offlineKeysDirectory: `${mirror.directory}-offline-keys`,
      bins: 4,
    })
    const said = mirror.events.map((event) => ('message' in event ? event.message : '')).join('\n')
    expect(said).toContain(result.rootSha256)
    expect(said).toContain(result.offlineKeysDirectory)
    expect(said).toContain('to a medium that you then disconnect, and keep a copy elsewhere')
    expect(mirror.takeEvents('warning')).toEqual([])
  })

  test.each([
    [{ rootKeys: 1 }, 'There is one root key'],
    [{ rootKeys: 2, rootThreshold: 2 }, 'All 2 root keys are needed'],
  ])('warns of root keys that one theft or one loss undoes', async (options, message) => {
    await mirror.init(options)
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: expect.stringContaining(message) as string },
    ])
  })

  test.each([
    { rootKeys: 2, rootThreshold: 3 },
    { rootKeys: 0 },
    { rootKeys: 3, rootThreshold: 0 },
    { rootKeys: 1.5 },
    { rootKeys: 1000 },
    { bins: 3 },
  ])('is not made from %o', async (options) => {
    await expect(mirror.init(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(stat(mirror.directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is not made over another, nor over a folder with something in it', async () => {
    await mirror.init()
    const root = await readFile(join(mirror.public, 'metadata/1.root.json'))
    await expect(mirror.init()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${mirror.directory} is not empty`,
    })
    expect(await readFile(join(mirror.public, 'metadata/1.root.json'))).toEqual(root)
  })

  test('is not made where offline keys lie already', async () => {
    await mkdir(`${mirror.directory}-offline-keys`)
    await writeFile(join(`${mirror.directory}-offline-keys`, 'root-1.pem'), 'a key')
    await expect(mirror.init()).rejects.toMatchObject({
      message: `${mirror.directory}-offline-keys is not empty`,
    })
    await expect(stat(mirror.directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is not begun where others can reach the folder of the offline keys', async () => {
    const offline = join(mirror.root, 'medium')
    await mkdir(offline)
    await chmod(offline, 0o755)
    await expect(mirror.init({ offlineKeysDirectory: offline })).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${offline} can be read or changed by others (mode 755)`,
      facts: { next: `chmod 700 ${offline}` },
    })
    await expect(stat(mirror.directory)).rejects.toMatchObject({ code: 'ENOENT' })
    await chmod(offline, 0o700)
    await mirror.init({ offlineKeysDirectory: offline })
  })

  test.each(['', 'keys', 'public/metadata'])(
    'is not made with its offline keys in the mirror itself (%s)',
    async (name) => {
      const offlineKeysDirectory = join(mirror.directory, name)
      await expect(mirror.init({ offlineKeysDirectory })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: 'The offline keys would lie in the mirror itself',
      })
      await expect(stat(mirror.directory)).rejects.toMatchObject({ code: 'ENOENT' })
    },
  )

  test('that was interrupted is no mirror, and what to do is said by each command', async () => {
    const interrupted = new Error('killed')
    const isKilled = (): Promise<never> => Promise.reject(interrupted)
    await expect(mirror.init({ check: isKilled })).rejects.toBe(interrupted)
    const refusal = {
      code: 'CONFIG_INVALID',
      message: `init did not finish in ${mirror.directory}: it is no mirror yet`,
      facts: {
        next: `Remove ${mirror.directory} and ${mirror.directory}-offline-keys, whose keys sign nothing, and run init again.`,
      },
    }
    await expect(mirror.init()).rejects.toMatchObject(refusal)
    await expect(mirror.status()).rejects.toMatchObject(refusal)
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject(refusal)
    await rm(mirror.directory, { recursive: true })
    await rm(`${mirror.directory}-offline-keys`, { recursive: true })
    await mirror.init()
    expect(await readdir(mirror.directory)).not.toContain('init-unfinished')
    await mirror.status()
  })

  test('has as many bins as suit the number of projects', async () => {
    expect(await mirror.init({ bins: undefined as never, projects: 100 })).toMatchObject({
      bins: 16,
    })
  })
})

describe('a mirror', () => {
  test('that is none is named, with the command that makes one', async () => {
    await expect(mirror.status()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${mirror.directory} holds no mirror`,
      facts: {
        next: `Is the path right? A new mirror is made with: tufgate mirror init ${mirror.directory}`,
      },
    })
    const file = join(mirror.root, 'change.json')
    await writeFile(file, '{}')
    await expect(mirrorStatus({ ...mirror.context, directory: file })).rejects.toMatchObject({
      message: `${file} is a file, and no folder of a mirror`,
      facts: { next: 'Is the path right? The folder of the mirror is named first.' },
    })
  })

  test('whose database is damaged signs nothing: versions would be given out twice', async () => {
    await mirror.init()
    const path = join(mirror.directory, 'mirror.db')
    for (const name of [path, `${path}-wal`, `${path}-shm`]) await rm(name, { force: true })
    await writeFile(path, 'x'.repeat(10_000))
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('The mirror database is damaged') as string,
    })
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  test('whose database is an empty one signs nothing either', async () => {
    await mirror.init()
    const path = join(mirror.directory, 'mirror.db')
    for (const name of [path, `${path}-wal`, `${path}-shm`]) await rm(name, { force: true })
    await writeFile(path, '')
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    })
  })

  test('with a key that is not the delegated one publishes nothing', async () => {
    await mirror.init()
    const path = join(mirror.directory, 'keys/timestamp.pem')
    await rm(path)
    await rm(join(mirror.directory, 'keys/timestamp.pub'))
    await putKeyFile(path, await buildPrivateKey('ed25519'))
    const before = await mirror.readMetadata('timestamp')
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await expect(mirror.sync({ projects: ['foo'] })).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: 'The key on disk is not the key of the role timestamp',
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
  })

  test('renews every online role past half of its life, and nothing younger', async () => {
    await mirror.init({ maxUnseenMs: 30 * dayMs })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    mirror.now += 11 * hourMs
    expect(await mirror.renew()).toEqual({ published: undefined })
    mirror.now += 2 * hourMs
    expect(await mirror.renew()).toEqual({ published: { timestamp: 3, snapshot: 2, bins: 0 } })
    mirror.now += 3 * dayMs
    expect(await mirror.renew()).toMatchObject({ published: { bins: 4, snapshot: 3 } })
    const trusted = await trustFolder(mirror.public, mirror.now)
    expect(await findRecord(mirror.public, 'foo', trusted, mirror.now)).toBeDefined()
  })

  test('warns from 60 days before an offline role expires', async () => {
    await mirror.init({ maxUnseenMs: 400 * dayMs })
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    mirror.events.length = 0
    mirror.now += 304 * dayMs
    await mirror.renew()
    expect(mirror.takeEvents('warning')).toEqual([])
    mirror.now += 2 * dayMs
    await mirror.renew()
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: expect.stringContaining('The role root expires in 59 d') as string },
      { message: expect.stringContaining('targets') as string },
      { message: expect.stringContaining('claimed') as string },
      { message: expect.stringContaining('bins') as string },
    ])
  })

  test('that never saw an index is not renewed', async () => {
    await mirror.init()
    await expect(mirror.renew()).rejects.toMatchObject({
      code: 'HELD',
      message: 'The index was never seen; nothing is signed again',
    })
  })

  test('tells its state', async () => {
    await mirror.init()
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    expect(await mirror.status()).toMatchObject({
      projects: 1,
      files: { listed: 2, removed: 0, conflicts: 0 },
      bins: 4,
      recommendedBins: 2,
      index: mirror.index,
      indexSeenAt: mirror.now,
      lastSignedAt: mirror.now,
      unpublishedBins: 0,
      held: [],
      conflicted: [],
      roles: [
        { role: 'root', version: 1, expires: mirror.now + 365 * dayMs },
        { role: 'targets', version: 1 },
        { role: 'deny', version: 1 },
        { role: 'claimed', version: 1 },
        { role: 'recently-claimed', version: 1 },
        { role: 'bins', version: 1 },
        { role: 'snapshot', version: 2, expires: mirror.now + 7 * dayMs },
        { role: 'timestamp', version: 2, expires: mirror.now + dayMs },
        { role: 'bins-NN', version: 2, expires: mirror.now + 7 * dayMs },
      ],
    })
  })
})
