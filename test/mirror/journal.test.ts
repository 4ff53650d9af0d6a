/** The notary's journal over whole syncs: what stands in it, and what is signed, said and held. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import type { SyncOptions } from '../../src/mirror/sync.ts'
import { foo1, foo2, JournalFixture, lateWheel } from './journal-fixture.ts'
import { digestOf, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let journal: JournalFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  journal = new JournalFixture(mirror)
})
afterEach(() => mirror.remove())

const openDown: SyncOptions['openIndex'] = async (address) => ({
  ...(await openMirrorIndex(address)),
  fetchPage: () => Promise.reject(new UpstreamError('UNREACHABLE', 'no answer')),
})

const openWithoutList: SyncOptions['openIndex'] = async (address) => ({
  ...(await openMirrorIndex(address)),
  fetchProjectList: () => Promise.reject(new UpstreamError('TIMED_OUT', 'no answer')),
})

describe('an index', () => {
  test('that goes on as indexes do is signed without a word, and told', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1, foo2, 'foo-1.2.tar.gz'])
    expect(await journal.syncLater()).toMatchObject({ changed: 1, held: 0, exitCode: 0 })
    expect(await journal.lines()).toMatchObject([
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
    await journal.syncLater()
    expect(await journal.lines()).toHaveLength(3)
  })

  test('that removes the fixed release is signed with a warning', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [foo1])
    expect(await journal.syncLater()).toMatchObject({ changed: 1, exitCode: 0 })
    expect(await journal.kinds('foo')).toEqual(['new-project signed', 'newest-removed warned'])
    expect(mirror.takeEvents('warning')).toMatchObject([
      { message: 'foo: the newest release was removed: 1.1' },
    ])
  })

  test('that flips yanks is signed with a warning each time', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [{ ...foo1, yanked: 'broken' }, foo2])
    await journal.syncLater()
    await mirror.putPage('foo', [foo1, foo2])
    await journal.syncLater()
    expect(await journal.kinds('foo')).toEqual([
      'new-project signed',
      'yanked warned',
      'unyanked warned',
    ])
    expect(mirror.takeEvents('warning').map(({ message }) => message)).toEqual([
      'foo: a file was yanked: foo-1.0.tar.gz (broken)',
      'foo: a file is not yanked any more: foo-1.0.tar.gz (was broken)',
    ])
  })

  test('that changes a hash is told once, and its file stays as it was signed', async () => {
    await journal.signTwo()
    await mirror.putPage('foo', [{ ...foo1, content: 'evil' }, foo2])
    await journal.syncLater()
    await journal.syncLater()
    expect(await journal.lines('foo')).toMatchObject([
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
      [foo1, lateWheel, foo2],
      'late-file held',
    ],
  ])('that %s is held, and the other projects go on', async (_what, before, after, told) => {
    await journal.signTwo()
    await mirror.putPage('foo', before)
    await journal.syncLater()
    const signed = await mirror.findRecord('foo')
    await mirror.putPage('foo', after)
    await mirror.putPage('bar', ['bar-1.0.tar.gz', 'bar-1.1.tar.gz'])
    for (let times = 0; times < 2; times += 1) {
      expect(await journal.syncLater()).toMatchObject({ held: 1, isIndexSeen: true, exitCode: 1 })
      expect((await journal.kinds('foo')).filter((kind) => kind.endsWith('held'))).toEqual([told])
    }
    expect(await mirror.findRecord('foo')).toEqual(signed)
    expect((await mirror.findRecord('bar'))?.files).toHaveLength(2)
  })

  test('that is down is told once when it begins, and once when it is over', async () => {
    await journal.signTwo()
    for (let times = 0; times < 3; times += 1) {
      expect(await journal.syncLater({ openIndex: openDown })).toMatchObject({
        failed: 2,
        isIndexSeen: false,
      })
    }
    await journal.syncLater()
    await journal.syncLater()
    expect((await journal.lines()).slice(2)).toMatchObject([
      { kind: 'index-unreachable' },
      {
        kind: 'index-reachable',
        since: '2026-03-01T13:00:00Z',
        until: '2026-03-01T16:00:00Z',
      },
    ])
  })

  test('whose list does not come is down too', async () => {
    await journal.signTwo()
    await expect(
      journal.syncLater({ openIndex: openWithoutList, all: true }),
    ).rejects.toMatchObject({ code: 'TIMED_OUT' })
    expect(await journal.kinds()).toContain('index-unreachable')
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
      expect(await journal.syncLater({ openIndex })).toMatchObject({
        changed: 0,
        failed: 1,
        exitCode: 1,
      })
    }
    expect(await mirror.findRecord('foo')).toEqual(signed)
    expect(mirror.takeEvents('failed')[0]).toMatchObject({
      project: 'foo',
      code: 'VERSION_ROLLBACK',
      message: 'its page has serial 8, and serial 9 was seen before: an old copy is not used',
    })
    expect((await journal.lines('foo')).slice(1)).toMatchObject([
      { kind: 'serial-back', expected: 9, found: 8 },
    ])
    serial = 10
    expect(await journal.syncLater({ openIndex })).toMatchObject({ changed: 1, failed: 0 })
  })

  test('is used where a person says that the index counts anew', async () => {
    serial = 9
    await mirror.init()
    await mirror.putPage('foo', [foo1])
    await mirror.sync({ projects: ['foo'], openIndex })
    await mirror.putPage('foo', [foo1, foo2])
    serial = 1
    expect(await journal.syncLater({ openIndex })).toMatchObject({ failed: 1 })
    expect(await journal.syncLater({ openIndex, acceptIndex: true })).toMatchObject({ changed: 1 })
  })
})
