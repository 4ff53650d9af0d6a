import { describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { parseTargets } from '../../src/tuf/parse.ts'
import { findTarget, type Search } from '../../src/tuf/search.ts'
import type { TrustedSet } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import type { DelegateOptions } from '../support/tuf-repository.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner } from '../support/tuf-signers.ts'

interface Tree extends DelegateOptions {
  readonly name: string
  readonly targets?: string[]
}

async function publishTree(
  ...roles: Tree[]
): Promise<{ simulator: TufSimulator; trusted: TrustedSet }> {
  const simulator = new TufSimulator()
  for (const { name, targets = [], ...options } of roles) {
    simulator.delegate(name, options)
    for (const path of targets) simulator.addTarget(path, `${name} says`, name)
  }
  simulator.publish()
  const { trusted } = await simulator.refresh()
  simulator.requests.length = 0
  return { simulator, trusted }
}

function twoRoles(): ReturnType<typeof publishTree> {
  return publishTree({ name: 'first' }, { name: 'second', targets: ['x'] })
}

/** Each role delegates to the next. */
function chain(length: number): ReturnType<typeof publishTree> {
  const roles = Array.from({ length }, (_, at) => ({
    name: `r${at}`,
    ...(at > 0 && { from: `r${at - 1}` }),
  }))
  return publishTree(...roles)
}

function search(
  simulator: TufSimulator,
  trusted: TrustedSet,
  path: string,
  maxRoles?: number,
): Promise<Search> {
  const options = { now: simulator.now, ...(maxRoles !== undefined && { maxRoles }) }
  return findTarget(trusted, path, simulator.loadRole(trusted), options)
}

function namesOf({ visited }: Search): string[] {
  return visited.map(({ name }) => name)
}

describe('the search for a target', () => {
  test('ends at top-level targets where it stands there', async () => {
    const simulator = new TufSimulator()
    simulator.addTarget('a', 'top')
    simulator.delegate('team')
    simulator.publish()
    const { trusted } = await simulator.refresh()
    const found = await search(simulator, trusted, 'a')
    expect(found).toMatchObject({ role: 'targets', target: { length: 3 } })
    expect(namesOf(found)).toEqual(['targets'])
  })

  test('goes depth first, in listed order, and says what it visited', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a' },
      { name: 'b' },
      { name: 'c', targets: ['x'] },
      { name: 'aa', from: 'a' },
      { name: 'ab', from: 'a' },
      { name: 'aaa', from: 'aa' },
      { name: 'ba', from: 'b' },
    )
    const found = await search(simulator, trusted, 'x')
    expect(namesOf(found)).toEqual(['targets', 'a', 'aa', 'aaa', 'ab', 'b', 'ba', 'c'])
    expect(found.role).toBe('c')
    expect(found.visited.at(-1)).toEqual({
      name: 'c',
      version: 2,
      expires: simulator.now + 30 * 86_400_000,
    })
  })

  test('gives the first of two roles that have it, however they are named', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'z', targets: ['x'] },
      { name: '1', targets: ['x'] },
      { name: 'a', targets: ['x'] },
    )
    expect((await search(simulator, trusted, 'x')).role).toBe('z')
  })

  test('leaves out roles that do not match, and does not fetch them', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'whl', paths: ['*.whl'] },
      { name: 'txt', paths: ['*.txt'], targets: ['a.txt'] },
    )
    expect(namesOf(await search(simulator, trusted, 'a.txt'))).toEqual(['targets', 'txt'])
    expect(simulator.requests).toEqual(['2.txt'])
  })

  test('finds nothing in a role that lists more than it was given', async () => {
    const { simulator, trusted } = await publishTree({
      name: 'team',
      paths: ['team/*'],
      targets: ['team/a', 'other/b'],
    })
    expect((await search(simulator, trusted, 'team/a')).target).toBeDefined()
    expect((await search(simulator, trusted, 'other/b')).target).toBeUndefined()
  })

  test('asks that the target match every delegation on the way', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'narrow', paths: ['narrow/*'] },
      { name: 'wide', from: 'narrow', paths: ['*/*'], targets: ['other/b', 'narrow/a'] },
    )
    expect((await search(simulator, trusted, 'narrow/a')).role).toBe('wide')
    const escaped = await search(simulator, trusted, 'other/b')
    expect(escaped).toEqual({
      role: 'targets',
      visited: [expect.objectContaining({ name: 'targets' })],
    })
  })

  test('visits a role once, and ends in a circle of delegations', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a' },
      { name: 'b', from: 'a' },
      { name: 'a', from: 'b', signers: [createSigner()] },
      { name: 'b', from: 'b' },
    )
    const found = await search(simulator, trusted, 'x')
    expect(namesOf(found)).toEqual(['targets', 'a', 'b'])
    expect(found.target).toBeUndefined()
  })

  test('goes through classic hash bins and through TAP 15 bins', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'low', pathHashPrefixes: Array.from('01234567') },
      { name: 'high', pathHashPrefixes: Array.from('89abcdef') },
    )
    expect((await search(simulator, trusted, 'simple/foo/index.json')).visited).toHaveLength(2)
    const bins = new TufSimulator({ hashes: true })
    bins.delegate('bins', { paths: ['simple/*/index.json'] })
    bins.delegateBins({ bitLength: 3, from: 'bins' })
    const names = [...bins.delegated.keys()].filter((name) => name !== 'bins')
    for (const name of names) bins.addTarget('simple/foo/index.json', name, name)
    bins.publish()
    const refreshed = await bins.refresh()
    const found = await search(bins, refreshed.trusted, 'simple/foo/index.json')
    expect(namesOf(found)).toEqual(['targets', 'bins', found.role])
    expect(found.role).toMatch(/^bins-[0-7]$/)
  })
})

