/** The notary's journal over whole syncs: what stands in it, that it is signed, and that no change of it goes unseen. */

import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { openMirrorIndex } from '../../src/cli/mirror-index.ts'
import { verifyJournal, type JournalVerdict } from '../../src/mirror/journal-check.ts'
import { parseJournalFile } from '../../src/mirror/journal-files.ts'
import { readJournal, verifyMirrorJournal } from '../../src/mirror/read-journal.ts'
import { digestEntry, type JournalEntry } from '../../src/mirror/journal.ts'
import type { SyncOptions } from '../../src/mirror/sync.ts'
import { openDatabase } from '../../src/store/database.ts'
import { trustFolder } from './own-client.ts'
import { dayMs, digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

interface Line {
  readonly sequence: number
  readonly kind: string
  readonly project?: string
  readonly act?: string
  readonly [name: string]: unknown
}

function toLine({ detail, prev: _, ...entry }: JournalEntry): Line {
  return { ...entry, ...(JSON.parse(detail) as object) }
}

async function lines(project?: string): Promise<Line[]> {
  const found: Line[] = []
  const filter = project === undefined ? {} : { project }
  await readJournal(mirror.directory, filter, (entry) => {
    found.push(toLine(entry))
    return true
  })
  return found
}

async function kinds(project?: string): Promise<string[]> {
  return (await lines(project)).map(({ kind, act }) =>
    act === undefined ? kind : `${kind} ${act}`,
  )
}

function verify(kept?: { sequence: number; sha256: string }): Promise<JournalVerdict> {
  return verifyMirrorJournal(mirror.directory, kept === undefined ? {} : { kept })
}

/** As somebody with the database in his hands. */
function change(sql: string): void {
  const options = { schema: '', version: 2 }
  const database = openDatabase(join(mirror.directory, 'mirror.db'), options)
  for (const statement of sql.split(';')) database.run(statement)
  database.close()
}

async function signedHead(): Promise<{ sequence: number; sha256: string }> {
  const { 'x-tufgate': ours } = await mirror.readMetadata('timestamp')
  return (ours as unknown as { journal: { sequence: number; sha256: string } }).journal
}

const old = { 'upload-time': '2024-01-01T00:00:00Z' }
const fresh = { 'upload-time': '2026-02-20T00:00:00Z' }
const foo1 = { filename: 'foo-1.0.tar.gz', extra: old }
const foo2 = { filename: 'foo-1.1.tar.gz', extra: fresh }

/** Two projects, signed. */
async function signTwo(): Promise<void> {
  await mirror.init()
  await mirror.putPage('foo', [foo1, foo2])
  await mirror.putPage('bar', ['bar-1.0.tar.gz'])
  expect(await mirror.sync({ projects: ['foo', 'bar'], parallel: 1 })).toMatchObject({ changed: 2 })
  mirror.events.length = 0
}

async function syncLater(options: Partial<SyncOptions> = {}): ReturnType<typeof mirror.sync> {
  mirror.now += hourMs
  return mirror.sync(options)
}

describe('an index', () => {
  test('that goes on as indexes do is signed without a word, and told', async () => {
    await signTwo()
    await mirror.putPage('foo', [foo1, foo2, 'foo-1.2.tar.gz'])
    expect(await syncLater()).toMatchObject({ changed: 1, held: 0, exitCode: 0 })
    expect(await lines()).toMatchObject([
      { sequence: 1, kind: 'new-project', project: 'foo', act: 'signed', count: 2 },
      { sequence: 2, kind: 'new-project', project: 'bar', act: 'signed', count: 1 },
      {
        sequence: 3,
        kind: 'file-added',
        project: 'foo',
        act: 'signed',
        items: [{ file: 'foo-1.2.tar.gz' }],
        record: sha256Hex(await readFile(join(mirror.public, 'targets/simple/foo/index.json'))),
      },
    ])
    expect(mirror.takeEvents('warning')).toEqual([])
    // Nothing happened: nothing is told.
    await syncLater()
    expect(await lines()).toHaveLength(3)
  })

  test('that removes the fixed release is signed with a warning', async () => {
    await signTwo()
    await mirror.putPage('foo', [foo1])
    expect(await syncLater()).toMatchObject({ changed: 1, exitCode: 0 })
    expect(await kinds('foo')).toEqual(['new-project signed', 'newest-removed warned'])
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: 'foo: the newest release was removed: 1.1' },
    ])
  })

  test('that flips yanks is signed with a warning each time', async () => {
    await signTwo()
    await mirror.putPage('foo', [{ ...foo1, yanked: 'broken' }, foo2])
    await syncLater()
    await mirror.putPage('foo', [foo1, foo2])
    await syncLater()
    expect(await kinds('foo')).toEqual(['new-project signed', 'yanked warned', 'unyanked warned'])
    expect(mirror.takeEvents('warning').map(({ message }) => message)).toEqual([
      'foo: a file was yanked: foo-1.0.tar.gz (broken)',
      'foo: a file is not yanked any more: foo-1.0.tar.gz (was broken)',
    ])
  })

  test('that changes a hash is told once, and its file stays as it was signed', async () => {
    await signTwo()
    await mirror.putPage('foo', [{ ...foo1, content: 'evil' }, foo2])
    await syncLater()
    await syncLater()
    expect(await lines('foo')).toMatchObject([
      { kind: 'new-project' },
      {
        kind: 'hash-changed',
        act: 'kept',
        items: [
          {
            file: 'foo-1.0.tar.gz',
            before: digestOf('foo-1.0.tar.gz'),
            after: digestOf('evil'),
          },
        ],
      },
    ])
    expect((await mirror.findRecord('foo'))?.files[0]).toMatchObject({
      sha256: digestOf('foo-1.0.tar.gz'),
    })
  })

  test.each([
    ['revives an old release', [foo1], [foo1, foo2], 'file-revived held'],
    [
      'adds a wheel to a two-year-old release',
      [foo1, foo2],
      [foo1, { filename: 'foo-1.0-py3-none-any.whl', extra: old }, foo2],
      'late-file held',
    ],
  ])('that %s is held, and the other projects go on', async (_what, before, after, told) => {
    await signTwo()
    await mirror.putPage('foo', before)
    await syncLater()
    const signed = await mirror.findRecord('foo')
    await mirror.putPage('foo', after)
    await mirror.putPage('bar', ['bar-1.0.tar.gz', 'bar-1.1.tar.gz'])
    for (let times = 0; times < 2; times += 1) {
      expect(await syncLater()).toMatchObject({ held: 1, isIndexSeen: true, exitCode: 1 })
      expect((await kinds('foo')).filter((kind) => kind.endsWith('held'))).toEqual([told])
    }
    expect(await mirror.findRecord('foo')).toEqual(signed)
    expect((await mirror.findRecord('bar'))?.files).toHaveLength(2)
  })

  test('that is down is told once when it begins, and once when it is over', async () => {
    await signTwo()
    const openIndex: SyncOptions['openIndex'] = async (address) => ({
      ...(await openMirrorIndex(address)),
      fetchPage: () => Promise.reject(new UpstreamError('UNREACHABLE', 'no answer')),
    })
    for (let times = 0; times < 3; times += 1) {
      expect(await syncLater({ openIndex })).toMatchObject({ failed: 2, isIndexSeen: false })
    }
    await syncLater()
    await syncLater()
    expect((await lines()).slice(2)).toMatchObject([
      { kind: 'index-unreachable', index: mirror.index },
      {
        kind: 'index-reachable',
        since: '2026-03-01T13:00:00Z',
        until: '2026-03-01T16:00:00Z',
      },
    ])
  })

  test('whose list does not come is down too', async () => {
    await signTwo()
    const openIndex: SyncOptions['openIndex'] = async (address) => ({
      ...(await openMirrorIndex(address)),
      fetchProjectList: () => Promise.reject(new UpstreamError('TIMED_OUT', 'no answer')),
    })
    await expect(syncLater({ openIndex, all: true })).rejects.toMatchObject({ code: 'TIMED_OUT' })
    expect(await kinds()).toContain('index-unreachable')
  })
})

