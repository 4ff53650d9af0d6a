import { describe, expect, test } from 'vitest'
import { listPins, mergeProject, type Merged, type MergeInput } from '../../src/mirror/merge.ts'
import type { ParsedPage } from '../../src/simple/parse-json.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { parseRecord, renderRecord, type RecordContent } from '../../src/simple/record.ts'
import { resolveUrls } from '../../src/simple/resolve-urls.ts'
import { digestOf } from './mirror-fixture.ts'

const first = Date.parse('2026-03-01T12:00:00Z')
const later = Date.parse('2026-03-02T12:00:00Z')
const host = 'https://files.test/packages'

type RawFile = Readonly<Record<string, unknown>>

function file(filename: string, more: RawFile = {}): RawFile {
  return { filename, url: `${host}/${filename}`, hashes: { sha256: digestOf(filename) }, ...more }
}

function pageOf(files: readonly RawFile[], more: RawFile = {}): ParsedPage {
  const page = { meta: { 'api-version': '1.4' }, name: 'foo', versions: [], files, ...more }
  return parsePageJson(Buffer.from(JSON.stringify(page)), 'foo')
}

function isAllowedUrl(url: string): boolean {
  return new URL(url).host === 'files.test'
}

function merge(input: Partial<MergeInput>): Merged {
  const merged = mergeProject({
    project: 'foo',
    pins: new Map(),
    isAllowedUrl,
    now: later,
    ...input,
  })
  // Whatever comes out must be a record that our own proxy takes.
  parseRecord(renderRecord(merged.record), 'foo')
  return merged
}

function sign(files: readonly RawFile[]): RecordContent {
  return merge({ page: pageOf(files), now: first }).record
}

function names(record: RecordContent): string[] {
  return record.files.map(({ filename }) => filename)
}

const evil = digestOf('evil')

describe('a file that the index shows', () => {
  test('is signed with the time at which it was first seen, which stays', () => {
    const previous = sign([file('foo-1.0.tar.gz')])
    const { record } = merge({
      previous,
      page: pageOf([file('foo-1.0.tar.gz'), file('foo-1.1.tar.gz')]),
    })
    expect(record.files).toMatchObject([{ firstSeen: first }, { firstSeen: later }])
  })

  test('counts by its upload time alone when it was there at the first look at the project', () => {
    const uploaded = { 'upload-time': '2020-01-01T00:00:00.000000Z' }
    const previous = sign([file('foo-1.0.tar.gz', uploaded)])
    expect(previous.files[0]).not.toHaveProperty('firstSeen')
    const { record } = merge({
      previous,
      page: pageOf([file('foo-1.0.tar.gz', uploaded), file('foo-1.1.tar.gz', uploaded)]),
    })
    // What comes later cannot be made old by the index.
    expect(record.files.map(({ firstSeen }) => firstSeen)).toEqual([undefined, later])
  })

  test('follows the index in what it may change: yanking, its URL', () => {
    const previous = sign([file('foo-1.0.tar.gz', { yanked: 'broken' })])
    expect(previous.files[0]).toMatchObject({ yanked: 'broken' })
    const url = 'https://files.test/elsewhere/foo-1.0.tar.gz'
    const changed = file('foo-1.0.tar.gz', { yanked: false, url })
    const [now] = merge({ previous, page: pageOf([changed]) }).record.files
    expect(now).toMatchObject({ url })
    expect(now).not.toHaveProperty('yanked')
  })

  test('keeps its first time of upload: a minimum age neither begins anew nor ends early', () => {
    const previous = sign([
      file('foo-1.0.tar.gz', { 'upload-time': '2026-02-28T00:00:00.000000Z' }),
    ])
    const page = pageOf([file('foo-1.0.tar.gz', { 'upload-time': '2020-01-01T00:00:00.000000Z' })])
    expect(merge({ previous, page }).record.files[0]!.uploadTime).toBe(
      '2026-02-28T00:00:00.000000Z',
    )
  })

  test('loses what begins with "_" and what has no canonical form', () => {
    const page = pageOf(
      [file('foo-1.0.tar.gz', { _serial: 1, weight: 1.5, 'a\nb': 1, note: 'a\u0001', kept: 1 })],
      {
        _extra: 1,
        more: [1],
      },
    )
    const { record } = merge({ page })
    expect([...record.extra]).toEqual([['more', [1]]])
    expect([...record.files[0]!.extra]).toEqual([['kept', 1]])
  })

  test('keeps core-metadata only where it has a sha256', () => {
    const sha256 = digestOf('metadata')
    const page = pageOf([
      file('foo-1.0-py3-none-any.whl', { 'core-metadata': { sha256 } }),
      file('foo-1.1-py3-none-any.whl', { 'core-metadata': true }),
      file('foo-1.2-py3-none-any.whl', { 'core-metadata': { md5: 'a'.repeat(32) } }),
    ])
    const found = merge({ page }).record.files.map(({ coreMetadata }) => coreMetadata)
    expect(found).toEqual([new Map([['sha256', sha256]]), undefined, undefined])
  })

  test('has one digest in the record, whatever else the page says', () => {
    const hashes = { md5: 'a'.repeat(32), sha256: digestOf('x').toUpperCase() }
    const { record } = merge({ page: pageOf([file('foo-1.0.tar.gz', { hashes })]) })
    expect(record.files[0]).toMatchObject({
      sha256: digestOf('x'),
      hashes: new Map([['sha256', digestOf('x')]]),
    })
  })

  test.each([
    ['without a sha256', { hashes: {} }, 'there is no sha256 for it'],
    [
      'on a foreign host',
      { url: 'https://evil.test/foo-1.0.tar.gz' },
      'evil.test is not in file-hosts',
    ],
    [
      'whose URL ends in another name',
      { url: `${host}/foo-2.0.tar.gz` },
      'its URL ends in another name',
    ],
    [
      'of another project',
      { filename: 'foo-bar-1.0.tar.gz', url: `${host}/foo-bar-1.0.tar.gz` },
      'not the name of a file of foo',
    ],
  ])('%s is left out and reported, and the rest goes on', (_what, more, problem) => {
    const { record, leftOut } = merge({
      page: pageOf([file('foo-1.0.tar.gz', more), file('foo-1.1.tar.gz')]),
    })
    expect(names(record)).toEqual(['foo-1.1.tar.gz'])
    expect(leftOut).toEqual([expect.objectContaining({ problem })])
  })

  test('twice on one page counts once', () => {
    const twice = [file('foo-1.0.tar.gz'), file('foo-1.0.tar.gz', { hashes: { sha256: evil } })]
    const { record, leftOut, conflicts } = merge({ page: pageOf(twice) })
    expect(record.files).toMatchObject([{ sha256: digestOf('foo-1.0.tar.gz') }])
    expect(leftOut).toEqual([{ file: 'foo-1.0.tar.gz', problem: 'the page lists it twice' }])
    expect(conflicts).toEqual([])
  })

  test('at the place of the `.metadata` of another is left out', () => {
    const wheel = file('foo-1.0-py3-none-any.whl', { 'core-metadata': { sha256: evil } })
    const clash = file('foo-1.0-py3-none-any.whl.metadata')
    const { record } = merge({ previous: sign([wheel]), page: pageOf([clash, wheel]) })
    expect(names(record)).toEqual(['foo-1.0-py3-none-any.whl'])
  })

  test('makes the version list complete', () => {
    const { record } = merge({
      page: pageOf([file('foo-1.0.tar.gz'), file('foo-1.1.tar.gz')], { versions: ['1.0', '0.9'] }),
    })
    expect(record.versions).toEqual(['1.0', '0.9', '1.1'])
  })
})

