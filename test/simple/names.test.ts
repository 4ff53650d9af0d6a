import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isNormalizedName, isProjectName, normalizeName } from '../../src/simple/names.ts'

describe('project names', () => {
  it.each([
    ['Foo', 'foo'],
    ['foo.-_bar', 'foo-bar'],
    ['a--b', 'a-b'],
    ['constructor', 'constructor'],
    ['A.B_C', 'a-b-c'],
  ])('normalizes %s to %s', (name, normalized) => {
    expect(normalizeName(name)).toBe(normalized)
    expect(isNormalizedName(normalized)).toBe(true)
  })

  it.each([
    ['', 'nothing'],
    ['-foo', 'a separator in front'],
    ['foo.', 'a separator behind'],
    ['__proto__', 'separators around'],
    ['foo\n', 'a line feed, which $ would let pass'],
    ['foo bar', 'a space'],
    ['foo/bar', 'a slash'],
    ['..', 'dots'],
    ['f\u00F6\u00F6', 'letters beyond ASCII'],
    ['\u212Aelvin', 'a letter that is k without regard to case'],
    ['foo%2Fbar', 'a percent sign'],
    ['a'.repeat(300), 'too many characters'],
  ])('refuses %j: %s', (raw) => {
    expect(isProjectName(raw)).toBe(false)
  })

  it('leaves a normalized name as it is', () => {
    const names = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/)
    fc.assert(
      fc.property(names, (name) => {
        const normalized = normalizeName(name)
        expect(isNormalizedName(normalized)).toBe(true)
        expect(normalizeName(normalized)).toBe(normalized)
      }),
    )
  })

  it('reads a name of nothing but separators in linear time', () => {
    expect(isProjectName(`a${'-'.repeat(1_000_000)}`)).toBe(false)
    expect(normalizeName(`a${'-_'.repeat(500_000)}b`)).toBe('a-b')
  })
})
