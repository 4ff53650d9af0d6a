/** No change of the journal goes unseen, and nothing that was signed is forgotten without a word. */

import { copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { verifyJournal } from '../../src/mirror/journal-check.ts'
import { parseJournalFile } from '../../src/mirror/journal-files.ts'
import { digestEntry, type JournalEntry } from '../../src/mirror/journal.ts'
import { openMirror, readMirror } from '../../src/mirror/open-mirror.ts'
import { verifyPublishedJournal } from '../../src/mirror/published-journal.ts'
import { openDatabase } from '../../src/store/database.ts'
import { caught } from '../support/caught.ts'
import { foo1, JournalFixture } from './journal-fixture.ts'
import { dayMs, MirrorFixture } from './mirror-fixture.ts'
import { trustFolder } from './own-client.ts'

let mirror: MirrorFixture
let journal: JournalFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  journal = new JournalFixture(mirror)
})
afterEach(() => mirror.remove())

const database = (): string => join(mirror.directory, 'mirror.db')

describe('the chain', () => {
  test('is whole, and its head is signed', async () => {
    await journal.signTwo()
    const verdict = await journal.verify()
    expect(verdict).toMatchObject({ entries: 2, findings: [], missing: [] })
    expect(verdict.head).toEqual(await journal.signedHead())
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
    await journal.signTwo()
    journal.change(sql)
    expect((await journal.verify()).findings).toMatchObject([{ sequence: 2, what: 'was changed' }])
  })

  test('shows that a line was changed even where its own digest was made to fit', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1])
    await journal.syncLater()
    journal.change(
      'UPDATE journal SET digest = (SELECT digest FROM journal WHERE sequence = 3) WHERE sequence = 2',
    )
    const found = (await journal.verify()).findings.map(({ sequence }) => sequence)
    expect(found).toEqual([2, 3])
  })

  test('shows that a line was dropped', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1])
    await journal.syncLater()
    journal.change('DELETE FROM journal WHERE sequence = 2')
    expect((await journal.verify()).findings).toMatchObject([
      { sequence: 3, what: 'entries 2 to 2 are gone' },
      { sequence: 3, what: 'was changed' },
    ])
  })

  test('shows that lines were put in another order', async () => {
    await journal.signTwo()
    journal.change(
      'UPDATE journal SET sequence = 9 WHERE sequence = 1; UPDATE journal SET sequence = 1 WHERE sequence = 2; UPDATE journal SET sequence = 2 WHERE sequence = 9',
    )
    expect((await journal.verify()).findings.length).toBeGreaterThan(0)
  })

  test('shows that its end was cut off, by the signed head', async () => {
    await journal.signTwo()
    journal.change('DELETE FROM journal WHERE sequence = 2')
    expect((await journal.verify()).findings).toMatchObject([
      {
        sequence: 2,
        what: 'and those from 2 on are cut off: timestamp.json knows them',
        expected: '2 entries',
        found: '1 entries',
      },
    ])
  })

  test('shows that it was cut off together with the timestamp, by a head kept elsewhere', async () => {
    await journal.signTwo()
    const timestamp = join(mirror.public, 'metadata/timestamp.json')
    const before = await readFile(timestamp)
    await mirror.putPage('foo', [foo1])
    await journal.syncLater()
    const kept = await journal.signedHead()
    journal.change('DELETE FROM journal WHERE sequence = 3')
    await writeFile(timestamp, before)
    expect((await journal.verify()).findings).toEqual([])
    expect((await journal.verify(kept)).findings).toMatchObject([
      { what: 'and those from 3 on are cut off: the head that was given knows them' },
    ])
  })

  test('shows that a line was changed and all that follow were made to fit, by the signed head', async () => {
    await journal.signTwo()
    const entries = await readAll()
    const evil = rechain(entries, '"count":2', '"count":1')
    const { findings } = verifyJournal(evil, [
      { ...(await journal.signedHead()), source: 'timestamp.json' },
    ])
    expect(findings).toMatchObject([
      { sequence: 2, what: 'is not the one that timestamp.json knows' },
    ])
  })

  test('that was rewritten is not signed: a sync refuses', async () => {
    await journal.signTwo()
    const before = await mirror.readMetadata('timestamp')
    journal.change(
      'UPDATE journal SET digest = (SELECT digest FROM journal WHERE sequence = 1) WHERE sequence = 2',
    )
    await expect(journal.syncLater()).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message:
        'The journal in mirror.db is not the one that was signed: its entry 2 is another one',
    })
    expect(await mirror.readMetadata('timestamp')).toEqual(before)
  })

  test('claims of a gap are believed only where the chain leads over them', async () => {
    await journal.signTwo()
    const [, second] = await readAll()
    const detail = JSON.stringify({ first: 1, last: 1, prev: second!.prev })
    const evil = { ...second!, kind: 'entries-missing', detail }
    const { findings } = verifyJournal(
      [evil],
      [{ ...(await journal.signedHead()), source: 'timestamp.json' }],
    )
    expect(findings).toMatchObject([{ sequence: 2, what: 'was changed' }])
  })
})

