import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareCodePoints,
  encodeCanonical,
  encodeCanonicalDocument,
  maxJsonDepth,
} from '../../src/base/canonical-json.ts'
import { anyText } from '../support/any-text.ts'

const canonicalJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().filter((value) => !Object.is(value, -0)),
    anyText,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

function nest(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}

describe('canonical JSON', () => {
  test('has no white space, sorted keys, and escapes quotes and backslashes alone', () => {
    expect(encodeCanonical({ b: [1, -2, null, true], a: 'say "\\" \n\t\u0001é😀' })).toBe(
      '{"a":"say \\"\\\\\\" \n\t\u0001é😀","b":[1,-2,null,true]}',
    )
    expect(encodeCanonical({})).toBe('{}')
    expect(encodeCanonical([])).toBe('[]')
  })

  test('sorts by code point where UTF-16 units say otherwise', () => {
    expect(encodeCanonical({ '😀': 1, '～': 2 })).toBe('{"～":2,"😀":1}')
    expect(encodeCanonical({ '～': 2, '😀': 1 })).toBe('{"～":2,"😀":1}')
  })

  test('sorts names that look like numbers as text', () => {
    expect(encodeCanonical({ 10: 1, 9: 2, a: 3 })).toBe('{"10":1,"9":2,"a":3}')
  })

  test('treats __proto__ and constructor as names like any other', () => {
    const value: unknown = JSON.parse('{"constructor":1,"__proto__":{"x":2}}')
    expect(encodeCanonical(value)).toBe('{"__proto__":{"x":2},"constructor":1}')
  })

  test.each([
    ['a fraction', 1.5],
    ['an integer beyond 2^53', 2 ** 53],
    ['minus zero', -0],
    ['infinity', Infinity],
    ['NaN', NaN],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate as a name', { '\udc00': 1 }],
    ['undefined', undefined],
    ['undefined in a list', [undefined]],
    ['a bigint', 1n],
    ['a function', () => 1],
  ])('refuses %s', (_, value) => {
    expect(() => encodeCanonical(value)).toThrow(TypeError)
  })

  test('does not let two lone surrogates of neighbours make one letter', () => {
    expect(() => encodeCanonical(['\ud83d', '\ude00'])).toThrow('not well-formed')
  })

  test(`goes ${maxJsonDepth} levels deep and no further`, () => {
    expect(encodeCanonical(nest(maxJsonDepth))).toHaveLength(2 * maxJsonDepth)
    expect(() => encodeCanonical(nest(maxJsonDepth + 1))).toThrow('nested deeper')
  })

  test('reads back as the value that it was made of', () => {
    fc.assert(
      fc.property(canonicalJson, (value) => {
        expect(JSON.parse(encodeCanonicalDocument(value))).toEqual(value)
      }),
    )
  })

  test('has a form for files, in which the line ends of a PEM key are escaped', () => {
    expect(encodeCanonicalDocument({ b: 'x\ny\u0000', a: 'é' })).toBe(
      '{"a":"é","b":"x\\ny\\u0000"}',
    )
  })

  test('is the same whatever the order of the members was', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.nat(), { noNullPrototype: true }), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed())
        expect(encodeCanonical(reversed)).toBe(encodeCanonical(value))
      }),
    )
  })

  test('orders text as the bytes of its UTF-8 are ordered', () => {
    fc.assert(
      fc.property(anyText, anyText, (left, right) => {
        const byBytes = Buffer.compare(Buffer.from(left), Buffer.from(right))
        expect(Math.sign(compareCodePoints(left, right))).toBe(byBytes)
      }),
      { numRuns: 1000 },
    )
  })
})
