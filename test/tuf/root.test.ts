import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import { acceptRoot, noFloors, trustRoot, type Floors } from '../../src/tuf/trusted-set.ts'
import { defaultRefreshLimits, refresh, refreshRoot } from '../../src/tuf/update.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { signDocument } from '../support/tuf-repository.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner, createSignerFor } from '../support/tuf-signers.ts'

function floorsOf(versions: Record<string, number>, epoch = 0): Floors {
  return { versions: new Map(Object.entries(versions)), signedAt: 0, epoch }
}

describe('the first root', () => {
  test('is trusted though it has expired, and must verify against itself', async () => {
    const simulator = new TufSimulator()
    simulator.root.expires = '2020-01-01T00:00:00Z'
    expect(trustRoot(simulator.publishRoot(), noFloors).root.version).toBe(1)
    const forged = signDocument(simulator.root, [createSigner()])
    await expectRefusal(
      () => trustRoot(forged, noFloors),
      'SIGNATURE_THRESHOLD',
      'root is signed by 0 of the 1 keys that the root itself demands',
    )
  })

  test('is refused where it is another role', async () => {
    const simulator = new TufSimulator()
    await expectRefusal(
      () => trustRoot(simulator.render('targets'), noFloors),
      'MALFORMED',
      'signed._type: expected root, found targets',
    )
  })

  test('raises the floor of root and leaves the others', () => {
    const { floors } = new TufSimulator().trust(floorsOf({ timestamp: 9 }))
    expect(Object.fromEntries(floors.versions)).toEqual({ timestamp: 9, root: 1 })
  })
})

