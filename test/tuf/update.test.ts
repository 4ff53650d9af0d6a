import { describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { requireUnexpired } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner } from '../support/tuf-signers.ts'

describe('a refresh', () => {
  test('fetches timestamp, snapshot and targets, by version, and hands them out to be stored', async () => {
    const simulator = new TufSimulator()
    const { trusted, accepted } = await simulator.refresh()
    expect(simulator.requests).toEqual(['2.root', 'timestamp', '1.snapshot', '1.targets'])
    expect([...accepted.keys()]).toEqual(['timestamp', 'snapshot', 'targets'])
    expect(accepted.get('snapshot')).toEqual(simulator.render('snapshot'))
    expect(Object.fromEntries(trusted.floors.versions)).toEqual({
      root: 1,
      timestamp: 1,
      snapshot: 1,
      targets: 1,
    })
  })

  test('works with keys of every kind', async () => {
    for (const kind of [
      'ecdsa-p256',
      'ecdsa-p384-hex',
      'rsa-pss-sha256',
      'rsa-pkcs1v15',
    ] as const) {
      const { trusted } = await new TufSimulator({ kind, hashes: true }).refresh()
      expect(trusted.timestamp.version).toBe(1)
    }
  })

  test('with nothing new asks for root and timestamp alone, and gives the same set', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    simulator.requests.length = 0
    const second = await simulator.refresh(first.trusted)
    expect(simulator.requests).toEqual(['2.root', 'timestamp'])
    expect(second.trusted).toBe(first.trusted)
    expect(second.accepted.size).toBe(0)
  })

  test('runs for ever', async () => {
    const simulator = new TufSimulator({ hashes: true })
    let { trusted } = await simulator.refresh()
    for (let round = 0; round < 50; round += 1) {
      if (round % 10 === 0) simulator.renewRoot()
      if (round % 3 === 0) simulator.addTarget(`a${round}`, 'a')
      simulator.publish()
      trusted = (await simulator.refresh(trusted)).trusted
    }
    expect(trusted).toMatchObject({ root: { version: 6 }, timestamp: { version: 51 } })
    expect(trusted.targets.targets.size).toBe(17)
  })

  test('takes snapshot and targets from the last run where they match, and fetches what does not', async () => {
    const simulator = new TufSimulator({ hashes: true })
    const first = await simulator.refresh()
    simulator.store(first.accepted)
    simulator.requests.length = 0
    const again = await simulator.refresh(simulator.trust(first.trusted.floors))
    expect(simulator.requests).toEqual(['2.root', 'timestamp'])
    expect([...again.accepted.keys()]).toEqual(['timestamp'])
    simulator.addTarget('a', 'a')
    simulator.publish()
    const next = await simulator.refresh(simulator.trust(first.trusted.floors))
    expect([...next.accepted.keys()]).toEqual(['timestamp', 'snapshot', 'targets'])
  })

  test('takes unchanged targets from the cache though snapshot is new', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    simulator.store(first.accepted)
    simulator.publish()
    const next = await simulator.refresh(first.trusted)
    expect([...next.accepted.keys()]).toEqual(['timestamp', 'snapshot'])
    expect(next.trusted.targets.version).toBe(1)
  })

  test('keeps the snapshot in memory where a new timestamp names the same one', async () => {
    const simulator = new TufSimulator({ hashes: true })
    const first = await simulator.refresh()
    simulator.timestamp.version += 1
    const next = await simulator.refresh(first.trusted)
    expect([...next.accepted.keys()]).toEqual(['timestamp'])
    expect(next.trusted.snapshot).toBe(first.trusted.snapshot)
  })

  test('fetches the snapshot again where a new timestamp names other bytes of the same version', async () => {
    const simulator = new TufSimulator({ hashes: true })
    const first = await simulator.refresh()
    simulator.snapshot['x'] = 'y'
    simulator.snapshot.version -= 1
    simulator.publish()
    const next = await simulator.refresh(first.trusted)
    expect([...next.accepted.keys()]).toEqual(['timestamp', 'snapshot', 'targets'])
  })

  test.each(['snapshot', 'targets', 'timestamp'])(
    'puts a damaged cache of %s right',
    async (role) => {
      const simulator = new TufSimulator()
      simulator.store((await simulator.refresh()).accepted)
      simulator.cache.set(role, simulator.render(role).subarray(1))
      await simulator.refresh()
    },
  )

  test('never trusts what the cache says of itself', async () => {
    const simulator = new TufSimulator()
    simulator.store((await simulator.refresh()).accepted)
    simulator.snapshot.meta['targets.json'] = { version: 9 }
    simulator.signers.set('snapshot', [createSigner()])
    simulator.cache.set('snapshot', simulator.render('snapshot'))
    await expectRefusal(() => simulator.refresh(), 'SIGNATURE_THRESHOLD', 'snapshot is signed by 0')
  })

  test('throws on a cache that fails as a disk fails', async () => {
    const simulator = new TufSimulator()
    const failure = new Error('EIO')
    simulator.readCached = () => Promise.reject(failure)
    await expect(simulator.refresh()).rejects.toBe(failure)
  })

  test.each(['timestamp', '2.snapshot', '2.targets'])(
    'that fails at %s leaves the old set, and the next one succeeds',
    async (request) => {
      const simulator = new TufSimulator()
      const { trusted } = await simulator.refresh()
      simulator.addTarget('a', 'a')
      simulator.publish()
      const fault = new UpstreamError('TIMED_OUT', 'no answer')
      simulator.faults.set(request, fault)
      await expect(simulator.refresh(trusted)).rejects.toBe(fault)
      requireUnexpired(trusted, simulator.now)
      expect(trusted.timestamp.version).toBe(1)
      simulator.faults.clear()
      expect((await simulator.refresh(trusted)).trusted.targets.version).toBe(2)
    },
  )

  test('goes on after a crash that left a timestamp without its snapshot', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    const { root, floors, timestamp } = trusted
    const next = await simulator.refresh({ root, floors, timestamp })
    expect([...next.accepted.keys()]).toEqual(['snapshot', 'targets'])
  })

  test('goes on after a crash that left a snapshot without its targets', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    const { root, floors, timestamp, snapshot } = trusted
    const next = await simulator.refresh({ root, floors, timestamp, snapshot })
    expect([...next.accepted.keys()]).toEqual(['targets'])
  })

  test('saves nothing of a root that it refuses', async () => {
    const simulator = new TufSimulator()
    simulator.renewRoot()
    simulator.root.version += 1
    simulator.signers.set('root', [createSigner()])
    simulator.publishRoot()
    await expectRefusal(() => simulator.refresh(), 'SIGNATURE_THRESHOLD', 'root is signed by 0')
    expect([...simulator.cache.keys()]).toEqual(['2.root'])
  })

  test('takes its time once: what is unexpired then is unexpired to its end', async () => {
    const simulator = new TufSimulator()
    simulator.timestamp.expires = '2026-06-01T12:00:01Z'
    const { trusted } = await simulator.refresh()
    await expectRefusal(
      () => requireUnexpired(trusted, simulator.now + 1000),
      'EXPIRED',
      'timestamp version 1 expired 0 s ago',
    )
  })
})

