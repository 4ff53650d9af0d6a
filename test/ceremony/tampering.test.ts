import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { requireTrustedRoot } from '../../src/ceremony/check-change.ts'
import { parseSignatures } from '../../src/signing/add-signature.ts'
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
import { alter, type LooseSigned } from './loose-change.ts'

let ceremony: Ceremony
let alice: Signer
let mallory: Signer
let quick: Signer
beforeAll(async () => {
  alice = await newPerson()
  mallory = await newPerson()
})
beforeEach(async () => {
  ceremony = await Ceremony.create()
  quick = await ceremony.offline('root-1')
})
afterEach(() => ceremony.remove())

/** Alice and the quick key, 1 of 2. */
const prepare = (): Promise<Bytes> =>
  ceremony.prepare({ addKeys: [{ role: 'root', key: { ...alice, name: 'alice' } }] })

describe('a change file that was altered on its way', () => {
  test('in its summary says the same: nobody reads it', async () => {
    const bytes = await prepare()
    const altered = alter(bytes, (file) => {
      file.summary = ['Nothing to see here, a renewal only']
    })
    expect(describeBytes(altered)).toBe(describeBytes(bytes))
    expect(describeBytes(altered)).toContain(alice.keyid)
    expect(decodeUtf8(await sign(altered, quick))).not.toContain('Nothing to see')
  })

  test('in a document, after it was signed, has bad signatures, which are named', async () => {
    const signed = await sign(await prepare(), quick)
    const altered = alter(signed, (file) => {
      file.documents.root.signed.expires = '2099-01-01T00:00:00Z'
    })
    expect(readChecked(altered).documents[0]).toMatchObject({ bad: [quick.keyid] })
    const refusal = await expectRefusal(
      () => ceremony.publish(altered),
      'SIGNATURE_THRESHOLD',
      'root needs 1 more signature',
    )
    expect(refusal.message).toContain(`not good are the signatures by ${quick.keyid}`)
  })

  test('in one copy does not spoil the good signature of the other', async () => {
    const signed = await sign(await prepare(), quick)
    const spoilt = alter(signed, (file) => {
      file.documents.root.signatures[0]!.sig = 'ab'.repeat(64)
    })
    expect(readChecked(spoilt).documents[0]).toMatchObject({ bad: [quick.keyid] })
    await ceremony.publish(spoilt, signed)
  })

  test('with another key in the place of Alice’s shows the key that is there', async () => {
    const altered = alter(await prepare(), (file) => {
      const { signed } = file.documents.root
      delete signed.keys[alice.keyid]
      signed.keys[mallory.keyid] = mallory.key
      signed.roles.root.keyids = [mallory.keyid, quick.keyid]
      signed['x-tufgate']['key-names'] = { [mallory.keyid]: 'alice' }
    })
    expect(describeBytes(altered)).toContain(`+ ${mallory.keyid}`)
    expect(describeBytes(altered)).not.toContain(alice.keyid)
  })

  test('with another key behind Alice’s key id is refused', async () => {
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.keys[alice.keyid] = mallory.key
    })
    await expectRefusal(() => readChecked(altered), 'MALFORMED', 'is not that of the key behind it')
  })

  test('with one key under two ids is refused', async () => {
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.keys['ab'.repeat(32)] = quick.key
      file.documents.root.signed.roles.root.keyids.push('ab'.repeat(32))
    })
    await expectRefusal(() => readChecked(altered), 'MALFORMED', 'is not that of the key behind it')
  })

  test('in its previous root is refused', async () => {
    const altered = alter(await prepare(), (file) => {
      file.roots[0]!.signed.roles.root.threshold = 2
    })
    await expectRefusal(() => readChecked(altered), 'SIGNATURE_THRESHOLD', 'root')
  })

  test('in its previous targets is refused', async () => {
    const altered = alter(await prepare(), (file) => {
      file.previous.targets.signed.expires = '2099-01-01T00:00:00Z'
    })
    await expectRefusal(() => readChecked(altered), 'SIGNATURE_THRESHOLD', 'targets')
  })

  test('to start from a root of the attacker is found by whoever has a copy of his own', async () => {
    const other = await Ceremony.create()
    try {
      const foreign = await other.prepare({ addKeys: [{ role: 'root', key: alice }] })
      const { mirror } = ceremony
      const own = await mirror.readMetadata('1.root')
      const place = '/home/alice/1.root.json'
      const ownDraft = parseSignatures(
        encodeUtf8(JSON.stringify({ signed: own, signatures: [] })),
        place,
      )
      await expectRefusal(
        () => requireTrustedRoot(readChecked(foreign), ownDraft, place),
        'ROOT_CHANGED',
        `${place} is not a root from which this change descends`,
      )
      requireTrustedRoot(readChecked(await prepare()), ownDraft, place)
      const signed = await sign(foreign, await other.offline('root-1'))
      await expectRefusal(
        () => ceremony.publish(signed),
        'CONFIG_INVALID',
        'made from another root',
      )
    } finally {
      await other.remove()
    }
  })

  test('with a version of root left out is refused', async () => {
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.version = 3
    })
    await expectRefusal(
      () => readChecked(altered),
      'VERSION_MISMATCH',
      'root version 3 where 2 is due',
    )
  })

  test('with an old version of bins is refused', async () => {
    const altered = alter(await ceremony.prepare({ bins: 8 }), (file) => {
      file.documents.bins.signed.version = 1
    })
    await expectRefusal(() => readChecked(altered), 'VERSION_MISMATCH', 'bins version 1')
  })

  test('with the signature of another document counts for nothing', async () => {
    const signed = await signAll(
      await ceremony.prepare({ isRenewal: true }),
      await ceremony.offline('targets'),
    )
    const altered = alter(signed, (file) => {
      file.documents.claimed.signatures = file.documents.targets.signatures
    })
    const claimed = readChecked(altered).documents.find(({ role }) => role === 'claimed')!
    expect(claimed.idle).toHaveLength(1)
    expect(claimed.requirements[0]).toMatchObject({ lacking: 1, signed: [] })
  })
})

