/** What is held: it waits privately, and a person decides about exactly what he has looked at. */

import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { rejectHeld, type HoldSelection } from '../../src/mirror/approve.ts'
import { defaultChangePolicy } from '../../src/mirror/mirror-settings.ts'
import { listDifferences, readHeldProject } from '../../src/mirror/read-held.ts'
import { readJournal } from '../../src/mirror/read-journal.ts'
import type { RecordFile } from '../../src/simple/record.ts'
import { openDatabase } from '../../src/store/database.ts'
import { dayMs, digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

const old = { 'upload-time': '2024-01-01T00:00:00Z' }
const sdist = { filename: 'foo-1.0.tar.gz', extra: old }
const wheel = { filename: 'foo-1.0-py3-none-any.whl', extra: old }

const heldFolder = (): string => join(mirror.directory, 'held')

async function names(): Promise<string[]> {
  const files: readonly RecordFile[] = (await mirror.findRecord('foo'))?.files ?? []
  return files.map(({ filename }) => filename)
}

async function kinds(): Promise<string[]> {
  const found: string[] = []
  await readJournal(mirror.directory, {}, ({ kind }) => {
    found.push(kind)
    return true
  })
  return found
}

/** A wheel was added to a two-year-old release: it waits. */
async function holdWheel(): Promise<void> {
  await mirror.init()
  await mirror.putPage('foo', [sdist])
  await mirror.sync({ projects: ['foo'] })
  await mirror.putPage('foo', [sdist, wheel])
  mirror.now += hourMs
  expect(await mirror.sync()).toMatchObject({ changed: 0, held: 1, exitCode: 1 })
  expect(await names()).toEqual(['foo-1.0.tar.gz'])
}

function reject(selection: HoldSelection): Promise<string[]> {
  return rejectHeld({ ...mirror.context, ...selection })
}

describe('approve', () => {
  test('signs the record that was looked at, byte for byte, and publishes it', async () => {
    await holdWheel()
    const [file] = await readdir(heldFolder())
    const candidate = await readFile(join(heldFolder(), file!))
    mirror.now += dayMs
    expect(await mirror.approve({ projects: ['Foo'] })).toMatchObject({
      approved: ['foo'],
      skipped: [],
      published: { bins: 1 },
    })
    expect(await readFile(join(mirror.public, 'targets/simple/foo/index.json'))).toEqual(candidate)
    expect(await names()).toEqual(['foo-1.0.tar.gz', 'foo-1.0-py3-none-any.whl'])
    expect(await readdir(heldFolder())).toEqual([])
    expect(await mirror.status()).toMatchObject({ held: [], unpublishedBins: 0 })
    expect((await kinds()).slice(1)).toEqual(['late-file', 'approved'])
  })

  test('signs nothing of what the index shows by then: the next sync sees that as a new change', async () => {
    await holdWheel()
    const evil = { ...wheel, filename: 'foo-1.0-2-py3-none-any.whl' }
    await mirror.putPage('foo', [sdist, wheel, evil])
    await mirror.approve()
    expect(await names()).not.toContain(evil.filename)
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ changed: 0, held: 1 })
    expect(await names()).not.toContain(evil.filename)
    const waiting = await readHeldProject(mirror.directory, 'foo')
    expect(waiting?.changes).toMatchObject([
      { kind: 'late-file', count: 1, items: [{ file: evil.filename }] },
    ])
  })

  test('named with its digest, or with a time, signs nothing that has taken its place meanwhile', async () => {
    await holdWheel()
    const before = await readHeldProject(mirror.directory, 'foo')
    await mirror.putPage('foo', [sdist, { ...wheel, content: 'evil' }])
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ held: 1 })
    const after = await readHeldProject(mirror.directory, 'foo')
    expect(await readdir(heldFolder())).toEqual([`foo.${after?.sha256}.json`])
    const named = `foo@${before?.sha256.slice(0, 12)}`
    await expect(mirror.approve({ projects: [named] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'What waits of foo is not what was looked at',
      facts: {
        found: after?.sha256,
        next: `The index has shown something else since: tufgate mirror held ${mirror.directory} foo`,
      },
    })
    const asOf = before!.since
    expect(await mirror.approve({ all: true, asOf })).toMatchObject({ approved: [] })
    expect(await names()).toEqual(['foo-1.0.tar.gz'])
    await mirror.approve({ projects: [`foo@${after?.sha256.slice(0, 12)}`] })
    expect((await mirror.findRecord('foo'))?.files[1]).toMatchObject({ sha256: digestOf('evil') })
  })

  test('takes those of one kind', async () => {
    await holdWheel()
    expect(await mirror.approve({ all: true, kinds: ['file-revived'] })).toMatchObject({
      approved: [],
      published: undefined,
    })
    expect(await mirror.approve({ kinds: ['late-file'] })).toMatchObject({ approved: ['foo'] })
  })

  test('does not sign a candidate that somebody has changed on disk', async () => {
    await holdWheel()
    const [file] = await readdir(heldFolder())
    const text = await readFile(join(heldFolder(), file!), 'utf8')
    const genuine = digestOf(wheel.filename)
    await writeFile(join(heldFolder(), file!), text.replace(genuine, digestOf('evil')))
    expect(await mirror.approve()).toMatchObject({
      approved: [],
      skipped: [
        {
          project: 'foo',
          problem: 'the record that was put by is missing or damaged; sync it again',
        },
      ],
    })
    expect(await names()).toEqual(['foo-1.0.tar.gz'])
    expect(await mirror.sync()).toMatchObject({ held: 1 })
    expect(await mirror.approve()).toMatchObject({ approved: ['foo'] })
    expect((await mirror.findRecord('foo'))?.files[1]).toMatchObject({ sha256: genuine })
  })

  test('never binds a signed name to another digest, even by a candidate with a digest that fits', async () => {
    await holdWheel()
    const [file] = await readdir(heldFolder())
    const text = await readFile(join(heldFolder(), file!), 'utf8')
    const evil = Buffer.from(text.replace(digestOf(sdist.filename), digestOf('evil')))
    await writeFile(join(heldFolder(), `foo.${sha256Hex(evil)}.json`), evil)
    const path = join(mirror.directory, 'mirror.db')
    const database = openDatabase(path, { schema: '', version: 2 })
    database.run('UPDATE held SET sha256 = ?', sha256Hex(evil))
    database.close()
    expect(await mirror.approve()).toMatchObject({
      approved: [],
      skipped: [{ problem: 'foo-1.0.tar.gz is signed with another sha256' }],
    })
  })

  test.each([
    [{}, 'Nothing was chosen'],
    [{ projects: ['bar'] }, 'Nothing of bar waits for a person'],
    [{ projects: ['foo', '../bar'] }, 'Nothing of ../bar waits for a person'],
  ])('of %j is refused', async (selection, message) => {
    await holdWheel()
    await expect(mirror.approve(selection)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message,
      facts: { next: `tufgate mirror held ${mirror.directory} shows what waits.` },
    })
  })

  test('of a new project signs it for the first time', async () => {
    await mirror.init()
    await mirror.putPage('foo', [sdist])
    const changePolicy = { ...defaultChangePolicy, 'new-project': 'hold' } as const
    expect(await mirror.sync({ projects: ['foo'], changePolicy })).toMatchObject({ held: 1 })
    expect(await mirror.findRecord('foo')).toBeUndefined()
    await mirror.approve()
    expect(await names()).toEqual(['foo-1.0.tar.gz'])
  })
})

