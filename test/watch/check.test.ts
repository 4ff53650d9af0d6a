import { appendFile, copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseSettings } from '../../src/cli/settings.ts'
import { renewMirror } from '../../src/mirror/renew.ts'
import { clientLimits } from '../../src/watch/check-client.ts'
import { checkMirror, type CheckReport } from '../../src/watch/check.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { dayMs, hourMs, MirrorFixture, signEverything } from '../mirror/mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init()
  for (const project of ['foo', 'bar', 'baz']) {
    await mirror.putPage(project, [`${project}-1.0.tar.gz`])
  }
  await sync()
})
afterEach(() => mirror.remove())

function sync(): ReturnType<MirrorFixture['sync']> {
  const options = { all: true, check: checkPublication, changePolicy: signEverything }
  return mirror.sync(options)
}

function check(isFull = true): Promise<CheckReport> {
  return checkMirror({ ...mirror.context, isFull })
}

async function findMetadata(pattern: RegExp): Promise<string> {
  const names = await readdir(join(mirror.public, 'metadata'))
  return join(
    mirror.public,
    'metadata',
    names.find((name) => pattern.test(name))!,
  )
}

async function findRecordFile(project: string): Promise<string> {
  const folder = join(mirror.public, 'targets/simple', project)
  const names = await readdir(folder)
  return join(
    folder,
    names.find((name) => /^[0-9a-f]{64}\.index\.json$/.test(name))!,
  )
}

test('has the limits that the proxy has by default', () => {
  const { limits } = parseSettings('', 'settings', {
    index: 'https://index.test/simple/',
    mirror: ['/srv/mirror'],
    root: '1.root.json',
  })
  expect(clientLimits).toEqual({
    refresh: {
      maxRootBytes: limits.root,
      maxTimestampBytes: limits.timestamp,
      maxSnapshotBytes: limits.snapshot,
      maxTargetsBytes: limits.targets,
      maxRootUpdates: limits['root-updates'],
    },
    maxRecordBytes: limits.record,
    maxDelegations: limits.delegations,
  })
})