test('a root that is longer than clients take is refused, before anybody reads all of it', async () => {
  const altered = alter(await prepare(), (file) => {
    const many = Array.from({ length: 30_000 }, (_, at) => [`member-${at}`, 'x'] as const)
    file.documents.root.signed['x-tufgate'] = { more: Object.fromEntries(many) }
  })
  const refusal = await expectRefusal(
    () => readChecked(altered),
    'LENGTH_MISMATCH',
    'root is longer than the 512000 bytes that are allowed',
  )
  expect(refusal.facts.next).toContain('Do not sign')
})

test('a chain of roots that is none says what to do to whoever would sign, not to a client', async () => {
  const altered = alter(await prepare(), (file) => {
    file.roots = [file.roots[0]!, file.roots[0]!]
  })
  const refusal = await expectRefusal(
    () => readChecked(altered),
    'VERSION_MISMATCH',
    'root is version 1 where 2 is due',
  )
  expect(refusal.facts.next).toContain('Do not sign')
})

describe('a change that was made from another state', () => {
  test('is refused, and nothing changes', async () => {
    const first = await sign(await prepare(), quick)
    const second = await sign(
      await ceremony.prepare({ addKeys: [{ role: 'root', key: mallory }] }),
      quick,
    )
    await ceremony.publish(first)
    const refusal = await expectRefusal(
      () => ceremony.publish(second),
      'CONFIG_INVALID',
      'The change was made from another root than the one that is published',
    )
    expect(refusal.facts).toMatchObject({ found: 'version 1', role: 'root' })
  })

  test('of bins alone is refused when targets has changed since', async () => {
    const bins = await signAll(await ceremony.prepare({ bins: 8 }), await ceremony.offline('bins'))
    await ceremony.change(
      { isRenewal: true },
      ...(await Promise.all(
        ['root-1', 'targets', 'claimed', 'bins'].map((name) => ceremony.offline(name)),
      )),
    )
    await expectRefusal(() => ceremony.publish(bins), 'CONFIG_INVALID', 'from another root')
  })

  test('is not merged with another one', async () => {
    const [first, second] = [
      await prepare(),
      await ceremony.prepare({ addKeys: [{ role: 'root', key: mallory }] }),
    ]
    await expectRefusal(
      () => ceremony.publish(first, second),
      'CONFIG_INVALID',
      'copy-1.json is another change than copy-0.json',
    )
  })

  test('is published again without harm', async () => {
    const signed = await sign(await prepare(), quick)
    expect(await ceremony.publish(signed)).toMatchObject({ isRepeated: false })
    expect(await ceremony.publish(signed)).toMatchObject({ isRepeated: true })
  })
})

test('documents that are none', async () => {
  for (const hostile of [null, 5, [], {}, { _type: 'root' }, { delegations: 7 }]) {
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed = hostile as unknown as LooseSigned
    })
    await expectRefusal(
      () => readChecked(altered),
      hostile === null || typeof hostile === 'number' || Array.isArray(hostile)
        ? 'CONFIG_INVALID'
        : 'MALFORMED',
      /./,
    )
  }
})
