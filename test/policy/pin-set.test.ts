import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideFile, decidePage, type Policy } from '../../src/policy/decide.ts'
import { findPin, parsePins, renderPins, type Pin } from '../../src/policy/pin-set.ts'
import { parseRecord } from '../../src/simple/record.ts'
import { rewritePage } from '../../src/simple/rewrite.ts'
import { caught } from '../support/caught.ts'
import { fileJson, pageJson, recordFile, sha256Of } from '../support/pages.ts'

const index = 'https://pypi.org/simple/'
const header = `# tufgate pins 1\n# index: ${index}\n`
const line = `foo 1.0 foo-1.0.zip ${sha256Of('a')}\n`
const pins = parsePins(header + line, 'pins.txt')
const pinned: Policy = { deny: [], minAgeMs: 0, minAgeExcept: [], showHidden: false, pins }

describe('a pins file', () => {
  test('has a line a file, sorted, and a header with the index', () => {
    const text = renderPins(
      [
        { project: 'foo', file: 'foo-1.0.zip', sha256: sha256Of('a') },
        { project: 'bar', file: 'bar-2.0-py3-none-any.whl', sha256: sha256Of('b') },
      ],
      { index, comments: ['by hand'] },
    )
    expect(text).toBe(
      `${header}# by hand\nbar 2.0 bar-2.0-py3-none-any.whl ${sha256Of('b')}\n${line}`,
    )
    expect(parsePins(text, 'pins.txt')).toMatchObject({ index, count: 2, source: 'pins.txt' })
  })

  test('is the same whatever the order, and comes back as it was', () => {
    const pin = fc.record({
      project: fc.constant('foo'),
      file: fc.constantFrom('foo-1.0.zip', 'foo-1.1.zip', 'foo-1.0 b.exe'),
      sha256: fc.constant(sha256Of('a')),
    })
    fc.assert(
      fc.property(fc.array(pin), (list: Pin[]) => {
        const text = renderPins(list, { index })
        expect(renderPins(list.toReversed(), { index })).toBe(text)
        const read = parsePins(text, 'pins.txt').projects.get('foo') ?? new Map()
        expect(new Set(read.keys())).toEqual(new Set(list.map(({ file }) => file)))
      }),
    )
  })

  test('may be edited: comments, empty lines and the line ends of Windows', () => {
    const text = `\uFEFF${header}\n# ours\n${line}${line}`.replaceAll('\n', '\r\n')
    expect(findPin(parsePins(text, 'pins.txt'), 'foo', 'foo-1.0.zip')).toBe(sha256Of('a'))
  })

  test.each([
    ['something else', 'requests==2.0\n', 'pins.txt, line 1: this is no pins file of tufgate'],
    ['an empty file', '', 'pins.txt, line 1: this is no pins file of tufgate'],
    ['half a line', `${header}foo 1.0 foo-1.0.zip\n`, 'pins.txt, line 3: this line names no file'],
    [
      'a digest that is none',
      `${header}foo 1.0 foo-1.0.zip ABC\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a file of another project',
      `${header}foo 1.0 bar-1.0.zip ${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a digest in capitals',
      `${header}foo 1.0 foo-1.0.zip ${sha256Of('a').toUpperCase()}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a name that is not normalized',
      `${header}Foo 1.0 foo-1.0.zip ${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a path in place of a file name',
      `${header}foo 1.0 ../foo-1.0.zip ${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a path within the file name',
      `${header}foo 1.0 foo-1.0/../../x.zip ${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'a path behind an escape',
      `${header}foo 1.0 ..%252Ffoo-1.0.zip ${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    ['a version without a file', `${header}foo 1.0\n`, 'pins.txt, line 3: this line names no file'],
    [
      'a tab in place of a space',
      `${header}foo\t1.0\tfoo-1.0.zip\t${sha256Of('a')}\n`,
      'pins.txt, line 3: this line names no file',
    ],
    [
      'two digests for one name',
      `${header}${line}foo 1.0 foo-1.0.zip ${sha256Of('b')}\n`,
      'pins.txt, line 4: foo-1.0.zip stands twice, with two digests',
    ],
  ])('is refused with the line: %s', (_what, text, message) => {
    const error = caught(() => parsePins(text, 'pins.txt'))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toBe(message)
    expect(error.facts.next).toBeDefined()
  })
})

describe('the decision with pins', () => {
  test('keeps what is pinned', () => {
    expect(decideFile(pinned, 'foo', recordFile('foo-1.0.zip'), 0)).toEqual({ kind: 'keep' })
  })

  test('hides what is not pinned, so that a resolver takes what is', () => {
    expect(decideFile(pinned, 'foo', recordFile('foo-1.1.zip'), 0)).toEqual({
      kind: 'hide',
      code: 'NOT_PINNED',
      reason: 'foo-1.1.zip is not in the pins file pins.txt',
    })
    expect(decideFile(pinned, 'bar', recordFile('bar-1.0.zip'), 0)).toMatchObject({ kind: 'hide' })
  })

  test('refuses another digest loudly, with both', () => {
    const other = recordFile('foo-1.0.zip', { sha256: sha256Of('b') })
    expect(decideFile(pinned, 'foo', other, 0)).toEqual({
      kind: 'refuse',
      code: 'CONFLICT',
      reason: 'sha256 of foo-1.0.zip is not the one in the pins file pins.txt',
      expected: sha256Of('a'),
      found: sha256Of('b'),
    })
  })

  test('shows a page with the pinned versions alone, and no metadata files', () => {
    const files = ['foo-1.0.zip', 'foo-1.1.zip'].map((name) =>
      fileJson(name, { 'core-metadata': { sha256: sha256Of('c') } }),
    )
    const record = parseRecord(pageJson('foo', files), 'foo')
    const { rulings } = decidePage(record, pinned, 0)
    const page = rewritePage(record, rulings, { showHidden: false, hasMetadata: false })
    expect(page.files.map(({ filename }) => filename)).toEqual(['foo-1.0.zip'])
    expect(page.files[0]?.coreMetadata).toBeUndefined()
    expect(page.versions).toEqual(['1.0'])
  })
})
