import { describe, expect, test } from 'vitest'
import { acceptSnapshot, acceptTargets, acceptTimestamp } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner } from '../support/tuf-signers.ts'

async function refreshed(options = {}): Promise<{
  simulator: TufSimulator
  trusted: Awaited<ReturnType<TufSimulator['refresh']>>['trusted']
}> {
  const simulator = new TufSimulator(options)
  simulator.delegate('team', { paths: ['team/*'] })
  simulator.delegate('other', { paths: ['other/*'] })
  simulator.addTarget('team/a', 'a', 'team')
  simulator.publish()
  const { trusted } = await simulator.refresh()
  return { simulator, trusted }
}

describe('a snapshot', () => {
  test.each([
    ['older than timestamp says', -1],
    ['newer than timestamp says', 1],
  ])('is refused when it is %s', async (_, difference) => {
    const { simulator, trusted } = await refreshed()
    simulator.publish()
    simulator.snapshot.version += difference
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_MISMATCH',
      `snapshot is version ${3 + difference} where 3 is due`,
    )
  })

  test('is refused when targets went back in it', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.targets.version -= 1
    simulator.publish()
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'targets went back from version 3 to 2',
    )
  })

  test('is refused when a delegated role went back in it, in memory and after a restart', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.role('team').version -= 1
    simulator.publish()
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'team went back from version 2 to 1',
    )
    await expectRefusal(
      () => simulator.refresh(simulator.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'team went back from version 2 to 1',
    )
  })

  test('is refused when a role is not listed any more', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.publish()
    Reflect.deleteProperty(simulator.snapshot.meta, 'other.json')
    const refusal = await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'other is not listed any more, and was seen as version 1',
    )
    expect(refusal.facts).toMatchObject({ role: 'other', found: 'not listed' })
  })

  test('may list more roles, and remembers them', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.delegate('third')
    simulator.publish()
    const next = await simulator.refresh(trusted)
    expect(next.trusted.floors.versions.get('third')).toBe(1)
  })

  test('has no say in the versions of root, timestamp and itself', async () => {
    const { simulator, trusted } = await refreshed()
    for (const role of ['root', 'timestamp', 'snapshot'])
      simulator.snapshot.meta[`${role}.json`] = { version: 999 }
    simulator.publish()
    const next = await simulator.refresh(trusted)
    expect(next.trusted.floors.versions.get('root')).toBe(1)
    expect(next.trusted.floors.versions.get('timestamp')).toBe(3)
    expect(next.trusted.floors.versions.get('snapshot')).toBe(3)
    simulator.publish()
    await simulator.refresh(next.trusted)
  })

  test('is refused when it has expired', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.publish()
    simulator.snapshot.expires = '2026-06-01T12:00:00Z'
    await expectRefusal(
      () => simulator.refresh(trusted),
      'EXPIRED',
      'snapshot version 3 expired 0 s ago',
    )
  })

  test('is refused when it is not signed by its own key', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.publish()
    simulator.signers.set('snapshot', simulator.signersOf('timestamp'))
    await expectRefusal(
      () => simulator.refresh(trusted),
      'SIGNATURE_THRESHOLD',
      'snapshot is signed by 0',
    )
  })

  test('without targets is refused', async () => {
    const simulator = new TufSimulator()
    simulator.snapshot.meta = { 'other.json': { version: 1 } }
    await expectRefusal(
      () => simulator.refresh(),
      'ROLE_NOT_IN_SNAPSHOT',
      'role targets is not listed in snapshot 1',
    )
  })

  test('with names that are no files is read past them', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.snapshot.meta['.json'] = { version: 1 }
    simulator.snapshot.meta['odd'] = { version: 1 }
    simulator.publish()
    const next = await simulator.refresh(trusted)
    expect([...next.trusted.floors.versions.keys()].toSorted()).toEqual([
      'other',
      'root',
      'snapshot',
      'targets',
      'team',
      'timestamp',
    ])
  })
})