describe('a terminating delegation', () => {
  test('ends the search behind it, in its own list', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a', terminating: true },
      { name: 'b', targets: ['x'] },
    )
    const found = await search(simulator, trusted, 'x')
    expect(found.target).toBeUndefined()
    expect(namesOf(found)).toEqual(['targets', 'a'])
  })

  test('ends the search behind it everywhere, not only among its siblings', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a' },
      { name: 'b', targets: ['x'] },
      { name: 'aa', from: 'a', terminating: true },
      { name: 'ab', from: 'a', targets: ['x'] },
    )
    expect(namesOf(await search(simulator, trusted, 'x'))).toEqual(['targets', 'a', 'aa'])
  })

  test('does not end it for those before it and for those below it', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a' },
      { name: 'b', terminating: true },
      { name: 'c', targets: ['x'] },
      { name: 'ba', from: 'b', targets: ['x'] },
    )
    expect(namesOf(await search(simulator, trusted, 'x'))).toEqual(['targets', 'a', 'b', 'ba'])
  })

  test('that does not match ends nothing', async () => {
    const { simulator, trusted } = await publishTree(
      { name: 'a', paths: ['y'], terminating: true },
      { name: 'b', targets: ['x'] },
    )
    expect((await search(simulator, trusted, 'x')).role).toBe('b')
  })

  test('is what every bin is', async () => {
    const simulator = new TufSimulator()
    simulator.delegate('bins')
    simulator.delegate('later', { paths: ['*'] })
    simulator.addTarget('x', 'later', 'later')
    simulator.delegateBins({ bitLength: 1, from: 'bins' })
    simulator.publish()
    const { trusted } = await simulator.refresh()
    expect((await search(simulator, trusted, 'x')).target).toBeUndefined()
  })
})

