import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { isSameDemand, parseDeclaredMetadata } from '../../src/simple/declared-metadata.ts'

const head = 'Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n'

const parse = (text: string, version = '1.0') =>
  parseDeclaredMetadata(encodeUtf8(text), 'foo-bar', version)

describe('a METADATA file', () => {
  it('declares a summary and requirements, as written', () => {
    const text = `${head}Summary: A foo\nRequires-Dist: bar (>=1)\nrequires-dist: Baz; extra == 'x'\n\nRequires-Dist: none-of-the-body\n`
    expect(parse(text)).toEqual({
      summary: 'A foo',
      requirements: ['bar (>=1)', "Baz; extra == 'x'"],
    })
  })

  it('declares that it needs nothing', () => {
    expect(parse(head)).toEqual({ requirements: [] })
  })

  it('may have Windows line ends, a description in its head, and another spelling of its version', () => {
    const text = `${head}Description: long\n        longer\n  Requires-Dist: of-the-description\nRequires-Dist: bar\n`
    expect(parse(text.replaceAll('\n', '\r\n'), '1.0.0').requirements).toEqual(['bar'])
  })

  it.each([
    ['another project', 'Name: foo\nVersion: 1.0\n', 'it is of another project'],
    ['no name', 'Version: 1.0\n', 'it is of another project'],
    ['another version', 'Name: foo-bar\nVersion: 1.1\n', 'it is of another version'],
    ['two versions', `${head}Version: 1.1\n`, 'it has two version'],
    ['two names', `${head}Name: bar\n`, 'it has two name'],
    ['a folded requirement', `${head}Requires-Dist: bar\n >=1\n`, 'it has a folded field'],
    ['a fold before any field', ` x\n${head}`, 'it has a folded field'],
    ['a line that is no field', `${head}no field\nRequires-Dist: bar\n`, 'a line that is no field'],
    ['the mail of a Unix', `From me\n${head}`, 'a line that is no field'],
    ['a byte order mark', `\uFEFF${head}`, 'a line that is no field'],
    [
      'too many requirements',
      `${head}${'Requires-Dist: a\n'.repeat(5001)}`,
      'it has too many requirements',
    ],
  ])('with %s is read by nobody', (_, text, problem) => {
    expect(() => parse(text)).toThrow(problem)
  })

  it('hides no field behind a single CR, where Python ends a line', () => {
    expect(parse(`${head}Summary: a\rRequires-Dist: bar\n`).requirements).toEqual(['bar'])
  })

  it('that is not UTF-8 or too large is read by nobody', () => {
    expect(() => parseDeclaredMetadata(new Uint8Array([0xff]), 'foo-bar', '1.0')).toThrow(
      'it is not UTF-8',
    )
    expect(() => parseDeclaredMetadata(new Uint8Array(5_000_000), 'foo-bar', '1.0')).toThrow(
      'it has 5000000 bytes',
    )
  })
})

it('the same requirements in another order are the same', () => {
  expect(isSameDemand({ requirements: ['a', 'b'] }, { requirements: ['b', 'a'] })).toBe(true)
  expect(isSameDemand({ requirements: ['a', 'b'] }, { requirements: ['a'] })).toBe(false)
  expect(isSameDemand({ requirements: ['a', 'a'] }, { requirements: ['a', 'b'] })).toBe(false)
})