describe('lengths and hashes', () => {
  test('are checked before anything is read: a longer snapshot', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.publish()
    simulator.tampered.set('snapshot', (bytes) => new Uint8Array(bytes.length + 1))
    await expectRefusal(
      () => simulator.refresh(trusted),
      'LENGTH_MISMATCH',
      'snapshot is longer than the',
    )
  })

  test('are checked before anything is read: a shorter snapshot', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.publish()
    simulator.tampered.set('snapshot', (bytes) => bytes.subarray(1))
    await expectRefusal(
      () => simulator.refresh(trusted),
      'LENGTH_MISMATCH',
      /snapshot is \d+ bytes long instead of the signed \d+/,
    )
  })

  test('refuse another snapshot of the same version that is signed as well', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.publish()
    simulator.snapshot['x'] = 'y'
    const { length } = simulator.render('snapshot')
    Object.assign(simulator.timestamp.meta['snapshot.json']!, { length })
    await expectRefusal(
      () => simulator.refresh(trusted),
      'DIGEST_MISMATCH',
      'sha256 of snapshot is not the signed one',
    )
  })

  test('refuse swapped targets, and swapped delegated targets', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.addTarget('a', 'a')
    simulator.publish()
    simulator.tampered.set('targets', (bytes) => bytes.map((byte) => byte ^ 1))
    const refusal = await expectRefusal(
      () => simulator.refresh(trusted),
      'DIGEST_MISMATCH',
      'sha256 of targets',
    )
    expect(refusal.facts.expected).toMatch(/^[0-9a-f]{64}$/)
  })

  test('must match in every known algorithm, and unknown ones are passed over', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.publish()
    Object.assign(simulator.timestamp.meta['snapshot.json']!.hashes!, { md5: 'anything' })
    await simulator.refresh(trusted)
    Object.assign(simulator.timestamp.meta['snapshot.json']!.hashes!, {
      'blake2b-256': '00'.repeat(32),
    })
    await expectRefusal(
      () => simulator.refresh(trusted),
      'DIGEST_MISMATCH',
      'blake2b-256 of snapshot',
    )
  })

  test('of unknown algorithms alone verify nothing', async () => {
    const { simulator, trusted } = await refreshed({ hashes: true })
    simulator.publish()
    simulator.timestamp.meta['snapshot.json']!.hashes = { md5: 'anything' }
    await expectRefusal(
      () => simulator.refresh(trusted),
      'UNSUPPORTED',
      'snapshot is signed with no hash that is known here',
    )
  })

  test('shorten what is fetched, and cannot lengthen it beyond the limit', async () => {
    const { simulator, trusted } = await refreshed()
    const asked = new Map<string, number>()
    const fetchRole = simulator.fetchRole.bind(simulator)
    simulator.fetchRole = (role: string, version?: number, maxBytes?: number) => {
      asked.set(role, maxBytes ?? 0)
      return fetchRole(role, version)
    }
    simulator.addTarget('a', 'a')
    simulator.publish()
    simulator.timestamp.meta['snapshot.json']!.length = simulator.render('snapshot').length
    simulator.snapshot.meta['targets.json']!.length = 10 ** 12
    simulator.timestamp.meta['snapshot.json']!.length = simulator.render('snapshot').length
    await expectRefusal(
      () => simulator.refresh(trusted),
      'LENGTH_MISMATCH',
      'instead of the signed 1000000000000',
    )
    expect(asked.get('snapshot')).toBe(simulator.render('snapshot').length)
    expect(asked.get('targets')).toBe(8_000_000)
  })
})

describe('top-level targets', () => {
  test.each([
    ['older', -1],
    ['newer', 1],
  ])('are refused when they are %s than snapshot says', async (_, difference) => {
    const { simulator, trusted } = await refreshed()
    simulator.addTarget('a', 'a')
    simulator.publish()
    simulator.targets.version += difference
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_MISMATCH',
      `targets is version ${4 + difference} where 4 is due`,
    )
  })

  test('are refused when they have expired', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.targets.expires = '2026-05-01T00:00:00Z'
    simulator.addTarget('a', 'a')
    simulator.publish()
    await expectRefusal(
      () => simulator.refresh(trusted),
      'EXPIRED',
      'targets version 4 expired 31 d ago',
    )
  })

  test('are refused when another key signed them', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.addTarget('a', 'a')
    simulator.publish()
    simulator.signers.set('targets', [createSigner()])
    await expectRefusal(
      () => simulator.refresh(trusted),
      'SIGNATURE_THRESHOLD',
      'targets is signed by 0',
    )
  })
})

test('steps that are taken out of order are bugs, not refusals', () => {
  const simulator = new TufSimulator()
  const trusted = simulator.trust()
  expect(() => acceptSnapshot(trusted, simulator.render('snapshot'), simulator.now)).toThrow(
    TypeError,
  )
  const withTimestamp = acceptTimestamp(trusted, simulator.render('timestamp'), simulator.now)
  expect(() => acceptTargets(withTimestamp, simulator.render('targets'), simulator.now)).toThrow(
    TypeError,
  )
})
