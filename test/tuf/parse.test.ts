import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../../src/tuf/parse.ts'
import { noFloors, trustRoot } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { bent, parsers, set, simulator } from './bent-metadata.ts'

describe('well-formed metadata', () => {
  test('is read with everything that it says', () => {
    const root = parseRoot(simulator.render('root')).claimed
    expect(root).toMatchObject({ type: 'root', version: 1, consistentSnapshot: true })
    expect(root.keys.size).toBe(4)
    const timestamp = parseTimestamp(simulator.render('timestamp')).claimed
    expect(timestamp).toMatchObject({
      version: 2,
      signedAt: Date.parse('2026-06-01T12:00:00Z'),
      indexSeenAt: Date.parse('2026-06-01T11:00:00Z'),
      expires: Date.parse('2026-07-01T12:00:00Z'),
    })
    expect(timestamp.snapshot.hashes?.get('sha256')).toMatch(/^[0-9a-f]{64}$/)
    const snapshot = parseSnapshot(simulator.render('snapshot')).claimed
    expect([...snapshot.meta.keys()]).toEqual(['targets.json', 'team.json'])
    const targets = parseTargets(simulator.render('targets'), 'targets').claimed
    expect(targets.targets.get('simple/foo/index.json')?.length).toBe(3)
    expect(targets.delegations?.roles.get('team')?.scope.kind).toBe('patterns')
  })

  test.each([
    ['without consistent_snapshot', 'root', set('signed/consistent_snapshot', undefined)],
    ['with the two-part version of old repositories', 'root', set('signed/spec_version', '1.0')],
    ['with a later minor version', 'root', set('signed/spec_version', '1.99.0')],
    ['with members that nobody knows', 'snapshot', set('signed/x-anything', [{ a: null }])],
    ['with members outside of what is signed', 'snapshot', set('x-outer', { a: 1 })],
    [
      'with a role that is not used any more',
      'root',
      set('signed/roles/mirrors', { keyids: [], threshold: 1 }),
    ],
    [
      'with a key of unknown kind',
      'root',
      set('signed/keys/*', { keytype: 'x', scheme: 'y', keyval: { identity: 'z' } }),
    ],
    ['with a signature that is empty', 'root', set('signatures/0/sig', '')],
    ['with no signature', 'root', set('signatures', [])],
    [
      'with a hash of unknown algorithm among others',
      'snapshot',
      set('signed/meta/targets.json/hashes/md5', 'x'),
    ],
    ['without delegations', 'targets', set('signed/delegations', undefined)],
    ['with a target of no length', 'targets', set('signed/targets/*/length', 0)],
    ['with custom data in a target', 'targets', set('signed/targets/*/custom', { a: ['b'] })],
    [
      'with hash prefixes of odd length',
      'targets',
      set('signed/delegations/roles/0', {
        name: 'a',
        keyids: [],
        threshold: 1,
        terminating: true,
        path_hash_prefixes: ['a', 'abc', ''],
      }),
    ],
    ['with the largest version', 'timestamp', set('signed/version', Number.MAX_SAFE_INTEGER)],
    ['without signed times', 'timestamp', set('signed/x-tufgate', undefined)],
    ['with no signed time in its place', 'timestamp', set('signed/x-tufgate', {})],
  ] as const)('is read %s', (_, role, bend) => {
    expect(parsers[role](bent(role, bend)).claimed.type).toBe(role)
  })

  test('is verified with its unknown members, and in whatever form it is written', () => {
    const loose = new TufSimulator()
    loose.root['x-future'] = { b: ['é😀'], a: null }
    const canonical = new TextDecoder().decode(loose.publishRoot())
    const spaced = JSON.stringify(JSON.parse(canonical), null, 2)
    expect(trustRoot(encodeUtf8(canonical), noFloors).root.version).toBe(1)
    expect(trustRoot(encodeUtf8(spaced), noFloors).root.version).toBe(1)
  })

  test('keeps integer-like and prototype names in their place', () => {
    const tricky = new TufSimulator()
    for (const name of ['trusted', '9', '2', 'constructor']) tricky.delegate(name)
    tricky.addTarget('__proto__', 'x')
    tricky.addTarget('10', 'x')
    const { claimed } = parseTargets(tricky.render('targets'), 'targets')
    expect([...(claimed.delegations?.roles.keys() ?? [])]).toEqual([
      'trusted',
      '9',
      '2',
      'constructor',
    ])
    expect(claimed.targets.get('__proto__')?.length).toBe(1)
    expect(claimed.targets.get('constructor')).toBeUndefined()
  })
})

test('metadata of another major version is named as such', async () => {
  const bytes = bent('root', set('signed/spec_version', '2.0.0'))
  const refusal = await expectRefusal(
    () => parseRoot(bytes),
    'UNSUPPORTED',
    'metadata follows TUF 2.0.0',
  )
  expect(refusal.facts).toMatchObject({ expected: '1', found: '2.0.0' })
})
