import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binName, findDelegations, findSigners, renderBinName } from '../../src/tuf/delegation.ts'
import type { Delegations } from '../../src/tuf/metadata.ts'
import { parseTargets } from '../../src/tuf/parse.ts'
import { isPathMatch, parsePathPattern } from '../../src/tuf/path-pattern.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { anyText } from '../support/any-text.ts'

function delegationsOf(build: (simulator: TufSimulator) => void): Delegations {
  const simulator = new TufSimulator()
  build(simulator)
  const { delegations } = parseTargets(simulator.render('targets'), 'targets').claimed
  if (delegations === undefined) throw new Error('nothing is delegated')
  return delegations
}

function namesFor(delegations: Delegations, path: string): string[] {
  return findDelegations(delegations, path).map(({ name }) => name)
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex')
}

describe('delegations by pattern', () => {
  test('come out in listed order, with all that match', () => {
    const delegations = delegationsOf((simulator) => {
      simulator.delegate('z', { paths: ['*.txt', 'a/*'] })
      simulator.delegate('9', { paths: ['x.*'], terminating: true })
      simulator.delegate('2', { paths: ['x.txt'] })
      simulator.delegate('none', { paths: [] })
      simulator.delegate('a', { paths: ['y.txt'] })
    })
    expect(namesFor(delegations, 'x.txt')).toEqual(['z', '9', '2'])
    expect(findDelegations(delegations, 'x.txt')[1]).toMatchObject({ name: '9', terminating: true })
    expect(namesFor(delegations, 'a/b')).toEqual(['z'])
    expect(namesFor(delegations, 'nothing/at/all')).toEqual([])
  })
})

describe('the index of patterns', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '*', '?', 'a*', '[ab]', '[!a]', '')
  const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'c', ''), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'))

  test('finds what a look at each of them finds, in the same order', () => {
    const roles = fc.array(fc.array(pattern, { maxLength: 3 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(roles, path, (patterns, wanted) => {
        const delegations = delegationsOf((simulator) => {
          for (const [at, paths] of patterns.entries()) simulator.delegate(`role-${at}`, { paths })
        })
        const naive = patterns.flatMap((paths, at) =>
          paths.some((text) => isPathMatch(parsePathPattern(text), wanted)) ? [`role-${at}`] : [],
        )
        expect(namesFor(delegations, wanted)).toEqual(naive)
      }),
    )
  })

  test('looks at no other owner for the record and the files of one', () => {
    const delegations = delegationsOf((simulator) => {
      for (let at = 0; at < 50; at += 1) {
        const paths = [`simple/p${at}/index.json`, `files/p${at}/*`]
        simulator.delegate(`owner-p${at}`, { paths, terminating: true })
      }
    })
    expect(delegations.index.byPattern).toEqual([])
    expect(delegations.index.byFolder.get('files/p7/')).toHaveLength(1)
    expect(namesFor(delegations, 'simple/p7/index.json')).toEqual(['owner-p7'])
    expect(namesFor(delegations, 'files/p7/p7-1.0.tar.gz')).toEqual(['owner-p7'])
    expect(namesFor(delegations, 'files/p7/a/b')).toEqual([])
    expect(namesFor(delegations, 'simple/p77/index.json')).toEqual([])
  })
})