/** So many events of no matter what. */
async function append(count: number): Promise<void> {
  const open = await openMirror(mirror.directory, mirror.context)
  const event = { kind: 'details-changed', project: 'foo', detail: { act: 'signed' } } as const
  open.ledger.database.transaction(() =>
    open.journal.append(
      Array.from({ length: count }, () => event),
      mirror.now,
    ),
  )
  await open.close()
}

async function readAll(): Promise<JournalEntry[]> {
  const folder = join(mirror.public, 'journal')
  const { sequence } = await journal.signedHead()
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

test('a change that the journal cannot tell is not made: both are in one transaction', async () => {
  await journal.signTwo()
  const before = await readMirror(mirror.directory, ({ ledger }) => ledger.findProject('foo'))
  const options = { schema: '', version: 2 }
  const whole = openDatabase(database(), options)
  whole.run(
    "CREATE TRIGGER stop BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no more'); END",
  )
  await mirror.putPage('foo', [foo1])
  await expect(journal.syncLater()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  expect(whole.get("SELECT sha256 FROM project WHERE name = 'foo'")).toMatchObject({
    sha256: before?.sha256,
  })
  whole.run('DROP TRIGGER stop')
  whole.close()
  expect(await journal.syncLater()).toMatchObject({ changed: 1, exitCode: 0 })
  expect(await journal.kinds('foo')).toEqual(['new-project signed', 'newest-removed warned'])
})

describe('the published files', () => {
  test('hold every line up to the signed head, for who has no database', async () => {
    await journal.signTwo()
    const text = await readFile(join(mirror.public, 'journal/1-2.jsonl'), 'utf8')
    const [first, second] = text.trimEnd().split('\n')
    expect(JSON.parse(first!)).toMatchObject({
      sequence: 1,
      time: '2026-03-01T12:00:00Z',
      prev: '0'.repeat(64),
      kind: 'new-project',
    })
    expect(JSON.parse(second!)).toMatchObject({ prev: sha256Hex(Buffer.from(first!)) })
    const head = await journal.signedHead()
    expect(head).toEqual({ sequence: 2, sha256: sha256Hex(Buffer.from(second!)) })
    const witness = { ...head, source: 'timestamp.json' }
    expect(verifyJournal(await readAll(), [witness])).toMatchObject({ entries: 2, findings: [] })
  })

  test('are proven by a pinned root alone; what is missing or changed in them shows', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1])
    await journal.syncLater()
    const root = await readFile(join(mirror.public, 'metadata/1.root.json'))
    const verdict = verifyPublishedJournal(mirror.public, { root })
    expect(verdict).toMatchObject({ entries: 3, findings: [], head: await journal.signedHead() })
    const path = join(mirror.public, 'journal/1-3.jsonl')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"project":"bar"', '"project":"baz"'))
    expect(verifyPublishedJournal(mirror.public, { root }).findings).toMatchObject([
      { sequence: 3, what: 'does not follow the one before' },
      { sequence: 3, what: 'was changed' },
    ])
    await rm(path)
    expect(verifyPublishedJournal(mirror.public, { root }).findings).toMatchObject([
      { what: 'and those from 1 on are cut off: timestamp.json knows them' },
    ])
    const another = await MirrorFixture.create()
    await another.init()
    const foreign = await readFile(join(another.public, 'metadata/1.root.json'))
    await another.remove()
    expect(caught(() => verifyPublishedJournal(mirror.public, { root: foreign }))).toMatchObject({
      code: 'SIGNATURE_THRESHOLD',
    })
    expect(caught(() => verifyPublishedJournal(mirror.root, { root }))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${mirror.root} is no published tree`,
    })
  })

  test('hold 500 lines each, and never change once they are full', async () => {
    await journal.signTwo()
    await append(503)
    await journal.syncLater()
    const folder = join(mirror.public, 'journal')
    expect((await readdir(folder)).toSorted()).toEqual([
      '1-2.jsonl',
      '1-500.jsonl',
      '1-500.jsonl.gz',
      '501-505.jsonl',
    ])
    const full = await stat(join(folder, '1-500.jsonl'))
    await append(1)
    await journal.syncLater()
    expect(await readdir(folder)).toContain('501-506.jsonl')
    expect((await stat(join(folder, '1-500.jsonl'))).ino).toBe(full.ino)
    const root = await readFile(join(mirror.public, 'metadata/1.root.json'))
    expect(verifyPublishedJournal(mirror.public, { root })).toMatchObject({
      entries: 506,
      findings: [],
    })
  })

  test('are kept for readers of the timestamp before, and then cleared away', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1])
    await journal.syncLater()
    const folder = join(mirror.public, 'journal')
    expect((await readdir(folder)).toSorted()).toEqual(['1-2.jsonl', '1-3.jsonl'])
    mirror.now += 3 * dayMs
    await mirror.sync()
    expect(await readdir(folder)).toEqual(['1-3.jsonl'])
  })
})

async function publishBeyondBackup(): Promise<void> {
  await journal.signTwo()
  await copyFile(database(), join(mirror.root, 'backup.db'))
  await mirror.putPage('foo', [foo1])
  await journal.syncLater()
  await mirror.putPage('bar', ['bar-1.0.tar.gz', 'bar-1.1.tar.gz'])
  await journal.syncLater()
  for (const suffix of ['-wal', '-shm']) await rm(database() + suffix, { force: true })
  await copyFile(join(mirror.root, 'backup.db'), database())
}

describe('a database that was put back from a backup', () => {
  test('gets its entries back from the published files', async () => {
    await publishBeyondBackup()
    await journal.syncLater()
    expect(await journal.kinds()).toEqual([
      'new-project signed',
      'new-project signed',
      'newest-removed warned',
      'file-added signed',
    ])
    expect(await journal.verify()).toMatchObject({ entries: 4, findings: [], missing: [] })
    expect(mirror.takeEvents('warning').map(({ next }) => next)).toContain(
      'Entries 3 to 4 were taken over from the published tree.',
    )
  })

  test('goes on from the signed head, and says which entries are lost', async () => {
    await publishBeyondBackup()
    const head = await journal.signedHead()
    await rm(join(mirror.public, 'journal'), { recursive: true })
    await mirror.putPage('foo', [foo1, 'foo-1.2.tar.gz'])
    await journal.syncLater()
    expect((await journal.lines()).slice(2)).toMatchObject([
      { sequence: 5, kind: 'entries-missing', first: 3, last: 4 },
      { sequence: 6, kind: 'file-added' },
    ])
    const verdict = await journal.verify(head)
    expect(verdict).toMatchObject({ findings: [], missing: [{ first: 3, last: 4 }] })
    expect(verdict.head).toEqual(await journal.signedHead())
  })

  test('does not take over files that somebody has changed', async () => {
    await publishBeyondBackup()
    const path = join(mirror.public, 'journal/1-4.jsonl')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('newest-removed', 'file-removed'))
    await journal.syncLater()
    expect((await journal.verify()).missing).toEqual([{ first: 3, last: 4 }])
  })
})