describe('a role that cannot be had ends the search, and never lets the next one answer:', () => {
  test('it cannot be fetched', async () => {
    const { simulator, trusted } = await twoRoles()
    const fault = new UpstreamError('TIMED_OUT', 'no answer')
    simulator.faults.set('1.first', fault)
    await expect(search(simulator, trusted, 'x')).rejects.toBe(fault)
  })

  test('it is signed by another', async () => {
    const { simulator, trusted } = await twoRoles()
    simulator.signers.set('first', [createSigner()])
    await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'SIGNATURE_THRESHOLD',
      'first is signed by 0 of the 1 keys that its delegation demands',
    )
  })

  test('it has expired', async () => {
    const { simulator, trusted } = await twoRoles()
    simulator.role('first').expires = '2026-06-01T12:00:00Z'
    await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'EXPIRED',
      'first version 1 expired 0 s ago',
    )
  })

  test('it is not the version of the snapshot', async () => {
    const { simulator, trusted } = await twoRoles()
    simulator.role('first').version += 1
    await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'VERSION_MISMATCH',
      'first is version 2 where 1 is due',
    )
  })

  test('it is not in the snapshot, and then it is not even fetched', async () => {
    const { simulator } = await twoRoles()
    simulator.delegate('new', { paths: ['x'] })
    simulator.targets.delegations?.roles?.reverse()
    simulator.publish()
    Reflect.deleteProperty(simulator.snapshot.meta, 'new.json')
    const { trusted } = await simulator.refresh()
    simulator.requests.length = 0
    await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'ROLE_NOT_IN_SNAPSHOT',
      'role new is not listed in snapshot 3',
    )
    expect(simulator.requests).toEqual([])
  })

  test('it is malformed', async () => {
    const { simulator, trusted } = await twoRoles()
    simulator.tampered.set('first', (bytes) => bytes.subarray(1))
    await expectRefusal(() => search(simulator, trusted, 'x'), 'MALFORMED', 'first is malformed')
  })

  test('it is another bin of the same version and key, where snapshot has hashes', async () => {
    const simulator = new TufSimulator({ hashes: true })
    simulator.delegateBins({ bitLength: 1 })
    for (const name of simulator.delegated.keys()) simulator.addTarget('x', name, name)
    simulator.publish()
    const { trusted } = await simulator.refresh()
    const [zero, one] = ['bins-0', 'bins-1'].map((name) => simulator.render(name))
    simulator.tampered.set('bins-0', () => one!)
    simulator.tampered.set('bins-1', () => zero!)
    await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'DIGEST_MISMATCH',
      /sha256 of bins-[01] is not the signed one/,
    )
  })
})

describe('the limit of roles', () => {
  test('lets 32 roles be searched', async () => {
    const { simulator, trusted } = await chain(31)
    expect((await search(simulator, trusted, 'x')).visited).toHaveLength(32)
  })

  test('refuses to say "not found" after 32 where there are more', async () => {
    const { simulator, trusted } = await chain(32)
    const refusal = await expectRefusal(
      () => search(simulator, trusted, 'x'),
      'SEARCH_LIMIT',
      'x was looked for in 32 roles, and there are more',
    )
    expect(refusal.facts.expected).toBe('at most 32 roles')
    expect(simulator.requests).toHaveLength(31)
  })

  test('holds against a role that delegates everything to very many', async () => {
    const simulator = new TufSimulator()
    const entry = { keyids: [], threshold: 1, terminating: false, paths: ['*'] }
    const roles = Array.from({ length: 130_000 }, (_, at) => ({ ...entry, name: `r${at}` }))
    simulator.targets.delegations = { keys: {}, roles }
    const targets = parseTargets(simulator.render('targets'), 'targets').claimed
    const { trusted } = await new TufSimulator().refresh()
    await expectRefusal(
      () => search(simulator, { ...trusted, targets }, 'x'),
      'ROLE_NOT_IN_SNAPSHOT',
      'role r0 is not listed',
    )
  })

  test('can be set', async () => {
    const { simulator, trusted } = await chain(2)
    await expectRefusal(() => search(simulator, trusted, 'x', 2), 'SEARCH_LIMIT', 'in 2 roles')
    expect((await search(simulator, trusted, 'x', 3)).visited).toHaveLength(3)
  })
})

describe('before the search', () => {
  test('all top-level roles must be unexpired now', async () => {
    const { simulator, trusted } = await publishTree({ name: 'a' })
    const later = { now: simulator.now + 31 * 86_400_000 }
    await expectRefusal(
      () => findTarget(trusted, 'x', simulator.loadRole(trusted), later),
      'EXPIRED',
      'root version 1 expired 1 d ago',
    )
  })

  test('there must have been a refresh', async () => {
    const { simulator } = await publishTree({ name: 'a' })
    await expectRefusal(
      () => search(simulator, simulator.trust(), 'x'),
      'METADATA_UNAVAILABLE',
      'no signed list has been verified yet',
    )
  })

  test.each(['__proto__', 'constructor', 'toString', ''])(
    'the path %j is a name like any other',
    async (path) => {
      const { simulator, trusted } = await publishTree(
        { name: 'constructor' },
        { name: '__proto__' },
      )
      expect((await search(simulator, trusted, path)).target).toBeUndefined()
    },
  )
})
