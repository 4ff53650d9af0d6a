/** Which events a look tells, from what was signed and what the index shows. */

import { describe, expect, test } from 'vitest'
import {
  defaultRemovalLimits,
  isMassRemoval,
  listChanges,
  maxItems,
  type Change,
} from '../../src/mirror/change-kinds.ts'
import { describeChange } from '../../src/mirror/change-words.ts'
import { listPins, mergeProject } from '../../src/mirror/merge.ts'
import { defaultChangePolicy, judgeChanges } from '../../src/mirror/mirror-settings.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import type { RecordContent } from '../../src/simple/record.ts'
import { dayMs, digestOf } from './mirror-fixture.ts'

const first = Date.parse('2026-03-01T12:00:00Z')
const later = first + dayMs

type RawFile = Readonly<Record<string, unknown>>

function file(filename: string, more: RawFile = {}): RawFile {
  const url = `https://files.test/${filename}`
  return { filename, url, hashes: { sha256: digestOf(filename) }, ...more }
}

function wheel(version: string, more: RawFile = {}): RawFile {
  return file(`foo-${version}-py3-none-any.whl`, more)
}

interface Shown {
  readonly files?: readonly RawFile[]
  readonly page?: RawFile
  /** The index has no such project. */
  readonly isAbsent?: boolean
}

function merge(
  previous: RecordContent | undefined,
  { files = [], page, isAbsent }: Shown,
  now: number,
) {
  const raw = { meta: { 'api-version': '1.4' }, name: 'foo', versions: [], files, ...page }
  const shown =
    isAbsent === true ? undefined : parsePageJson(Buffer.from(JSON.stringify(raw)), 'foo')
  return mergeProject({
    project: 'foo',
    previous,
    page: shown,
    pins: listPins(previous?.files ?? []),
    isAllowedUrl: (url) => url.startsWith('https://files'),
    now,
  })
}

function sign(files: readonly RawFile[], page: RawFile = {}): RecordContent {
  return merge(undefined, { files, page }, first).record
}

function compare(previous: RecordContent, shown: Shown, lookedAt = later): Change[] {
  const merged = merge(previous, shown, later)
  return listChanges({ previous, isKnown: true, merged, limits: defaultRemovalLimits, lookedAt })
}

function kindsOf(changes: readonly Change[]): string[] {
  return changes.map(({ kind }) => kind)
}

function uploaded(time: string): RawFile {
  return { 'upload-time': `${time}T00:00:00Z` }
}

const old = wheel('1.0', uploaded('2024-01-01'))
const fresh = wheel('1.1', uploaded('2026-02-20'))

describe('new', () => {
  test('is a project that was never signed, as one event with the number of its files', () => {
    const merged = merge(undefined, { files: [old, fresh] }, first)
    const limits = defaultRemovalLimits
    const input = { previous: undefined, merged, limits, lookedAt: first }
    expect(listChanges({ ...input, isKnown: false })).toEqual([
      { kind: 'new-project', count: 2, items: [] },
    ])
    expect(kindsOf(listChanges({ ...input, isKnown: true }))).toEqual(['record-remade'])
  })

  test('is a file of a new release, and one of a release that began less than 14 days ago', () => {
    const shown = { files: [old, fresh, file('foo-1.1.tar.gz'), wheel('1.2')] }
    expect(compare(sign([old, fresh]), shown)).toEqual([
      {
        kind: 'file-added',
        count: 2,
        items: [{ file: 'foo-1.1.tar.gz' }, { file: 'foo-1.2-py3-none-any.whl' }],
      },
    ])
  })
})

describe('a file added late', () => {
  const evil = file('foo-1.0-cp314-cp314-manylinux_2_28_x86_64.whl', uploaded('2024-01-01'))

  test('is one of a release whose oldest file is older than 14 days, whatever time it says of itself', () => {
    const changes = compare(sign([old, fresh]), { files: [old, fresh, evil] })
    expect(changes).toEqual([
      {
        kind: 'late-file',
        count: 1,
        items: [{ file: evil['filename'], since: '2024-01-01T00:00:00Z' }],
      },
    ])
    expect(judgeChanges(changes, defaultChangePolicy).held).toEqual(changes)
  })

  test('is told by first sight where the index tells no times of upload', () => {
    const previous = sign([wheel('1.0')])
    const shown = { files: [wheel('1.0'), file('foo-1.0.tar.gz')] }
    expect(kindsOf(compare(previous, shown, first + 14 * dayMs))).toEqual(['file-added'])
    expect(kindsOf(compare(previous, shown, first + 14 * dayMs + 1))).toEqual(['late-file'])
  })

  test('counts up to the last look: a mirror that slept does not hold what came in time', () => {
    const previous = sign([wheel('1.0')])
    const shown = { files: [wheel('1.0'), file('foo-1.0.tar.gz')] }
    expect(kindsOf(compare(previous, shown, first + dayMs))).toEqual(['file-added'])
  })

  test('cannot hide behind another spelling of the version', () => {
    const shown = { files: [old, file('foo-1.0.0-1-py3-none-any.whl')] }
    expect(kindsOf(compare(sign([old]), shown))).toEqual(['late-file'])
  })

  test('is late too where the rest of its release was removed before', () => {
    const previous = merge(sign([old, fresh]), { files: [fresh] }, first).record
    expect(kindsOf(compare(previous, { files: [fresh, evil] }))).toEqual(['late-file'])
  })
})

