/** What stands in the bytes of a file stays as it was, whatever the index says of the same bytes later. */

import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { listChanges, defaultRemovalLimits, type Change } from '../../src/mirror/change-kinds.ts'
import { listPins, mergeProject, type Merged, type MergeInput } from '../../src/mirror/merge.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { parseRecord, renderRecord, type RecordContent } from '../../src/simple/record.ts'
import { digestOf } from './mirror-fixture.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const name = 'foo-1.0-py3-none-any.whl'

type RawFile = Readonly<Record<string, unknown>>

function shown(more: RawFile = {}, filename = name): RawFile {
  const hashes = { sha256: digestOf('bytes') }
  return { filename, url: `https://files.test/${filename}`, hashes, ...more }
}

function look(
  previous: RecordContent | undefined,
  files: readonly RawFile[],
  more: Partial<MergeInput> = {},
): Merged {
  const page = { meta: { 'api-version': '1.4' }, name: 'foo', versions: [], files }
  const merged = mergeProject({
    project: 'foo',
    previous,
    page: parsePageJson(Buffer.from(JSON.stringify(page)), 'foo'),
    pins: listPins(previous?.files ?? []),
    isAllowedUrl: () => true,
    now,
    ...more,
  })
  // As it is read again at the next look.
  return { ...merged, record: parseRecord(renderRecord(merged.record), 'foo') }
}

function metadata(of: string): RawFile {
  return { 'core-metadata': { sha256: digestOf(of) } }
}

/** The record after looks at pages that say this of one file, the first one first. */
function lookAtAll(says: readonly RawFile[]): RecordContent {
  let record: RecordContent | undefined
  for (const said of says) record = look(record, [shown(said)]).record
  return record ?? look(undefined, []).record
}

function compare(previous: RecordContent, files: readonly RawFile[]): Change[] {
  const merged = look(previous, files)
  const limits = defaultRemovalLimits
  return listChanges({ previous, isKnown: true, merged, limits, lookedAt: now })
}

describe('A23: another size of a file whose sha256 is signed', () => {
  test('is not signed, and nothing else is: the sha256 decides alone', () => {
    const [file] = lookAtAll([{ size: 1000 }, { size: 7 }]).files
    expect(file).toMatchObject({ sha256: digestOf('bytes'), toldSize: 1000 })
    expect(file).not.toHaveProperty('size')
  })

  test('frees a file that was frozen by a lie at the first look', () => {
    const [file] = lookAtAll([{ size: 7 }, { size: 1000 }]).files
    expect(file).not.toHaveProperty('size')
    // How much a client is ready to read.
    expect(file).toMatchObject({ toldSize: 1000 })
  })

  test('in no order of lies denies a file that is there, nor makes it seem smaller', () => {
    const size = fc.option(fc.constantFrom(0, 7, 1000, 5_000_000), { nil: undefined })
    fc.assert(
      fc.property(fc.array(size, { minLength: 2, maxLength: 6 }), (sizes) => {
        const says = sizes.map((each) => (each === undefined ? {} : { size: each }))
        const [file] = lookAtAll(says).files
        const told = sizes.filter((each) => each !== undefined)
        if (sizes[0] !== undefined && new Set(told).size === 1) expect(file?.size).toBe(told[0])
        else expect(file).not.toHaveProperty('size')
        if (file?.size === undefined && told.length > 0)
          expect(file?.toldSize).toBe(Math.max(...told))
      }),
    )
  })

  test('that is told later than the file is a hint, and refuses nothing', () => {
    const [file] = lookAtAll([{}, { size: 7 }]).files
    expect(file).toMatchObject({ toldSize: 7 })
    expect(file).not.toHaveProperty('size')
  })

  test('stays signed while the index says nothing of it', () => {
    expect(lookAtAll([{ size: 1000 }, {}, { size: 1000 }]).files[0]).toMatchObject({ size: 1000 })
  })

  test('is told once, with both', () => {
    const signed = lookAtAll([{ size: 1000 }])
    expect(compare(signed, [shown({ size: 7 })])).toEqual([
      { kind: 'size-changed', count: 1, items: [{ file: name, before: '1000', after: '7' }] },
    ])
    const freed = look(signed, [shown({ size: 7 })]).record
    expect(look(freed, [shown({ size: 7 })]).record).toEqual(freed)
    expect(look(freed, [shown({ size: 1000 })]).record).toEqual(freed)
  })
})