describe('A20: a page with an older serial than one that was seen', () => {
  let serial = 9
  const openIndex: SyncOptions['openIndex'] = async (address) => {
    const port = await openMirrorIndex(address)
    return {
      ...port,
      fetchPage: async (project, etag) => {
        const answer = await port.fetchPage(project, etag)
        return typeof answer === 'string' ? answer : { ...answer, serial }
      },
    }
  }

  test('is not used, counts as failed, and is told once', async () => {
    serial = 9
    await mirror.init()
    await mirror.putPage('foo', [foo1, foo2])
    await mirror.sync({ projects: ['foo'], openIndex })
    const signed = await mirror.findRecord('foo')
    await mirror.putPage('foo', [foo1])
    serial = 8
    for (let times = 0; times < 3; times += 1) {
      expect(await syncLater({ openIndex })).toMatchObject({ changed: 0, failed: 1, exitCode: 1 })
    }
    expect(await mirror.findRecord('foo')).toEqual(signed)
    expect(mirror.takeEvents('failed')[0]).toMatchObject({
      project: 'foo',
      code: 'VERSION_ROLLBACK',
      message: 'its page has serial 8, and serial 9 was seen before: an old copy is not used',
    })
    expect((await lines('foo')).slice(1)).toMatchObject([
      { kind: 'serial-back', expected: 9, found: 8 },
    ])
    serial = 10
    expect(await syncLater({ openIndex })).toMatchObject({ changed: 1, failed: 0 })
  })

  test('is used where a person says that the index counts anew', async () => {
    serial = 9
    await mirror.init()
    await mirror.putPage('foo', [foo1])
    await mirror.sync({ projects: ['foo'], openIndex })
    await mirror.putPage('foo', [foo1, foo2])
    serial = 1
    expect(await syncLater({ openIndex })).toMatchObject({ failed: 1 })
    expect(await syncLater({ openIndex, acceptIndex: true })).toMatchObject({ changed: 1 })
  })
})