describe('delegations by hash prefix', () => {
  test('compare with the hexadecimal sha256 of the path', () => {
    // sha256 of this path begins with 25ef: anything but hexadecimal would not.
    const path = 'file3.txt'
    const prefix = hashOf(path).slice(0, 4)
    const delegations = delegationsOf((simulator) => {
      simulator.delegate('others', {
        pathHashPrefixes: ['0', '1', '2'].filter((p) => !prefix.startsWith(p)),
      })
      simulator.delegate('mine', { pathHashPrefixes: [prefix] })
    })
    expect(namesFor(delegations, path)).toEqual(['mine'])
  })

  test('have prefixes of any length, odd or even, several to a role', () => {
    const path = 'simple/foo/index.json'
    const hash = hashOf(path)
    for (const length of [0, 1, 2, 3, 7, 63, 64]) {
      const delegations = delegationsOf((simulator) => {
        simulator.delegate('role', {
          pathHashPrefixes: ['f'.repeat(64), hash.slice(0, length), '0123'],
        })
        simulator.delegate('never', { pathHashPrefixes: ['e'.repeat(63)] })
      })
      expect(namesFor(delegations, path)).toEqual(['role'])
    }
  })

  test.each([1, 16, 256, 4096, 65_536])('find the one of %i classic bins', (count) => {
    const digits = Math.max(1, Math.ceil(Math.log2(count) / 4))
    const prefixes = Array.from({ length: 16 ** digits }, (_, at) =>
      at.toString(16).padStart(digits, '0'),
    )
    const share = prefixes.length / count
    const text = JSON.stringify({
      signatures: [],
      signed: {
        _type: 'targets',
        spec_version: '1.0.0',
        version: 1,
        expires: '2030-01-01T00:00:00Z',
        targets: {},
        delegations: {
          keys: {},
          roles: Array.from({ length: count }, (_, at) => ({
            name: `bin-${at}`,
            keyids: [],
            threshold: 1,
            terminating: false,
            path_hash_prefixes: prefixes.slice(at * share, (at + 1) * share),
          })),
        },
      },
    })
    const { delegations } = parseTargets(new TextEncoder().encode(text), 'targets').claimed
    for (const path of ['a', 'simple/foo/index.json', 'é/😀']) {
      const bin = Math.floor(Number.parseInt(hashOf(path).slice(0, digits), 16) / share)
      expect(namesFor(delegations!, path)).toEqual([`bin-${bin}`])
    }
  })
})

describe('succinct bins (TAP 15)', () => {
  test('are named as in the text of TAP 15', () => {
    expect(renderBinName('a.hbd', 3, 7)).toBe('a.hbd-7')
    expect(renderBinName('bins', 5, 31)).toBe('bins-1f')
    expect(renderBinName('bins', 8, 0)).toBe('bins-00')
    expect(renderBinName('bins', 14, 10)).toBe('bins-000a')
    expect(renderBinName('bins', 32, 2 ** 32 - 1)).toBe('bins-ffffffff')
  })

  test('are the first bits of the sha256 of the path, for every number of bits', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 32 }), (path, bits) => {
        const firstBits = BigInt(`0x${hashOf(path)}`) >> BigInt(256 - bits)
        const digits = Math.ceil(bits / 4)
        expect(binName('b', bits, path)).toBe(`b-${firstBits.toString(16).padStart(digits, '0')}`)
      }),
      { numRuns: 500 },
    )
  })

  test('are one terminating role for each path', () => {
    const delegations = delegationsOf((simulator) => simulator.delegateBins({ bitLength: 4 }))
    expect(findDelegations(delegations, 'x')).toEqual([
      { name: binName('bins', 4, 'x'), terminating: true },
    ])
  })

  test('are signed by the one key of all bins, and nothing else is', () => {
    const delegations = delegationsOf((simulator) => simulator.delegateBins({ bitLength: 5 }))
    expect(findSigners(delegations, 'bins-00')?.threshold).toBe(1)
    expect(findSigners(delegations, 'bins-1f')?.keyids).toHaveLength(1)
    const others = [
      'bins-20',
      'bins-1F',
      'bins-0',
      'bins-000',
      'bins-',
      'bins',
      'bin-00',
      'bins_00',
      'bins- 1',
      'bins-0x',
      'xbins-00',
      'targets',
      '',
    ]
    for (const other of others) expect(findSigners(delegations, other)).toBeUndefined()
  })
})

test('a role that is not delegated has no signers', () => {
  const delegations = delegationsOf((simulator) => simulator.delegate('team', { threshold: 2 }))
  expect(findSigners(delegations, 'team')?.threshold).toBe(2)
  for (const other of ['Team', 'team2', 'constructor', '__proto__', 'root']) {
    expect(findSigners(delegations, other)).toBeUndefined()
  }
})
