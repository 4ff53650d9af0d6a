import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseJson, requireStrictJson } from '../../src/base/strict-json.ts'

describe('strict JSON', () => {
  test.each([
    ['a duplicate member', '{"a":1,"a":2}', 'stands twice'],
    ['a duplicate member far apart and deep', '[{"x":{"a":1,"b":[{}],"a":2}}]', 'stands twice'],
    ['a duplicate that is escaped', String.raw`{"a":1,"\u0061":2}`, 'stands twice'],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'stands twice'],
    ['a duplicate behind white space', '{"a" :1,\n"a"\t\r\n:2}', 'stands twice'],
    ['a fraction', '{"a":1.0}', 'not an integer'],
    ['an exponent', '[1e3]', 'not an integer'],
    ['minus zero', '[-0]', 'not an integer'],
    ['an integer beyond 2^53', '[9007199254740993]', 'not an integer'],
    ['too deep nesting', '['.repeat(65) + ']'.repeat(65), 'nested deeper'],
  ])('refuses %s', (_, text, message) => {
    expect(() => void JSON.parse(text)).not.toThrow()
    expect(() => requireStrictJson(text)).toThrow(message)
  })

  test.each([
    ['the same member in neighbours', '[{"a":1},{"a":1}]'],
    ['a member that is also a value', '{"a":"b","b":"a","c":["a","a","b","b"]}'],
    ['braces and colons inside of text', String.raw`{"a":"{\"x\":1,\"x\":2}","b":"\\","c":":"}`],
    ['numbers inside of text', '["1.5","1e3","-0"]'],
    ['integers', '[0,-1,9007199254740991]'],
  ])('takes %s', (_, text) => {
    expect(() => requireStrictJson(text)).not.toThrow()
  })

  test('takes whatever JSON.stringify writes of integers, and refuses it with a member doubled', () => {
    const json = fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.nat(), fc.array(fc.string())),
      {
        minKeys: 1,
        noNullPrototype: true,
      },
    )
    fc.assert(
      fc.property(json, fc.boolean(), (value, isSpaced) => {
        const text = JSON.stringify(value, null, isSpaced ? 2 : 0)
        expect(() => requireStrictJson(text)).not.toThrow()
        const [name = ''] = Object.keys(value)
        expect(() => requireStrictJson(`{${JSON.stringify(name)}:0,${text.slice(1)}`)).toThrow(
          'stands twice',
        )
      }),
    )
  })

  test('takes time in proportion to the text', () => {
    const text = `[${'{"a":"\\\\\\"","b":[1,2]},'.repeat(100_000)}{}]`
    expect(() => requireStrictJson(text)).not.toThrow()
  })

  test('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toThrow(TypeError)
    expect(() => parseJson(encodeUtf8('\ufeff{}'))).toThrow(SyntaxError)
  })
})