describe('a timestamp that was not modified', () => {
  test('leaves the set as it is', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    simulator.store(first.accepted)
    simulator.isConditional = true
    const second = await simulator.refresh(first.trusted)
    expect(second.trusted).toBe(first.trusted)
  })

  test('is verified again from the cache after a restart', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    simulator.store(first.accepted)
    simulator.isConditional = true
    const again = await simulator.refresh(simulator.trust(first.trusted.floors))
    expect(again.trusted.timestamp.version).toBe(1)
    expect(again.accepted.size).toBe(0)
  })

  test('is refused from the cache when a new root took its key away', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    simulator.store(first.accepted)
    simulator.isConditional = true
    const stolen = simulator.signersOf('timestamp')
    simulator.renewRoot(() => simulator.setKeys('timestamp', [createSigner()]))
    simulator.signers.set('timestamp', stolen)
    await expectRefusal(
      () => simulator.refresh(first.trusted),
      'SIGNATURE_THRESHOLD',
      'timestamp is signed by 0',
    )
  })

  test('is unavailable where there is none', async () => {
    const simulator = new TufSimulator()
    simulator.fetchTimestamp = async () => undefined
    await expectRefusal(
      () => simulator.refresh(),
      'METADATA_UNAVAILABLE',
      'timestamp is said to be unmodified, and there is none',
    )
  })
})

describe('at use', () => {
  test('nothing may be served before the first whole refresh', async () => {
    const simulator = new TufSimulator()
    await expectRefusal(
      () => requireUnexpired(simulator.trust(), simulator.now),
      'METADATA_UNAVAILABLE',
      'no signed list has been verified yet',
    )
  })

  test.each(['root', 'timestamp', 'snapshot', 'targets'] as const)(
    '%s must be unexpired at this moment',
    async (role) => {
      const simulator = new TufSimulator()
      simulator[role].expires = '2026-06-02T12:00:00Z'
      simulator.publishRoot()
      const { trusted } = await simulator.refresh()
      const end = Date.parse('2026-06-02T12:00:00Z')
      requireUnexpired(trusted, end - 1)
      const refusal = await expectRefusal(
        () => requireUnexpired(trusted, end),
        'EXPIRED',
        `${role} version 1 expired 0 s ago`,
      )
      expect(refusal.facts).toMatchObject({ role, version: 1, found: '2026-06-02T12:00:00Z' })
      await expectRefusal(
        () => requireUnexpired(trusted, end + 3 * 3_600_000),
        'EXPIRED',
        `${role} version 1 expired 3 h ago`,
      )
    },
  )
})