describe('the chain of roots', () => {
  test('is followed one by one, each stored before the next is fetched', async () => {
    const simulator = new TufSimulator()
    for (let round = 0; round < 3; round += 1) simulator.renewRoot()
    const { trusted } = await simulator.refresh()
    expect(trusted.root.version).toBe(4)
    expect(simulator.requests.slice(0, 5)).toEqual([
      '2.root',
      '3.root',
      '4.root',
      '5.root',
      'timestamp',
    ])
    expect([...simulator.cache.keys()]).toEqual(['2.root', '3.root', '4.root'])
  })

  test('is version-prefixed where the repository has no consistent snapshots', async () => {
    const simulator = new TufSimulator({ consistentSnapshot: false })
    await simulator.refresh()
    expect(simulator.requests).toEqual(['2.root', 'timestamp', 'snapshot', 'targets'])
  })

  test('goes over to new keys, and no old key signs anything any more', async () => {
    const simulator = new TufSimulator()
    const old = simulator.signersOf('root')
    simulator.renewRoot(() =>
      simulator.setKeys('root', [createSigner(), createSigner('ecdsa-p384')], 2),
    )
    expect((await simulator.refresh()).trusted.root.version).toBe(2)
    simulator.root.version = 3
    simulator.signers.set('root', old)
    simulator.publishRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'signed by 0 of the 2 keys that the trusted root demands',
    )
  })

  test('refuses a root that its own keys have not signed', async () => {
    const simulator = new TufSimulator()
    const old = simulator.signersOf('root')
    simulator.setKeys('root', [createSigner()])
    simulator.signers.set('root', old)
    simulator.root.version = 2
    simulator.publishRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'that the new root itself demands',
    )
  })

  test('refuses a root that only its own keys have signed', async () => {
    const simulator = new TufSimulator()
    simulator.setKeys('root', [createSigner()])
    simulator.root.version = 2
    simulator.publishRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'that the trusted root demands',
    )
  })

  test('refuses one key too few of the old root', async () => {
    const simulator = new TufSimulator()
    const [first, second] = [createSigner(), createSigner()]
    simulator.setKeys('root', [first, second], 2)
    simulator.publishRoot()
    simulator.root.version = 2
    simulator.signers.set('root', [first])
    simulator.publishRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test.each([
    ['skips one', 3],
    ['is the same again', 1],
    ['is far ahead', 999],
  ])('refuses a next root whose version %s', async (_, version) => {
    const simulator = new TufSimulator()
    const document = { ...simulator.root, version }
    simulator.publishedRoots.set(2, signDocument(document, simulator.signersOf('root')))
    const refusal = await expectRefusal(
      () => simulator.refresh(),
      'VERSION_MISMATCH',
      `root is version ${version} where 2 is due`,
    )
    expect(refusal.facts).toMatchObject({ expected: '2', found: String(version), role: 'root' })
  })

  test('passes roots that have expired on the way, and refuses one at the end', async () => {
    const simulator = new TufSimulator()
    const { expires } = simulator.root
    simulator.renewRoot(() => (simulator.root.expires = '2020-01-01T00:00:00Z'))
    await expectRefusal(() => simulator.refresh(), 'EXPIRED', 'root version 2 expired')
    simulator.renewRoot(() => (simulator.root.expires = expires))
    expect((await simulator.refresh()).trusted.root.version).toBe(3)
  })

  test('is refused where it expires at this very moment', async () => {
    const simulator = new TufSimulator()
    simulator.root.expires = '2026-06-01T12:00:00Z'
    simulator.publishRoot()
    await expectRefusal(() => simulator.refresh(), 'EXPIRED', 'root version 1 expired 0 s ago')
    await simulator.refresh(simulator.trust(), simulator.now - 1)
  })

  test.each([
    ['a server that answers 500', new UpstreamError('BAD_STATUS', 'status 500')],
    ['a connection that breaks', new UpstreamError('BROKEN_OFF', 'connection reset')],
    ['an answer that never comes', new UpstreamError('TIMED_OUT', 'no answer')],
    ['anything that is not foreseen', new Error('surprise')],
  ])('ends the refresh at %s: a newer root must not be hidden', async (_, fault) => {
    const simulator = new TufSimulator()
    simulator.faults.set('2.root', fault)
    await expect(simulator.refresh()).rejects.toBe(fault)
    expect(simulator.requests).toEqual(['2.root'])
  })

  test('refuses a root that is longer than the limit', async () => {
    const simulator = new TufSimulator()
    simulator.root['padding'] = 'x'.repeat(512_000)
    simulator.renewRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'LENGTH_MISMATCH',
      'root is longer than the 512000 bytes',
    )
  })

  test('is followed for 256 roots at once, and the rest at the next time', async () => {
    const simulator = new TufSimulator()
    for (let round = 0; round < 12; round += 1) simulator.renewRoot()
    const limits = { ...defaultRefreshLimits, maxRootUpdates: 5 }
    const first = await refresh(simulator.trust(), simulator, simulator.now, limits)
    expect(first.trusted.root.version).toBe(6)
    const second = await refresh(first.trusted, simulator, simulator.now, limits)
    expect(second.trusted.root.version).toBe(11)
  })

  test('is followed from the first root as far as it was known before, whatever the limit', async () => {
    const simulator = new TufSimulator()
    for (let round = 0; round < 12; round += 1) simulator.renewRoot()
    const limits = { ...defaultRefreshLimits, maxRootUpdates: 1 }
    const { trusted } = await refresh(
      simulator.trust(floorsOf({ root: 12 })),
      simulator,
      simulator.now,
      limits,
    )
    expect(trusted.root.version).toBe(13)
  })

  test('may not end before the root that was known before', async () => {
    const simulator = new TufSimulator()
    simulator.renewRoot()
    const refusal = await expectRefusal(
      () => simulator.refresh(simulator.trust(floorsOf({ root: 3 }))),
      'VERSION_ROLLBACK',
      'root went back from version 3 to 2',
    )
    expect(refusal.facts).toMatchObject({ role: 'root', expected: 'at least 3', found: '2' })
  })

  test('gives the same set back where there is nothing new', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    expect(await refreshRoot(trusted, simulator, simulator.now)).toBe(trusted)
  })
})