describe('A12: another requires-python of a file whose sha256 is signed', () => {
  const genuine = { 'requires-python': '>=3.9' }
  const evil = { 'requires-python': '>=99' }

  test('is not signed: the first one stays, and what the index shows stands beside it', () => {
    expect(lookAtAll([genuine, evil]).files[0]).toMatchObject({
      requiresPython: '>=3.9',
      shownRequiresPython: '>=99',
    })
  })

  test('is not signed where there was none: installers read it in the file', () => {
    const [file] = lookAtAll([{}, evil]).files
    expect(file).not.toHaveProperty('requiresPython')
    expect(file).toMatchObject({ shownRequiresPython: '>=99' })
  })

  test('is not taken away either', () => {
    expect(lookAtAll([genuine, {}]).files[0]).toMatchObject({
      requiresPython: '>=3.9',
      shownRequiresPython: '',
    })
  })

  test('is told once, and again when it is another one; that it is the first one again is a detail', () => {
    const signed = lookAtAll([genuine])
    expect(compare(signed, [shown(evil)])).toEqual([
      {
        kind: 'requires-python-changed',
        count: 1,
        items: [{ file: name, before: '>=3.9', after: '>=99' }],
      },
    ])
    const lied = lookAtAll([genuine, evil])
    expect(look(lied, [shown(evil)]).record).toEqual(lied)
    expect(compare(lied, [shown()])).toMatchObject([
      { kind: 'requires-python-changed', items: [{ file: name, before: '>=3.9' }] },
    ])
    expect(compare(lied, [shown(genuine)])).toMatchObject([{ kind: 'details-changed' }])
    expect(lookAtAll([genuine, evil, genuine])).toEqual(signed)
  })

  test('stays through a removal and a return of the file', () => {
    const removed = look(lookAtAll([genuine]), []).record
    expect(look(removed, [shown(evil)]).record.files[0]).toMatchObject({ requiresPython: '>=3.9' })
  })

  test('is taken over where the operator wants that, and then nothing stands beside it', () => {
    const lied = lookAtAll([genuine, evil])
    const [file] = look(lied, [shown(evil)], { followsRequiresPython: true }).record.files
    expect(file).toMatchObject({ requiresPython: '>=99' })
    expect(file).not.toHaveProperty('shownRequiresPython')
  })
})

describe('another spelling of a signed file name', () => {
  const spelled = 'Foo-1.0.0-py3-none-any.whl'
  const evil = { hashes: { sha256: digestOf('evil') } }

  test.each([spelled, 'foo-v1.0-py3-none-any.whl', 'FOO-01.0-py3-none-any.whl'])(
    '%s with other bytes is not signed: the first one stays, and is no conflict itself',
    (filename) => {
      const files = [shown(evil, filename), shown()]
      for (const page of [files, files.toReversed()]) {
        const { record, conflicts } = look(lookAtAll([{}]), page)
        expect(record.files.map((file) => file.filename)).toEqual([name])
        expect(record.files[0]).toMatchObject({ respelled: digestOf('evil') })
        expect(record.files[0]).not.toHaveProperty('conflict')
        expect(conflicts).toEqual([
          {
            file: filename,
            signedAs: name,
            signed: digestOf('bytes'),
            found: digestOf('evil'),
          },
        ])
      }
    },
  )

  test('is told once, by the name that the index shows', () => {
    const signed = lookAtAll([{}])
    const page = [shown(), shown(evil, spelled)]
    expect(compare(signed, page)).toEqual([
      {
        kind: 'another-spelling',
        count: 1,
        items: [{ file: spelled, before: digestOf('bytes'), after: digestOf('evil') }],
      },
    ])
    const marked = look(signed, page).record
    expect(look(marked, page).record).toEqual(marked)
  })

  test('does not take the place of a file that the index does not list any more', () => {
    const { record, removed } = look(lookAtAll([{}]), [shown(evil, spelled)])
    expect(removed).toEqual([name])
    expect(record.files).toMatchObject([{ filename: name, respelled: digestOf('evil') }])
  })

  test('is bound by the pin alone where the record is lost', () => {
    const pins = new Map([[name, digestOf('bytes')]])
    const { record, conflicts } = look(undefined, [shown(evil, spelled)], { pins })
    expect(record.files).toEqual([])
    expect(conflicts).toMatchObject([{ file: spelled, signedAs: name }])
  })

  test('with the same bytes is fine, and says nothing else of them', () => {
    const signed = lookAtAll([{ size: 1000, 'requires-python': '>=3.9' }])
    const other = shown({ size: 7, 'requires-python': '>=99' }, spelled)
    const { record, conflicts } = look(signed, [shown({ size: 1000 }), other])
    expect(conflicts).toEqual([])
    const second = record.files.find(({ filename }) => filename === spelled)
    expect(second).toMatchObject({ sha256: digestOf('bytes'), requiresPython: '>=3.9' })
    expect(second).not.toHaveProperty('size')
  })

  test('cannot bring another `.metadata` file with the same bytes (A7)', () => {
    const signed = lookAtAll([metadata('genuine')])
    const page = [shown(metadata('genuine')), shown(metadata('evil'), spelled)]
    const { record, conflicts } = look(signed, page)
    expect(conflicts).toMatchObject([{ file: `${spelled}.metadata`, signedAs: `${name}.metadata` }])
    expect(record.files.map(({ coreMetadata }) => coreMetadata !== undefined)).toEqual([
      true,
      false,
    ])
  })

  test('beside the first at the first look is a file of its own, as old projects have them', () => {
    const both = [shown(), shown(evil, spelled)]
    const { record } = look(undefined, both)
    expect(record.files).toHaveLength(2)
    const again = look(record, both)
    expect(again.conflicts).toEqual([])
    expect(again.record).toEqual(record)
  })

  test('is not a wheel with other tags, another build, or another kind of archive', () => {
    const others = [
      'foo-1.0-py2.py3-none-any.whl',
      'foo-1.0-1-py3-none-any.whl',
      'foo-1.0.tar.gz',
      'foo-1.0.zip',
    ]
    const files = others.map((filename) =>
      shown({ hashes: { sha256: digestOf(filename) } }, filename),
    )
    const { record, conflicts } = look(lookAtAll([{}]), [shown(), ...files])
    expect(conflicts).toEqual([])
    expect(record.files).toHaveLength(5)
  })
})