describe('what is held', () => {
  test('is private, and nothing of it is in the published tree', async () => {
    await holdWheel()
    const [file] = await readdir(heldFolder())
    expect((await stat(heldFolder())).mode & 0o777).toBe(0o700)
    expect((await stat(join(heldFolder(), file!))).mode & 0o777).toBe(0o600)
    const folder = await readdir(join(mirror.public, 'targets/simple/foo'))
    expect(folder.filter((name) => name.includes(file!.split('.')[1]!))).toEqual([])
  })

  test('stays the same, with its first time, however often it is seen', async () => {
    await holdWheel()
    const before = await readHeldProject(mirror.directory, 'foo')
    const told = await kinds()
    for (let times = 0; times < 3; times += 1) {
      mirror.now += dayMs
      expect(await mirror.sync()).toMatchObject({ held: 1, exitCode: 1 })
    }
    expect(await readHeldProject(mirror.directory, 'foo')).toEqual(before)
    expect(await kinds()).toEqual(told)
  })

  test('holds back everything else of its project: it is signed whole or not at all', async () => {
    await holdWheel()
    await mirror.putPage('foo', [sdist, wheel, 'foo-2.0.tar.gz'])
    await mirror.sync()
    expect(await names()).toEqual(['foo-1.0.tar.gz'])
    await mirror.approve()
    expect(await names()).toHaveLength(3)
  })

  test('is over where the index does not show it any more', async () => {
    await holdWheel()
    await mirror.putPage('foo', [sdist])
    expect(await mirror.sync()).toMatchObject({ changed: 0, held: 0, exitCode: 0 })
    expect(await mirror.status()).toMatchObject({ held: [] })
    expect(await readdir(heldFolder())).toEqual([])
    expect((await kinds()).at(-1)).toBe('hold-ended')
  })

  test('is signed by the next sync once the settings say so', async () => {
    await holdWheel()
    const changePolicy = { ...defaultChangePolicy, 'late-file': 'warn' } as const
    expect(await mirror.sync({ changePolicy })).toMatchObject({ changed: 1, held: 0 })
    expect(await names()).toHaveLength(2)
    expect((await kinds()).slice(1)).toEqual(['late-file', 'hold-ended', 'late-file'])
  })

  test('leaves no file behind that a crash has orphaned', async () => {
    await holdWheel()
    await writeFile(join(heldFolder(), `bar.${'0'.repeat(64)}.json`), 'orphan')
    await writeFile(join(heldFolder(), `foo.${'0'.repeat(64)}.json.new-0123456789abcdef`), 'torn')
    await mirror.sync()
    expect(await readdir(heldFolder())).toHaveLength(1)
  })

  test('is shown with every difference to what is signed', async () => {
    await holdWheel()
    expect((await readHeldProject(mirror.directory, 'foo'))?.differences).toEqual([
      {
        file: wheel.filename,
        kind: 'added',
        members: expect.arrayContaining([
          { name: 'hashes', after: JSON.stringify({ sha256: digestOf(wheel.filename) }) },
          { name: 'upload-time', after: '"2024-01-01T00:00:00Z"' },
        ]) as unknown,
      },
    ])
    await rm(heldFolder(), { recursive: true })
    expect(await readHeldProject(mirror.directory, 'foo')).not.toHaveProperty('differences')
  })

  test('that is not there any more differs too', () => {
    const before = JSON.stringify({ files: [{ filename: 'a' }, { filename: 'b', yanked: false }] })
    const after = JSON.stringify({ note: 1, files: [{ filename: 'b', yanked: 'x' }] })
    expect(listDifferences(before, after)).toEqual([
      { kind: 'changed', members: [{ name: 'note', after: '1' }] },
      { file: 'b', kind: 'changed', members: [{ name: 'yanked', before: 'false', after: '"x"' }] },
      { file: 'a', kind: 'gone', members: [{ name: 'filename', before: '"a"' }] },
    ])
  })
})

describe('reject', () => {
  test('keeps what is signed without a word until the index shows something else', async () => {
    await holdWheel()
    expect(await reject({ projects: ['foo'] })).toEqual(['foo'])
    mirror.now += hourMs
    expect(await mirror.sync()).toMatchObject({ changed: 0, held: 0, exitCode: 0 })
    expect(await names()).toEqual(['foo-1.0.tar.gz'])
    await mirror.putPage('foo', [sdist, wheel, 'foo-2.0.tar.gz'])
    expect(await mirror.sync()).toMatchObject({ held: 1, exitCode: 1 })
    expect(await kinds()).toEqual([
      'new-project',
      'late-file',
      'rejected',
      'late-file',
      'file-added',
    ])
  })

  test('can be taken back by its name, and not by --all', async () => {
    await holdWheel()
    await reject({ all: true })
    expect(await mirror.approve({ all: true })).toMatchObject({ approved: [] })
    expect(await mirror.approve({ projects: ['foo'] })).toMatchObject({ approved: ['foo'] })
    expect(await names()).toHaveLength(2)
  })
})