describe('the chain', () => {
  test('is whole, and its head is signed', async () => {
    await signTwo()
    const verdict = await verify()
    expect(verdict).toMatchObject({ entries: 2, findings: [], missing: [] })
    expect(verdict.head).toEqual(await signedHead())
    // Our own client does not mind.
    expect((await trustFolder(mirror.public, mirror.now)).timestamp).toBeDefined()
  })

  test.each([
    [
      'changed',
      "UPDATE journal SET detail = replace(detail, 'signed', 'warned') WHERE sequence = 2",
    ],
    ['given another kind', "UPDATE journal SET kind = 'yanked' WHERE sequence = 2"],
    ['given another project', "UPDATE journal SET project = 'evil' WHERE sequence = 2"],
    ['given another time', 'UPDATE journal SET time = time - 1000 WHERE sequence = 2'],
    ['damaged', "UPDATE journal SET detail = '[' WHERE sequence = 2"],
  ])('shows that a line was %s', async (_what, sql) => {
    await signTwo()
    change(sql)
    expect((await verify()).findings).toMatchObject([{ sequence: 2, what: 'was changed' }])
  })

  test('shows that a line was changed even where its own digest was made to fit', async () => {
    await signTwo()
    await mirror.putPage('foo', [foo1])
    await syncLater()
    change(
      'UPDATE journal SET digest = (SELECT digest FROM journal WHERE sequence = 3) WHERE sequence = 2',
    )
    const found = (await verify()).findings.map(({ sequence }) => sequence)
    expect(found).toEqual([2, 3])
  })

  test('shows that a line was dropped', async () => {
    await signTwo()
    await mirror.putPage('foo', [foo1])
    await syncLater()
    change('DELETE FROM journal WHERE sequence = 2')
    expect((await verify()).findings).toMatchObject([
      { sequence: 3, what: 'entries 2 to 2 are gone' },
      { sequence: 3, what: 'was changed' },
    ])
  })

  test('shows that lines were put in another order', async () => {
    await signTwo()
    change(
      'UPDATE journal SET sequence = 9 WHERE sequence = 1; UPDATE journal SET sequence = 1 WHERE sequence = 2; UPDATE journal SET sequence = 2 WHERE sequence = 9',
    )
    expect((await verify()).findings.length).toBeGreaterThan(0)
  })

  test('shows that its end was cut off, by the signed head', async () => {
    await signTwo()
    change('DELETE FROM journal WHERE sequence = 2')
    expect((await verify()).findings).toMatchObject([
      {
        sequence: 2,
        what: 'and those from 2 on are cut off: timestamp.json knows them',
        expected: '2 entries',
        found: '1 entries',
      },
    ])
  })

  test('shows that it was cut off together with the timestamp, by a head kept elsewhere', async () => {
    await signTwo()
    const timestamp = join(mirror.public, 'metadata/timestamp.json')
    const before = await readFile(timestamp)
    await mirror.putPage('foo', [foo1])
    await syncLater()
    const kept = await signedHead()
    change('DELETE FROM journal WHERE sequence = 3')
    await writeFile(timestamp, before)
    expect((await verify()).findings).toEqual([])
    expect((await verify(kept)).findings).toMatchObject([
      { what: 'and those from 3 on are cut off: the head that was given knows them' },
    ])
  })

  test('shows that a line was changed and all that follow were made to fit, by the signed head', async () => {
    await signTwo()
    const entries = await readAll()
    const evil = rechain(entries, '"count":2', '"count":1')
    const { findings } = verifyJournal(evil, [
      { ...(await signedHead()), source: 'timestamp.json' },
    ])
    expect(findings).toMatchObject([
      { sequence: 2, what: 'is not the one that timestamp.json knows' },
    ])
  })

  test('that was rewritten is not signed: a sync refuses', async () => {
    await signTwo()
    const before = await mirror.readMetadata('timestamp')
    change(
      'UPDATE journal SET digest = (SELECT digest FROM journal WHERE sequence = 1) WHERE sequence = 2',
    )
    await expect(syncLater()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message:
        'The journal in mirror.db is not the one that was signed: its entry 2 is another one',
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
  })

  test('claims of a gap are believed only where the chain leads over them', async () => {
    await signTwo()
    const [, second] = await readAll()
    const detail = JSON.stringify({ first: 1, last: 1, prev: second!.prev })
    const evil = { ...second!, kind: 'entries-missing', detail }
    const { findings } = verifyJournal(
      [evil],
      [{ ...(await signedHead()), source: 'timestamp.json' }],
    )
    expect(findings).toMatchObject([{ sequence: 2, what: 'was changed' }])
  })
})

async function readAll(): Promise<JournalEntry[]> {
  const folder = join(mirror.public, 'journal')
  const { sequence } = await signedHead()
  return parseJournalFile(await readFile(join(folder, `1-${sequence}.jsonl`)))
}

/** As somebody would who knows how it is made, and has no key. */
function rechain(entries: readonly JournalEntry[], from: string, to: string): JournalEntry[] {
  let prev = '0'.repeat(64)
  return entries.map((entry) => {
    const evil = { ...entry, prev, detail: entry.detail.replace(from, to) }
    prev = digestEntry(evil)
    return { ...evil, sha256: prev }
  })
}

describe('the published files', () => {
  test('hold every line up to the signed head, for who has no database', async () => {
    await signTwo()
    const text = await readFile(join(mirror.public, 'journal/1-2.jsonl'), 'utf8')
    const [first, second] = text.trimEnd().split('\n')
    expect(JSON.parse(first!)).toMatchObject({
      sequence: 1,
      time: '2026-03-01T12:00:00Z',
      prev: '0'.repeat(64),
      kind: 'new-project',
    })
    expect(JSON.parse(second!)).toMatchObject({ prev: sha256Hex(Buffer.from(first!)) })
    const head = await signedHead()
    expect(head).toEqual({ sequence: 2, sha256: sha256Hex(Buffer.from(second!)) })
    const witness = { ...head, source: 'timestamp.json' }
    expect(verifyJournal(await readAll(), [witness])).toMatchObject({ entries: 2, findings: [] })
  })

  test('are kept for readers of the timestamp before, and then cleared away', async () => {
    await signTwo()
    await mirror.putPage('foo', [foo1])
    await syncLater()
    const folder = join(mirror.public, 'journal')
    expect((await readdir(folder)).toSorted()).toEqual(['1-2.jsonl', '1-3.jsonl'])
    mirror.now += 3 * dayMs
    await mirror.sync()
    expect(await readdir(folder)).toEqual(['1-3.jsonl'])
  })
})

describe('a database that was put back from a backup', () => {
  const database = (): string => join(mirror.directory, 'mirror.db')

  async function publishBeyondBackup(): Promise<void> {
    await signTwo()
    await copyFile(database(), join(mirror.root, 'backup.db'))
    await mirror.putPage('foo', [foo1])
    await syncLater()
    await mirror.putPage('bar', ['bar-1.0.tar.gz', 'bar-1.1.tar.gz'])
    await syncLater()
    for (const suffix of ['-wal', '-shm']) await rm(database() + suffix, { force: true })
    await copyFile(join(mirror.root, 'backup.db'), database())
  }

  test('gets its entries back from the published files', async () => {
    await publishBeyondBackup()
    await syncLater()
    expect(await kinds()).toEqual([
      'new-project signed',
      'new-project signed',
      'newest-removed warned',
      'file-added signed',
    ])
    expect(await verify()).toMatchObject({ entries: 4, findings: [], missing: [] })
    expect(mirror.takeEvents('warning').map(({ next }) => next)).toContain(
      'Entries 3 to 4 were taken over from the published tree.',
    )
  })

  test('goes on from the signed head, and says which entries are lost', async () => {
    await publishBeyondBackup()
    const head = await signedHead()
    await rm(join(mirror.public, 'journal'), { recursive: true })
    await mirror.putPage('foo', [foo1, 'foo-1.2.tar.gz'])
    await syncLater()
    expect((await lines()).slice(2)).toMatchObject([
      { sequence: 5, kind: 'entries-missing', first: 3, last: 4 },
      { sequence: 6, kind: 'file-added' },
    ])
    const verdict = await verify(head)
    expect(verdict).toMatchObject({ findings: [], missing: [{ first: 3, last: 4 }] })
    expect(verdict.head).toEqual(await signedHead())
  })

  test('does not take over files that somebody has changed', async () => {
    await publishBeyondBackup()
    const path = join(mirror.public, 'journal/1-4.jsonl')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('newest-removed', 'file-removed'))
    await syncLater()
    expect((await verify()).missing).toEqual([{ first: 3, last: 4 }])
  })
})