describe('removed', () => {
  const tarball = file('foo-1.0.tar.gz', uploaded('2024-01-01'))

  test('is a file, where others of its release stay', () => {
    expect(compare(sign([old, tarball, fresh]), { files: [old, fresh] })).toEqual([
      { kind: 'file-removed', count: 1, items: [{ file: 'foo-1.0.tar.gz' }] },
    ])
  })

  test('is a whole release, as one', () => {
    expect(compare(sign([old, tarball, fresh]), { files: [fresh] })).toEqual([
      { kind: 'release-removed', count: 1, items: [{ version: '1.0' }] },
    ])
  })

  test('is the newest release by time of upload: a fix of an older branch too', () => {
    const fix = wheel('1.0.1', uploaded('2026-02-28'))
    const changes = compare(sign([old, fresh, fix]), { files: [old, fresh] })
    expect(changes).toEqual([{ kind: 'newest-removed', count: 1, items: [{ version: '1.0.1' }] }])
    expect(judgeChanges(changes, defaultChangePolicy)).toEqual({ held: [], warned: changes })
  })

  test('is the highest version where the index tells no times', () => {
    const previous = sign([wheel('1.9'), wheel('1.10')])
    expect(kindsOf(compare(previous, { files: [wheel('1.9')] }))).toEqual(['newest-removed'])
    expect(kindsOf(compare(previous, { files: [wheel('1.10')] }))).toEqual(['release-removed'])
  })

  test.each([[{ isAbsent: true }], [{ files: [] }]])('is the project itself: %j', (shown) => {
    expect(compare(sign([old, fresh]), shown)).toEqual([
      { kind: 'project-vanished', count: 2, items: [] },
    ])
  })

  const many = Array.from({ length: 40 }, (_, at) => wheel(`1.${at}`))

  test('of more than 20 files and half of a project is told as many, and held', () => {
    const changes = compare(sign(many), { files: many.slice(0, 19) })
    expect(changes[0]).toEqual({ kind: 'many-removed', count: 21, of: 40, items: [] })
    expect(kindsOf(judgeChanges(changes, defaultChangePolicy).held)).toEqual(['many-removed'])
  })

  test.each([20, 25, 39])('is not many where %i of 40 files stay', (kept) => {
    expect(kindsOf(compare(sign(many), { files: many.slice(0, kept) }))).not.toContain(
      'many-removed',
    )
  })

  test.each([
    [9, 9, false],
    [10, 10, true],
    [10, 199, true],
    [10, 200, false],
    [50_000, 900_000, true],
    [45_000, 900_000, false],
  ])('%i of %i projects are many: %s', (gone, lookedAt, isMany) => {
    expect(isMassRemoval(gone, lookedAt, defaultRemovalLimits)).toBe(isMany)
  })
})

describe('revived', () => {
  const removed = merge(sign([old, fresh]), { files: [fresh] }, first).record

  test('is a tombstone that is listed again, and it is held', () => {
    const changes = compare(removed, { files: [old, fresh] })
    expect(changes).toEqual([
      {
        kind: 'file-revived',
        count: 1,
        items: [{ file: old['filename'], since: '2026-03-01T12:00:00Z' }],
      },
    ])
    expect(judgeChanges(changes, defaultChangePolicy).held).toEqual(changes)
  })

  test('with other bytes it is no revival: its name stays bound', () => {
    const evil = { ...old, hashes: { sha256: digestOf('evil') } }
    expect(compare(removed, { files: [evil, fresh] })).toEqual([
      {
        kind: 'hash-changed',
        count: 1,
        items: [
          {
            file: old['filename'],
            before: digestOf(String(old['filename'])),
            after: digestOf('evil'),
          },
        ],
      },
    ])
  })

  test('is a project that had vanished, also with new files alone: its name may have a new owner', () => {
    const vanished = merge(sign([old]), { isAbsent: true }, first).record
    expect(compare(vanished, { files: [old] })).toEqual([
      { kind: 'project-revived', count: 1, of: 1, items: [] },
    ])
    expect(kindsOf(compare(vanished, { files: [wheel('9.0')] }))).toEqual([
      'project-revived',
      'file-added',
    ])
  })
})