describe('a new root and what stands below it', () => {
  test('keeps all of it where no trust was taken away', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    const next = acceptRoot(
      trusted,
      simulator.renewRoot(() => {
        const [signer] = simulator.signersOf('timestamp')
        simulator.setKeys('timestamp', [signer!, createSigner()])
        simulator.setKeys('targets', [
          createSignerFor(simulator.signersOf('targets')[0]!.privateKey, 'ed25519', 'another id'),
        ])
      }),
    )
    expect(next).toMatchObject({
      timestamp: trusted.timestamp,
      snapshot: trusted.snapshot,
      targets: trusted.targets,
    })
    expect(next.root.version).toBe(2)
    expect(next.floors.epoch).toBe(0)
  })

  test('verifies targets anew where their key was replaced', async () => {
    const simulator = new TufSimulator()
    const first = await simulator.refresh()
    const stolen = simulator.signersOf('targets')
    simulator.renewRoot(() => simulator.setKeys('targets', [createSigner()]))
    simulator.signers.set('targets', stolen)
    await expectRefusal(
      () => simulator.refresh(first.trusted),
      'SIGNATURE_THRESHOLD',
      'targets is signed by 0',
    )
  })

  test('drops what was signed by a key of timestamp that is gone', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    const next = acceptRoot(
      trusted,
      simulator.renewRoot(() => simulator.setKeys('timestamp', [createSigner()])),
    )
    expect(Object.keys(next).toSorted()).toEqual(['floors', 'root'])
    expect(Object.fromEntries(next.floors.versions)).toEqual({ root: 2 })
    expect(next.floors.epoch).toBe(2)
  })
})

test('a root with a raised threshold of snapshot forgets the floors as well', () => {
  const simulator = new TufSimulator()
  const trusted = simulator.trust(floorsOf({ root: 1, timestamp: 7, snapshot: 7, targets: 7 }))
  const bytes = simulator.renewRoot(() =>
    simulator.setKeys('snapshot', [...simulator.signersOf('snapshot'), createSigner()], 2),
  )
  expect(acceptRoot(trusted, bytes).floors).toEqual(floorsOf({ root: 2 }, 2))
})

test('another key under an old key id is a rotation', () => {
  const simulator = new TufSimulator()
  simulator.setKeys('timestamp', [createSigner('ed25519', 'same id')])
  simulator.publishRoot()
  const trusted = simulator.trust(floorsOf({ timestamp: 7 }))
  const next = acceptRoot(
    trusted,
    simulator.renewRoot(() => simulator.setKeys('timestamp', [createSigner('ed25519', 'same id')])),
  )
  expect(next.floors).toEqual(floorsOf({ root: 2 }, 2))
})

test('a lowered threshold, an added key and a new key id are no rotation', () => {
  const simulator = new TufSimulator()
  const [signer] = simulator.signersOf('timestamp')
  simulator.setKeys('timestamp', [signer!, createSigner()], 2)
  simulator.publishRoot()
  const trusted = simulator.trust(floorsOf({ timestamp: 7 }))
  const lowered = acceptRoot(
    trusted,
    simulator.renewRoot(() => simulator.setKeys('timestamp', simulator.signersOf('timestamp'), 1)),
  )
  const renamed = acceptRoot(
    lowered,
    simulator.renewRoot(() => {
      const again = simulator
        .signersOf('timestamp')
        .map(({ privateKey }, at) => createSignerFor(privateKey, 'ed25519', `id-${at}`))
      simulator.setKeys('timestamp', [...again, createSigner()], 1)
    }),
  )
  expect(renamed.floors).toEqual(floorsOf({ timestamp: 7, root: 3 }))
})

test('a root that is not JSON at all is refused as such', async () => {
  await expectRefusal(
    () => trustRoot(encodeUtf8('<html>'), noFloors),
    'MALFORMED',
    'root is malformed',
  )
})