describe('a check', () => {
  test('of a good tree finds nothing, in full and as a sample, again and again', async () => {
    for (const isFull of [true, false, true]) {
      const report = await check(isFull)
      expect(report).toMatchObject({ findings: [], more: 0, exitCode: 0, isFull })
      expect(report).toMatchObject({ roles: 8, records: 3 })
      mirror.now += hourMs
      await sync()
    }
  })

  test('names a record that is damaged, and what mends it', async () => {
    const file = await findRecordFile('foo')
    const bytes = await readFile(file)
    bytes[20]! ^= 1
    await writeFile(file, bytes)
    await rm(`${file}.gz`)
    const { findings, exitCode } = await check()
    expect(exitCode).toBe(3)
    expect(findings).toMatchObject([
      {
        where: 'project foo',
        code: 'DIGEST_MISMATCH',
        message: expect.stringContaining('sha256 of targets/simple/foo/') as string,
        next: `It is made anew by: tufgate mirror sync ${mirror.directory} --project foo --full`,
      },
    ])
  })

  test('names a record that is missing', async () => {
    await rm(await findRecordFile('bar'))
    const { findings } = await check()
    expect(findings).toMatchObject([
      {
        where: 'project bar',
        code: 'METADATA_UNAVAILABLE',
        message: expect.stringMatching(/^there is no targets\/simple\/bar\//) as string,
      },
    ])
  })

  test('names a compressed twin that is not the file, which servers would send instead', async () => {
    const file = await findRecordFile('baz')
    await writeFile(`${file}.gz`, gzipSync('{"evil": true}'))
    const { findings } = await check()
    expect(findings).toMatchObject([
      {
        where: 'project baz',
        code: 'DIGEST_MISMATCH',
        message: expect.stringContaining('.gz is not the compressed form') as string,
      },
    ])
  })

  test('names a role that is missing, and renew --all mends it', async () => {
    const file = await findMetadata(/^\d+\.bins-0\.json$/)
    await rm(file)
    const { findings } = await check()
    expect(findings).toContainEqual(
      expect.objectContaining({
        where: 'role bins-0, delegated by bins',
        file: file.slice(mirror.public.length + 1),
        code: 'METADATA_UNAVAILABLE',
      }),
    )
    await renewMirror({ ...mirror.context, isAll: true })
    expect(await check()).toMatchObject({ findings: [] })
  })

  test('names a first root that is missing: only new clients would have noticed', async () => {
    await rm(join(mirror.public, 'metadata/1.root.json'))
    expect((await check()).findings).toMatchObject([
      {
        where: 'the roots',
        file: 'metadata/1.root.json',
        message: expect.stringContaining('one by one') as string,
      },
    ])
  })

  test('sees a tree that was put back to an older state, as a returning client does', async () => {
    const folder = join(mirror.public, 'metadata')
    const older = join(mirror.root, 'timestamp.json')
    await copyFile(join(folder, 'timestamp.json'), older)
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    mirror.now += hourMs
    await sync()
    expect(await check()).toMatchObject({ findings: [] })
    await copyFile(older, join(folder, 'timestamp.json'))
    expect((await check()).findings).toMatchObject([
      {
        where: 'a returning client',
        code: 'VERSION_ROLLBACK',
        message: 'timestamp went back from version 3 to 2',
        next: expect.stringContaining('Clients have seen newer versions') as string,
      },
    ])
  })

  test('that found something does not become what the next one is compared with', async () => {
    await rm(await findRecordFile('bar'))
    expect((await check()).exitCode).toBe(3)
    expect((await check()).exitCode).toBe(3)
  })

  test('says what expires: a warning months before, a finding in the last week', async () => {
    mirror.now += 310 * dayMs
    await sync()
    const early = await check()
    expect(early.findings).toEqual([])
    expect(early.warnings).toContainEqual(
      expect.stringMatching(/^root expires in 55 d .*ceremony|^root expires in 55 d/),
    )
    mirror.now += 49 * dayMs
    await sync()
    const late = await check()
    expect(late.exitCode).toBe(3)
    expect(late.findings.map(({ message }) => message.split(' ')[0])).toEqual([
      'root',
      'targets',
      'claimed',
      'bins',
    ])
  })

  test('of a mirror that nobody renewed says that everybody refuses it', async () => {
    mirror.now += 3 * dayMs
    const { findings } = await check()
    expect(findings).toContainEqual(
      expect.objectContaining({
        where: 'a new client',
        code: 'EXPIRED',
        next: expect.stringContaining('mirror renew') as string,
      }),
    )
  })
})

describe('before a publication', () => {
  test('a record that cannot be read keeps everything as it was, and says why', async () => {
    await sync()
    const before = await mirror.readMetadata('timestamp')
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    const tampered = mirror.sync({
      all: true,
      check: async (opened, staged) => {
        await appendFile(await findRecordFileNewest('foo'), 'x')
        return checkPublication(opened, staged)
      },
    })
    await expect(tampered).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Nothing was published, because clients would refuse it: /,
      ) as string,
      facts: { next: expect.stringContaining('mirror check') as string },
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
  })

  test('a role of before that is missing stops nothing that does not need it', async () => {
    const names = await readdir(join(mirror.public, 'metadata'))
    const untouched = names.find(
      (name) => /^1\.bins-.\.json$/.test(name) && !names.includes(name.replace('1.', '2.')),
    )
    await rm(join(mirror.public, 'metadata', untouched!))
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    mirror.now += hourMs
    expect((await sync()).published).toMatchObject({ timestamp: 3 })
    expect((await check(false)).findings).toMatchObject([{ file: `metadata/${untouched}` }])
  })

  test('what failed once is published by the next sync, in versions that were never used', async () => {
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    const failing = mirror.sync({ all: true, check: () => Promise.reject(new Error('no')) })
    await expect(failing).rejects.toThrow('no')
    expect((await mirror.readMetadata('timestamp')).version).toBe(2)
    await sync()
    expect((await mirror.readMetadata('timestamp')).version).toBe(4)
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(2)
    expect(await check()).toMatchObject({ findings: [] })
  })

  test('what was staged and never published is cleared away in time', async () => {
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    const failing = mirror.sync({ all: true, check: () => Promise.reject(new Error('no')) })
    await expect(failing).rejects.toThrow('no')
    const staged = (await readdir(join(mirror.public, 'metadata'))).filter((name) =>
      name.startsWith('3.snapshot'),
    )
    expect(staged).toEqual(['3.snapshot.json', '3.snapshot.json.gz'])
    await sync()
    mirror.now += 3 * dayMs
    await sync()
    const left = await readdir(join(mirror.public, 'metadata'))
    expect(left.filter((name) => name.startsWith('3.snapshot'))).toEqual([])
    expect(left).toContain('1.root.json')
  })
})

async function findRecordFileNewest(project: string): Promise<string> {
  const folder = join(mirror.public, 'targets/simple', project)
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.index\.json$/.test(name))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const at = texts.findIndex((text) => text.includes('-1.1.tar.gz'))
  return join(folder, names[at]!)
}
