import { createHash } from 'node:crypto'
import { Targets } from '@tufjs/models'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildBins } from '../../src/mirror/metadata-documents.ts'
import { chooseBitLength, renderBin, requireBitLength } from '../../src/mirror/bins.ts'
import { findBin } from '../../src/tuf/delegation.ts'

describe('bins', () => {
  test.each([
    [0, 1],
    [1, 1],
    [1000, 6],
    [740_000, 11],
    [900_000, 11],
    [10_000_000_000, 14],
  ])('for %i projects are 2^%i', (projects, bitLength) => {
    expect(chooseBitLength(projects)).toBe(bitLength)
  })

  test('may be given as a power of two', () => {
    expect(requireBitLength(2)).toBe(1)
    expect(requireBitLength(16_384)).toBe(14)
  })

  test.each([0, 1, 3, 100, 32_768, -2, 2.5, Number.NaN])('are not %d', (count) => {
    expect(() => requireBitLength(count)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `${count} is not a possible number of bins`,
      }),
    )
  })

  test('are chosen by the first bits of the sha256 of the target path (TAP 15)', () => {
    const path = 'simple/requests/index.json'
    const first = createHash('sha256').update(path).digest().readUInt16BE(0)
    expect(findBin(1, path)).toBe(first >> 15)
    expect(findBin(6, path)).toBe(first >> 10)
    expect(findBin(14, path)).toBe(first >> 2)
  })

  test('have the names that tuf-js computes for the same path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 14 }), (path, bits) => {
        const header = { version: 1, expires: 1_000_000_000_000 }
        const bins = buildBins(header, { keys: new Map(), threshold: 1 }, bits)
        const [role] = Targets.fromJSON(bins as never).delegations!.rolesForTarget(path)
        expect(renderBin(findBin(bits, path), bits)).toBe(role!.role)
      }),
    )
  })
})