describe('a file that was signed', () => {
  const signed = sign([file('foo-1.0.tar.gz')])
  const changed = file('foo-1.0.tar.gz', { hashes: { sha256: evil } })

  test('and has another digest now keeps its entry, marked', () => {
    const { record, conflicts } = merge({ previous: signed, page: pageOf([changed]) })
    expect(record.files).toMatchObject([{ sha256: digestOf('foo-1.0.tar.gz'), conflict: evil }])
    expect(conflicts).toEqual([
      { file: 'foo-1.0.tar.gz', signed: digestOf('foo-1.0.tar.gz'), found: evil },
    ])
  })

  test('A23: changed by the index, does not hold up the later releases of its project', () => {
    const { record } = merge({ previous: signed, page: pageOf([changed, file('foo-1.1.tar.gz')]) })
    expect(names(record)).toEqual(['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    expect(record.files[1]).not.toHaveProperty('conflict')
  })

  test('loses the mark when the index shows the signed digest again', () => {
    const { record } = merge({ previous: signed, page: pageOf([changed]) })
    const healed = merge({ previous: record, page: pageOf([file('foo-1.0.tar.gz')]) })
    expect(healed.record.files[0]).not.toHaveProperty('conflict')
  })

  test('stays as a tombstone when the index does not list it any more', () => {
    const { record, removed } = merge({ previous: signed, page: pageOf([]) })
    expect(removed).toEqual(['foo-1.0.tar.gz'])
    expect(record.files).toMatchObject([
      {
        sha256: digestOf('foo-1.0.tar.gz'),
        removed: '2026-03-02T12:00:00Z',
        yanked: 'removed from the index',
      },
    ])
  })

  test('keeps the time of its removal, and is removed once', () => {
    const { record } = merge({ previous: signed, page: pageOf([]) })
    const again = merge({ previous: record, page: pageOf([]), now: later + 1_000_000 })
    expect(again.record).toEqual(record)
    expect(again.removed).toEqual([])
  })

  test('says in its tombstone why it was yanked before', () => {
    const previous = sign([file('foo-1.0.tar.gz', { yanked: 'broken' })])
    const { record } = merge({ previous, page: pageOf([]) })
    expect(record.files[0]!.yanked).toBe('removed from the index; was yanked before: broken')
  })

  test('comes back with the same digest as if nothing had been', () => {
    const { record } = merge({ previous: signed, page: pageOf([]) })
    const back = merge({ previous: record, page: pageOf([file('foo-1.0.tar.gz')]) })
    expect(back.record).toEqual(signed)
  })

  test('does not come back with another digest after its removal', () => {
    const { record } = merge({ previous: signed, page: pageOf([]) })
    const back = merge({ previous: record, page: pageOf([changed]) })
    expect(back.record.files).toMatchObject([
      { sha256: digestOf('foo-1.0.tar.gz'), removed: '2026-03-02T12:00:00Z', conflict: evil },
    ])
  })

  test('is not signed with another digest even when the record is lost: the name is pinned', () => {
    const pins = new Map([['foo-1.0.tar.gz', digestOf('foo-1.0.tar.gz')]])
    const { record, conflicts } = merge({ pins, page: pageOf([changed]) })
    expect(record.files).toEqual([])
    expect(conflicts).toHaveLength(1)
  })

  test.each([
    [
      'its URL is on a foreign host now',
      file('foo-1.0.tar.gz', { url: 'https://evil.test/foo-1.0.tar.gz' }),
    ],
    ['its sha256 is gone', file('foo-1.0.tar.gz', { hashes: {} })],
  ])('stays as it was signed when %s', (_what, shown) => {
    const { record, removed } = merge({ previous: signed, page: pageOf([shown]) })
    expect(record).toEqual(signed)
    expect(removed).toEqual([])
  })

  test('of a project that has vanished is a tombstone in a record that stays', () => {
    const merged = merge({ previous: signed, page: undefined })
    expect(merged).toMatchObject({ listedBefore: 1, listed: 0 })
    expect(merged.record.files[0]!.removed).toBe('2026-03-02T12:00:00Z')
  })
})

describe('A23: one odd file does not freeze its project', () => {
  test('that was yanked with the longest reason and is removed', () => {
    const previous = sign([file('foo-1.0.tar.gz', { yanked: 'y'.repeat(4096) })])
    const { record } = merge({ previous, page: pageOf([file('foo-1.1.tar.gz')]) })
    expect(record.files.map(({ removed }) => removed)).toEqual([undefined, '2026-03-02T12:00:00Z'])
    expect(record.files[1]!.yanked).toHaveLength(4096)
  })

  test('whose URL is too long once it is percent-encoded', () => {
    const page = pageOf([
      file('foo-1.0.tar.gz', { url: `${host}/${'\u00e9'.repeat(700)}/foo-1.0.tar.gz` }),
      file('foo-1.1.tar.gz'),
    ])
    const merged = merge({ page: resolveUrls(page, 'https://files.test/simple/foo/') })
    expect(names(merged.record)).toEqual(['foo-1.1.tar.gz'])
    expect(merged.leftOut[0]?.problem).toMatch(/^a URL of \d+ characters$/)
  })
})

describe('A7: the `.metadata` of a signed file', () => {
  const wheel = 'foo-1.0-py3-none-any.whl'
  const withMetadata = (sha256: string): RawFile => file(wheel, { 'core-metadata': { sha256 } })
  const genuine = digestOf('METADATA')

  test('is bound like the file itself', () => {
    const record = sign([withMetadata(genuine)])
    expect([...listPins(record.files)]).toEqual([
      [wheel, digestOf(wheel)],
      [`${wheel}.metadata`, genuine],
    ])
  })

  test('is never signed with another content: it is dropped, the file stays, and it is told', () => {
    const previous = sign([withMetadata(genuine)])
    const pins = listPins(previous.files)
    const { record, conflicts } = merge({ previous, pins, page: pageOf([withMetadata(evil)]) })
    expect(conflicts).toEqual([{ file: `${wheel}.metadata`, signed: genuine, found: evil }])
    expect(names(record)).toEqual([wheel])
    expect(record.files[0]?.coreMetadata).toBeUndefined()
  })

  test('is not forgotten while the index does not show it, and may come later than the file', () => {
    const late = merge({ previous: sign([file(wheel)]), page: pageOf([withMetadata(genuine)]) })
    const pins = listPins(late.record.files)
    const without = merge({ previous: late.record, pins, page: pageOf([file(wheel)]) })
    const again = merge({ previous: without.record, pins, page: pageOf([withMetadata(evil)]) })
    expect(again.record.files[0]?.coreMetadata).toBeUndefined()
    expect(again.conflicts).toHaveLength(1)
  })
})
