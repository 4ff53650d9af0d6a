import { describe, expect, test } from 'vitest'
import { draftRecord, type DraftInput } from '../../src/owner/draft-record.ts'
import { parseRecord, type ProjectRecord } from '../../src/simple/record.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { fileJson, pageJson } from '../support/pages.ts'
import { digestOf } from '../mirror/mirror-fixture.ts'
import { localFile, shownFile } from './maintainer.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const [first, second] = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']
const wheel = 'foo-1.1-py3-none-any.whl'

function signedRecord(...files: readonly unknown[]): ProjectRecord {
  return parseRecord(pageJson('foo', files), 'foo')
}

function entry(filename: string, extra: object = {}): unknown {
  return fileJson(filename, {
    url: `https://files.test/files/${filename}`,
    hashes: { sha256: digestOf(filename) },
    size: filename.length,
    ...extra,
  })
}

function draft(input: Partial<DraftInput>) {
  return draftRecord({
    project: 'foo',
    local: [],
    onlyChecked: false,
    yank: new Map(),
    unyank: [],
    remove: [],
    now,
    ...input,
  })
}

describe('what an owner signs', () => {
  test('is what he has here, and what was signed before, which is named as not checked', () => {
    const { record, checked, takenOver, unsigned } = draft({
      previous: signedRecord(entry(first)),
      page: { files: [shownFile(first), shownFile(second), shownFile('foo-6.6.tar.gz')] },
      local: [localFile(second)],
    })
    expect(record.files.map(({ filename }) => filename)).toEqual([first, second])
    expect({ checked, takenOver, unsigned }).toEqual({
      checked: [second],
      takenOver: [first],
      unsigned: ['foo-6.6.tar.gz'],
    })
    expect(record.files[1]).toMatchObject({ size: second.length, firstSeen: now })
  })

  test('is only what he has here, where he says so, and tombstones', () => {
    const removed = { _removed: '2026-01-01T00:00:00Z' }
    const { record, leftOut } = draft({
      previous: signedRecord(entry(first), entry('foo-0.9.tar.gz', removed)),
      page: { files: [shownFile(second)] },
      local: [localFile(second)],
      onlyChecked: true,
    })
    expect(record.files.map(({ filename }) => filename)).toEqual(['foo-0.9.tar.gz', second])
    expect(leftOut).toEqual([first])
  })

  test('needs no index where every file was signed before', () => {
    const { checked, record } = draft({
      previous: signedRecord(entry(first)),
      local: [localFile(first)],
    })
    expect(checked).toEqual([first])
    expect(record.files[0]?.firstSeen).toBeUndefined()
  })

  test('yanks, lifts a yank and removes, by his word alone', () => {
    const previous = signedRecord(entry(first), entry(second, { yanked: 'old' }), entry(wheel))
    const yanked = draft({ previous, yank: new Map([['1.0.0', 'breaks']]), unyank: ['1.1'] })
    expect(yanked.record.files.map((file) => file.yanked)).toEqual(['breaks', undefined, undefined])
    const { record } = draft({ previous, remove: [first] })
    expect(record.files[0]).toMatchObject({
      removed: '2026-03-01T12:00:00Z',
      yanked: 'removed by its maintainers',
    })
  })

  test('does not follow a yank of the index, and says so', () => {
    const { record, remarks } = draft({
      previous: signedRecord(entry(first)),
      page: { files: [{ ...shownFile(first), yanked: 'hijacked' }] },
      local: [localFile(first)],
    })
    expect(record.files[0]?.yanked).toBeUndefined()
    expect(remarks).toEqual([
      { file: first, remark: 'the index shows it as yanked, which is not signed (--yank)' },
    ])
  })

  test('takes requires-python from the wheel itself', () => {
    const metadata = { sha256: digestOf('METADATA'), requiresPython: '>=3.9' }
    const page = { files: [{ ...shownFile(wheel), requiresPython: '>=99' }] }
    const { record, remarks } = draft({ page, local: [{ ...localFile(wheel), metadata }] })
    expect(record.files[0]?.requiresPython).toBe('>=3.9')
    expect(remarks[0]?.remark).toBe('the index says requires-python >=99, signed is >=3.9')
  })

  test('does not keep a quarantine: the mirror has a role of its own for it', () => {
    const page = pageJson('foo', [entry(first)], { 'project-status': { status: 'quarantined' } })
    expect(draft({ previous: parseRecord(page, 'foo') }).record.status).toBeUndefined()
  })
})

describe('an owner does not sign', () => {
  test('another file than the one that he has', async () => {
    const page = { files: [shownFile(second, 'evil')] }
    await expectRefusal(
      () => draft({ page, local: [localFile(second, 'mine')] }),
      'DIGEST_MISMATCH',
      `${second} is not the file that the index shows: another sha256`,
    )
  })

  test('another .metadata file than the one in the wheel', async () => {
    const shown = { ...shownFile(wheel), coreMetadata: new Map([['sha256', digestOf('evil')]]) }
    const metadata = { sha256: digestOf('METADATA') }
    await expectRefusal(
      () => draft({ page: { files: [shown] }, local: [{ ...localFile(wheel), metadata }] }),
      'DIGEST_MISMATCH',
      'another METADATA',
    )
  })

  test('another size than the one that the index shows', async () => {
    const page = { files: [{ ...shownFile(second), size: 1 }] }
    await expectRefusal(
      () => draft({ page, local: [localFile(second)] }),
      'DIGEST_MISMATCH',
      'another size',
    )
  })

  test('a name a second time with another content, though the index shows that', async () => {
    const page = { files: [shownFile(first, 'rebuilt')] }
    await expectRefusal(
      () =>
        draft({ previous: signedRecord(entry(first)), page, local: [localFile(first, 'rebuilt')] }),
      'DIGEST_MISMATCH',
      'another signed sha256',
    )
  })

  test('a file of another project', async () => {
    const name = 'bar-1.0.tar.gz'
    await expectRefusal(
      () => draft({ page: { files: [shownFile(name)] }, local: [localFile(name)] }),
      'RECORD_REFUSED',
      'not the name of a file of foo',
    )
  })

  test('what the index does not list, nor anything twice', async () => {
    await expectRefusal(
      () => draft({ page: { files: [] }, local: [localFile(first)] }),
      'CONFIG_INVALID',
      `The index does not list ${first}`,
    )
    await expectRefusal(
      () => draft({ local: [localFile(first)] }),
      'CONFIG_INVALID',
      `The signed record does not list ${first}`,
    )
    const page = { files: [shownFile(first)] }
    await expectRefusal(
      () => draft({ page, local: [localFile(first), localFile(first)] }),
      'CONFIG_INVALID',
      'given twice',
    )
  })

  test.each([
    [{ yank: new Map([['9', '']]) }, 'There is no file of version 9'],
    [{ unyank: ['9'] }, 'There is no file of version 9'],
    [{ remove: ['foo-9.tar.gz'] }, 'There is no file foo-9.tar.gz in the record'],
  ])('of what is not there: %o', async (input, message) => {
    const previous = signedRecord(entry(first))
    await expectRefusal(() => draft({ previous, ...input }), 'CONFIG_INVALID', message)
  })
})
