import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Signer } from '../../src/signing/signer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import {
  Ceremony,
  describe as describeBytes,
  newPerson,
  readChecked,
  sign,
  signAll,
} from './ceremony-fixture.ts'

let ceremony: Ceremony
let alice: Signer
let bob: Signer
let carol: Signer
let quick: Signer
beforeEach(async () => {
  ceremony = await Ceremony.create()
  quick = await ceremony.offline('root-1')
  alice = await newPerson()
  bob = await newPerson('ecdsa-p256')
  carol = await newPerson('rsa-pss')
})
afterEach(() => ceremony.remove())

const custody = (): Parameters<Ceremony['prepare']>[0] => ({
  addKeys: [
    { role: 'root', key: { ...alice, name: 'alice' } },
    { role: 'root', key: { ...bob, name: 'bob' } },
    { role: 'root', key: { ...carol, name: 'carol' } },
  ],
  removeKeys: [{ role: 'root', keyid: quick.keyid.slice(0, 8) }],
  thresholds: new Map([['root', 2]]),
})

const visit = (): Promise<unknown> =>
  ceremony.client().visit(ceremony.mirror.public, ceremony.mirror.now, ceremony.projects)

describe('three people and one lost key', () => {
  test('take over from the quick start, lose a key, replace it, and go on; clients follow', async () => {
    await visit()
    await ceremony.change(custody(), quick, alice, bob)
    expect(await visit()).toMatchObject({ root: 2 })
    // Carol has lost hers: the other two put a new one in its place.
    const dora = await newPerson()
    await ceremony.change(
      {
        addKeys: [{ role: 'root', key: dora }],
        removeKeys: [{ role: 'root', keyid: carol.keyid }],
      },
      alice,
      bob,
    )
    expect(await visit()).toMatchObject({ root: 3 })
    await ceremony.change(
      { isRenewal: true },
      dora,
      bob,
      await ceremony.offline('targets'),
      await ceremony.offline('claimed'),
      await ceremony.offline('bins'),
    )
    expect(await visit()).toMatchObject({ root: 4, files: { foo: ['foo-1.0.tar.gz'] } })
    // The first root is all that a new client has.
    expect(
      await ceremony.client('new').visit(ceremony.mirror.public, ceremony.mirror.now, ['bar']),
    ).toMatchObject({ root: 4, files: { bar: ['bar-1.0.tar.gz'] } })
  })

  test('sign copies apart, in any order, which are merged when they are published', async () => {
    const blank = await ceremony.prepare(custody())
    const copies = [await sign(blank, bob), await sign(blank, quick), await sign(blank, alice)]
    await ceremony.publish(...copies)
    expect(await visit()).toMatchObject({ root: 2 })
  })

  test('may sign the same file twice', async () => {
    const twice = await signAll(await ceremony.prepare(custody()), quick, bob, bob, alice, bob)
    const [root] = readChecked(twice).documents
    expect(root!.requirements.map(({ lacking }) => lacking)).toEqual([0, 0])
    await ceremony.publish(twice)
  })

  test('are told in plain words what they sign', async () => {
    const text = describeBytes(await ceremony.prepare(custody()))
    expect(text).toContain(
      'root: version 1 becomes 2, expires 2027-03-01T12:00:00Z (before: 2027-03-01T12:00:00Z)',
    )
    expect(text).toContain('root: 2 of 3 keys (before: one key)')
    expect(text).toContain(`+ ${alice.keyid} ed25519, called alice`)
    expect(text).toContain(`+ ${carol.keyid} rsassa-pss-sha256, called carol`)
    expect(text).toContain(`- ${quick.keyid} ed25519`)
    expect(text).not.toContain('also')
  })
})

describe('what is missing', () => {
  test('is refused with who can sign', async () => {
    const refusal = await expectRefusal(
      () => ceremony.change(custody(), quick, alice),
      'SIGNATURE_THRESHOLD',
      'root needs 1 more signature by the keys of root version 2',
    )
    expect(refusal.facts.next).toContain(bob.keyid)
    expect(refusal.facts.next).toContain(carol.keyid)
    expect(await visit()).toMatchObject({ root: 1 })
  })

  test('is also the old threshold, however many of the new keys have signed', async () => {
    await expectRefusal(
      () => ceremony.change(custody(), alice, bob, carol),
      'SIGNATURE_THRESHOLD',
      'root needs 1 more signature by the keys of root version 1',
    )
  })

  test('is the signature of each other document too', async () => {
    const targets = await ceremony.offline('targets')
    await expectRefusal(
      () => ceremony.change({ isRenewal: true }, quick, targets),
      'SIGNATURE_THRESHOLD',
      'claimed needs 1 more signature',
    )
  })

  test('is not made up for by a key that has no say', async () => {
    const stranger = await newPerson()
    const blank = await ceremony.prepare(custody())
    const refusal = await expectRefusal(() => sign(blank, stranger), 'KEY_INVALID', 'has no say')
    expect(refusal.facts.expected).toContain(alice.keyid)
  })
})