describe('changed', () => {
  test('are yanks in both directions, with the reason', () => {
    const yanked = { ...old, yanked: 'CVE-1' }
    expect(compare(sign([old, fresh]), { files: [yanked, { ...fresh, yanked: true }] })).toEqual([
      {
        kind: 'yanked',
        count: 2,
        items: [{ file: old['filename'], after: 'CVE-1' }, { file: fresh['filename'] }],
      },
    ])
    expect(compare(sign([yanked]), { files: [old] })).toEqual([
      { kind: 'unyanked', count: 1, items: [{ file: old['filename'], before: 'CVE-1' }] },
    ])
  })

  test('is a hash, once, however often it is seen; and that it is the signed one again', () => {
    const evil = { ...old, hashes: { sha256: digestOf('evil') } }
    const previous = sign([old])
    expect(kindsOf(compare(previous, { files: [evil] }))).toEqual(['hash-changed'])
    const conflicted = merge(previous, { files: [evil] }, first).record
    // Together with something else: the conflict is no news.
    expect(kindsOf(compare(conflicted, { files: [evil, wheel('1.2')] }))).toEqual(['file-added'])
    expect(kindsOf(compare(conflicted, { files: [old] }))).toEqual(['hash-restored'])
  })

  test.each([
    ['requires-python-changed', { 'requires-python': '>=3.9' }, { 'requires-python': '>=3.12' }],
    ['size-changed', { size: 10 }, { size: 11 }],
    ['host-changed', {}, { url: `https://files2.test/${String(old['filename'])}` }],
    [
      'core-metadata-changed',
      { 'core-metadata': { sha256: digestOf('a') } },
      { 'core-metadata': { sha256: digestOf('b') } },
    ],
    ['details-changed', {}, { provenance: 'https://index.test/provenance' }],
  ])('is told as %s', (kind, before, after) => {
    const changes = compare(sign([{ ...old, ...before }]), { files: [{ ...old, ...after }] })
    expect(changes).toMatchObject([{ kind, count: 1, items: [{ file: old['filename'] }] }])
    expect(judgeChanges(changes, defaultChangePolicy).held).toEqual([])
  })

  test('is no size that is told for the first time', () => {
    expect(kindsOf(compare(sign([old]), { files: [{ ...old, size: 1 }] }))).toEqual([
      'details-changed',
    ])
  })

  test('is the status of the project (PEP 792)', () => {
    const page = { 'project-status': { status: 'quarantined', reason: 'malware' } }
    expect(compare(sign([old]), { files: [old], page })).toEqual([
      {
        kind: 'status-changed',
        count: 1,
        items: [{ before: 'active', after: 'quarantined: malware' }],
      },
    ])
  })

  test('is something even where no kind fits: nothing is signed that is not told', () => {
    const page = { versions: ['1.0', '1.1'] }
    expect(compare(sign([old]), { files: [old], page })).toEqual([
      { kind: 'details-changed', count: 1, items: [] },
    ])
  })
})

test('10,000 changed files are one event with a count and the first few', () => {
  const files = Array.from({ length: 10_000 }, (_, at) => wheel(`1.${at}`))
  const evil = files.map((each) => ({ ...each, hashes: { sha256: digestOf('evil') }, yanked: 'x' }))
  const [change, ...others] = compare(sign(files), { files: evil })
  expect(others).toEqual([])
  expect(change).toMatchObject({ kind: 'hash-changed', count: 10_000 })
  expect(change!.items).toHaveLength(maxItems)
  expect(describeChange(change!)).toMatch(/^10000 files .+ and? ?.*9995 more$/)
})

test('long and odd texts of the index are cut', () => {
  const yanked = `${'y'.repeat(196)}\u{1f600}${'z'.repeat(3000)}`
  const [change] = compare(sign([old]), { files: [{ ...old, yanked }] })
  expect(change!.items[0]!.after).toHaveLength(200)
  expect(change!.items[0]!.after!.isWellFormed()).toBe(true)
})
