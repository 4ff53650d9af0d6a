import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/base/decode.ts'
import { isPathMatch, parsePathPattern } from '../../src/tuf/path-pattern.ts'
import { anyText } from '../support/any-text.ts'

function matches(pattern: string, path: string): boolean {
  return isPathMatch(parsePathPattern(pattern), path)
}

describe('a path pattern', () => {
  test.each([
    ['*', 'foo.whl'],
    ['*', '.hidden'],
    ['*.whl', 'foo.whl'],
    ['*.whl', '.whl'],
    ['simple/*/index.json', 'simple/foo/index.json'],
    ['simple/**', 'simple/foo'],
    ['foo-version-?.tgz', 'foo-version-a.tgz'],
    ['?', '😀'],
    ['a*b*c', 'aXbYbZc'],
    ['*a*a*', 'aa'],
    ['[a-c]x', 'bx'],
    ['[abc]', 'c'],
    ['[!a-c]x', 'dx'],
    ['[]a]', ']'],
    ['[!]a]', 'b'],
    ['[a-]', '-'],
    ['[-a]', '-'],
    ['[*]', '*'],
    ['[?]', '?'],
    ['[[]', '['],
    ['[😀-😂]', '😁'],
    ['', ''],
    ['a/', 'a/'],
    ['*/*', 'a/b'],
    [String.raw`a\b`, String.raw`a\b`],
    ['!foo', '!foo'],
    ['{a,b}', '{a,b}'],
    ['+(a)', '+(a)'],
    ['#a', '#a'],
    ['a]', 'a]'],
  ])('%j matches %j', (pattern, path) => {
    expect(matches(pattern, path)).toBe(true)
  })

  test.each([
    ['*', 'a/b'],
    ['*.whl', 'dir/foo.whl'],
    ['*', ''.concat('a/')],
    ['simple/**', 'simple/foo/bar'],
    ['**/index.json', 'a/b/index.json'],
    ['?', '/'],
    ['a?b', 'a/b'],
    ['[!a]', '/'],
    ['a[!b]c', 'a/c'],
    ['foo', 'Foo'],
    ['[a-c]', 'B'],
    ['foo', 'foo/'],
    ['foo', '/foo'],
    ['foo', 'foobar'],
    ['foo', 'barfoo'],
    ['?', ''],
    ['?', 'ab'],
    ['*.whl', 'foo.whl\n'],
    ['!foo', 'bar'],
    ['{a,b}', 'a'],
    ['+(a)', 'a'],
    ['[!a-c]x', 'bx'],
    ['a*b', 'aXc'],
    ['é', 'e\u0301'],
  ])('%j does not match %j', (pattern, path) => {
    expect(matches(pattern, path)).toBe(false)
  })

  test.each([
    ['[', 'not closed'],
    ['[abc', 'not closed'],
    ['[]', 'not closed'],
    ['[!]', 'not closed'],
    ['[a/b]', 'not closed'],
    ['x/[/y', 'not closed'],
    ['[z-a]', 'runs backwards'],
    ['[^a]', 'no agreed meaning'],
    ['x'.repeat(4097), 'longer than'],
  ])('%j is malformed', (pattern, message) => {
    expect(() => parsePathPattern(pattern)).toThrow(DecodeError)
    expect(() => parsePathPattern(pattern)).toThrow(message)
  })

  test('without wildcards matches itself and nothing else', () => {
    const plain = anyText.filter((text) => !/[*?[]/.test(text))
    fc.assert(
      fc.property(plain, plain, (pattern, path) => {
        expect(matches(pattern, pattern)).toBe(true)
        expect(matches(pattern, path)).toBe(pattern === path)
      }),
    )
  })

  test('agrees with a regular expression that says the same', () => {
    const letters = fc.constantFrom('a', 'b', '/', '*', '?', '.', '[ab]', '[!a]')
    fc.assert(
      fc.property(
        fc.array(letters, { maxLength: 8 }),
        fc.stringMatching(/^[abc./]{0,8}$/),
        (parts, path) => {
          const source = parts.map((part) => regularForms.get(part) ?? part).join('')
          expect(matches(parts.join(''), path)).toBe(new RegExp(`^${source}$`).test(path))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('takes time in proportion to its length, whatever stars it has', () => {
    const path = 'a'.repeat(4000)
    expect(matches(`${'*a'.repeat(1000)}b`, path)).toBe(false)
    expect(matches(`${'*a'.repeat(1000)}*`, path)).toBe(true)
    expect(matches(`${'*'.repeat(4000)}b`, path)).toBe(false)
    expect(matches('{1..1000000}', 'x')).toBe(false)
  })
})

const regularForms = new Map([
  ['*', '[^/]*'],
  ['?', '[^/]'],
  ['.', String.raw`\.`],
  ['/', String.raw`\/`],
  ['[!a]', '[^a/]'],
])
