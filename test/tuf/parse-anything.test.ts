import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { VerifyError } from '../../src/base/errors.ts'
import { noFloors, trustRoot } from '../../src/tuf/trusted-set.ts'
import { good, parsers, roles, simulator } from './bent-metadata.ts'

describe('whatever comes', () => {
  test('arbitrary JSON is refused with a VerifyError and nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...roles), fc.json({ maxDepth: 5 }), (role, text) => {
        expect(isRefusedOrRead(parsers[role], encodeUtf8(text))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('arbitrary JSON inside of a good frame is refused with a VerifyError and nothing else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...roles), fc.jsonValue({ maxDepth: 4 }), (role, signed) => {
        const envelope = {
          signatures: [],
          signed: { _type: role, spec_version: '1.0.0', ...(signed as object) },
        }
        expect(isRefusedOrRead(parsers[role], encodeUtf8(JSON.stringify(envelope)))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('good metadata with any one value replaced never crashes the parser', () => {
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(-1, 0, 2 ** 60, '__proto__', '', null),
    )
    fc.assert(
      fc.property(fc.constantFrom(...roles), fc.nat(), values, (role, at, value) => {
        const document: unknown = JSON.parse(good[role])
        replaceAt(document, at, value)
        expect(isRefusedOrRead(parsers[role], encodeUtf8(JSON.stringify(document)))).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('a flipped bit in what is signed never verifies', () => {
    const genuine = simulator.render('root')
    const start = good.root.indexOf('"signed":') + '"signed":'.length
    fc.assert(
      fc.property(fc.integer({ min: start * 8, max: genuine.length * 8 - 1 }), (bit) => {
        expect(() => trustRoot(flipBit(genuine, bit), noFloors)).toThrow(VerifyError)
      }),
      { numRuns: 2000 },
    )
  })

  test('a flipped bit elsewhere does not change what is read', () => {
    const genuine = simulator.render('root')
    const { root } = trustRoot(genuine, noFloors)
    fc.assert(
      fc.property(fc.nat(good.root.indexOf('"signed":') * 8), (bit) => {
        try {
          expect(trustRoot(flipBit(genuine, bit), noFloors).root.version).toBe(root.version)
        } catch (error) {
          expect(error).toBeInstanceOf(VerifyError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

function flipBit(bytes: Bytes, bit: number): Bytes {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

function isRefusedOrRead(parse: (bytes: Bytes) => unknown, bytes: Bytes): boolean {
  try {
    parse(bytes)
    return true
  } catch (error) {
    return error instanceof VerifyError
  }
}

/** Replaces the n-th value of the document, counted depth first. */
function replaceAt(document: unknown, at: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [name, child] of Object.entries(node)) {
      places.push([node as Record<string, unknown>, name])
      visit(child)
    }
  }
  visit(document)
  const [node, name] = places[at % places.length] ?? [{}, '']
  node[name] = value
}