const refused = (options: Parameters<Ceremony['prepare']>[0], message: string): Promise<unknown> =>
  expectRefusal(() => ceremony.prepare(options), 'CONFIG_INVALID', message)

describe('what cannot be', () => {
  test('is a threshold above the number of keys', () =>
    refused(
      { thresholds: new Map([['targets', 2]]) },
      'targets would need 2 signatures and have 1 key',
    ))

  test('is the same key twice', async () => {
    await refused({ addKeys: [{ role: 'root', key: quick }] }, 'root has the key')
    await refused(
      {
        addKeys: [
          { role: 'root', key: alice },
          { role: 'root', key: alice },
        ],
      },
      'root has the key',
    )
  })

  test('is a root that ends with the loss of one key, unless that is accepted', async () => {
    const options = {
      addKeys: [{ role: 'root', key: alice } as const],
      thresholds: new Map([['root', 2]] as const),
    }
    await refused(options, 'All 2 root keys would be needed')
    await ceremony.prepare({ ...options, acceptLossRisk: true })
  })

  test('is one root key in the place of another, unless that is accepted', () =>
    refused(
      {
        addKeys: [{ role: 'root', key: alice }],
        removeKeys: [{ role: 'root', keyid: quick.keyid }],
      },
      'There would be one root key',
    ))

  test('is a role without a key', () =>
    refused(
      { removeKeys: [{ role: 'root', keyid: quick.keyid }] },
      'root would have no key any more',
    ))

  test('is a key id that is nobody’s, or too short', async () => {
    await refused({ removeKeys: [{ role: 'root', keyid: 'ffffffffff' }] }, 'No key of root begins')
    await refused({ removeKeys: [{ role: 'root', keyid: quick.keyid.slice(0, 3) }] }, 'too short')
  })

  test('is a change of nothing', () => refused({}, 'Nothing would change'))

  test('is the number of bins that there is already, or no power of two', async () => {
    await refused({ bins: 4 }, 'There are 4 bins already')
    await refused({ bins: 5 }, '5 is not a possible number of bins')
  })

  test('leaves no key behind when it is refused', async () => {
    await refused({ rotate: new Map([['snapshot', undefined]]), bins: 4 }, 'already')
    await expectRefusal(() => ceremony.online('snapshot.next'), 'KEY_INVALID', 'does not exist')
  })
})

const all = (): Promise<Signer[]> =>
  Promise.all(['root-1', 'targets', 'claimed', 'bins'].map((name) => ceremony.offline(name)))

describe('the yearly renewal', () => {
  test('works when everything has expired long ago', async () => {
    await visit()
    ceremony.mirror.now += 800 * 86_400_000
    await expectRefusal(() => visit(), 'EXPIRED', 'root version 1 expired')
    await ceremony.change({ isRenewal: true }, ...(await all()))
    expect(await visit()).toMatchObject({ root: 2, files: { foo: ['foo-1.0.tar.gz'] } })
  })

  test('signs for as long as is asked', async () => {
    await ceremony.change({ isRenewal: true, expiresInMs: 30 * 86_400_000 }, ...(await all()))
    expect((await ceremony.mirror.readMetadata('2.root')).expires).toBe('2026-03-31T12:00:00Z')
    expect((await ceremony.mirror.readMetadata('2.bins')).expires).toBe('2026-03-31T12:00:00Z')
  })

  test('is refused once what was signed has expired on its way', async () => {
    const signed = await signAll(
      await ceremony.prepare({ isRenewal: true, expiresInMs: 86_400_000 }),
      ...(await all()),
    )
    ceremony.mirror.now += 2 * 86_400_000
    await expectRefusal(() => ceremony.publish(signed), 'CONFIG_INVALID', 'has expired already')
  })
})

describe('keys of targets, claimed and bins', () => {
  test.each(['targets', 'claimed', 'bins'] as const)('%s is replaced', async (role) => {
    const old = await ceremony.offline(role)
    const named = role === 'targets' ? quick : await ceremony.offline('targets')
    await visit()
    await ceremony.change(
      {
        addKeys: [{ role, key: alice }],
        removeKeys: [{ role, keyid: old.keyid }],
      },
      named,
      alice,
    )
    expect(await visit()).toMatchObject({ files: { 'baz-2': ['baz-2-1.0.tar.gz'] } })
    // The old key has no say any more.
    const next = await ceremony.prepare({ isRenewal: true })
    await expectRefusal(() => sign(next, old), 'KEY_INVALID', 'has no say')
  })

  test('may be several with a threshold', async () => {
    await ceremony.change(
      {
        addKeys: [alice, bob, carol].map((key) => ({ role: 'bins', key }) as const),
        removeKeys: [{ role: 'bins', keyid: (await ceremony.offline('bins')).keyid }],
        thresholds: new Map([['bins', 2]]),
      },
      await ceremony.offline('targets'),
      alice,
      carol,
    )
    await expectRefusal(
      () => ceremony.change({ bins: 8 }, alice),
      'SIGNATURE_THRESHOLD',
      'bins needs 1 more signature',
    )
    expect(await visit()).toMatchObject({ files: { foo: ['foo-1.0.tar.gz'] } })
  })
})
