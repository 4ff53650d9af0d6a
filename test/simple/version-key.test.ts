import { compare } from '@renovatebot/pep440'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { publicKey, versionKey } from '../../src/simple/version-key.ts'

describe('equal versions (PEP 440)', () => {
  it.each([
    ['1.0', '1'],
    ['1.0.0', '01.00'],
    ['1.0a1', '1.0-alpha_1'],
    ['1.0c1', '1.0.preview1'],
    ['1.0b', '1.0b0'],
    ['1.0-1', '1.0.post1'],
    ['1.0r4', '1.0-rev-4'],
    ['v1.0', '1.0'],
    ['0!1.0', '1.0'],
    ['1.0.DEV3', '1.0dev3'],
    ['1.0+Ubuntu-1', '1.0+ubuntu.1'],
    ['1.0+01', '1.0+1'],
    ['20240101000000000001', '20240101000000000001.0'],
  ])('takes %s and %s for one', (left, right) => {
    expect(versionKey(left)).toBe(versionKey(right))
    expect(versionKey(left)).toBeDefined()
  })

  it.each([
    ['1.0', '1.0.1'],
    ['1.0', '1.0.post0'],
    ['1.0', '1.0.dev0'],
    ['1.0', '1.0+local'],
    ['1!1.0', '1.0'],
    ['10', '1'],
    ['20240101000000000001', '20240101000000000002'],
  ])('takes %s and %s for two', (left, right) => {
    expect(versionKey(left)).not.toBe(versionKey(right))
  })

  it.each(['', 'b-1.0', '2-1.0', '1.0 ', '1..0', '2004b_2x', '1.0+', '\u0661.0', '1.0\n'])(
    'finds no version in %j',
    (raw) => {
      expect(versionKey(raw)).toBeUndefined()
    },
  )

  it('leaves the local part away where it does not count', () => {
    expect(publicKey(versionKey('1.2+cu118') ?? '')).toBe(versionKey('1.2'))
    expect(publicKey(versionKey('1.2') ?? '')).toBe(versionKey('1.2'))
  })

  it('agrees with an implementation of the order on what is equal', () => {
    const numbers = fc.constantFrom('0', '1', '01', '2')
    const versions = fc
      .tuple(
        fc.constantFrom('', '0!', '1!'),
        numbers,
        fc.constantFrom('', '.0', '.1', '.0.0'),
        fc.constantFrom('', 'a1', '-alpha1', '.rc0', 'c', 'preview0', 'b_2'),
        fc.constantFrom('', '.post1', '-1', 'rev1', 'post', 'r0'),
        fc.constantFrom('', '.dev0', 'dev', '_dev1'),
        fc.constantFrom('', '+a', '+A', '+1', '+a.1', '+a-1'),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(versions, versions, (left, right) => {
        const areEqual = versionKey(left) === versionKey(right)
        expect(areEqual, `${left} and ${right}`).toBe(compare(left, right) === 0)
      }),
      { numRuns: 3000 },
    )
  })
})
