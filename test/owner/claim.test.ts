import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import type { Json } from '../../src/base/canonical-json.ts'
import {
  buildClaim,
  parseClaim,
  requireHandover,
  requirePossession,
  signClaim,
} from '../../src/owner/claim.ts'
import { describeClaim } from '../../src/cli/owner/owner-report.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { renderKey } from '../../src/owner/claim.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { createKey } from './maintainer.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

async function claimOf(
  signed: Readonly<Record<string, Json>>,
  kind: Parameters<typeof createKey>[0] = 'ed25519',
): Promise<Bytes> {
  const signer = await createKey(kind)
  const whole = {
    _type: 'tufgate-claim',
    format: 1,
    project: 'foo',
    keys: [renderKey(signer.key)],
    threshold: 1,
    created: '2026-03-01T12:00:00Z',
    ...signed,
  }
  return signEnvelope(whole, [signer])
}

describe('a claim', () => {
  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'] as const)(
    'of a key of kind %s proves that it is there',
    async (kind) => {
      const key = await createKey(kind)
      const claim = await buildClaim({ project: 'foo', keys: [key], threshold: 1, now }, [key])
      expect(requirePossession(parseClaim(claim))).toEqual({
        project: 'foo',
        keys: new Map([[key.keyid, key.key]]),
        threshold: 1,
        created: now,
      })
    },
  )

  test('that was altered after somebody had signed it is not signed by the next', async () => {
    const [me, friend] = [await createKey(), await createKey()]
    const input = { project: 'foo', keys: [me, friend], threshold: 2, now }
    const claim = decodeUtf8(await buildClaim(input, [me]))
    const altered = encodeUtf8(claim.replace('"threshold":2', '"threshold":1'))
    await expectRefusal(
      () => signClaim(altered, friend),
      'CONFIG_INVALID',
      `The signature of ${me.keyid} does not fit what the claim says: it was changed after they signed`,
    )
    await signClaim(encodeUtf8(claim), friend)
  })

  test('says before it is signed with whose keys the project is signed from then on', async () => {
    const [me, friend, old] = [await createKey(), await createKey(), await createKey()]
    const input = { project: 'foo', keys: [me, friend], threshold: 1, now }
    const claim = await signClaim(await buildClaim(input, [me]), old)
    expect(describeClaim(parseClaim(claim))).toEqual([
      'foo: from now on signed by 1 of 2 keys',
      `  key ${me.keyid}, has signed`,
      `  key ${friend.keyid}`,
      `  ${old.keyid} has signed, and is none of them: the key of before?`,
    ])
  })

  test('of several is whole only when each of them has signed it', async () => {
    const [me, friend] = [await createKey(), await createKey('ecdsa-p256')]
    const input = { project: 'foo', keys: [me, friend], threshold: 2, now }
    const claim = await buildClaim(input, [me])
    const refusal = await expectRefusal(
      () => requirePossession(parseClaim(claim)),
      'SIGNATURE_THRESHOLD',
      'not signed by all of its 2 keys',
    )
    expect(refusal.facts.found).toBe(`no signature by ${friend.keyid}`)
    const whole = parseClaim(await signClaim(claim, friend))
    expect(requirePossession(whole).threshold).toBe(2)
  })

  test('to a key of somebody else is refused: he has not signed it', async () => {
    const [thief, victim] = [await createKey(), await createKey()]
    const input = { project: 'foo', keys: [victim], threshold: 1, now }
    const claim = await signClaim(await buildClaim(input, []), thief)
    await expectRefusal(
      () => requirePossession(parseClaim(claim)),
      'SIGNATURE_THRESHOLD',
      'not signed by all',
    )
  })

  test('whose project was changed on its way is refused', async () => {
    const claim = await claimOf({})
    const bent = encodeUtf8(
      Buffer.from(claim).toString().replace('"project":"foo"', '"project":"bar"'),
    )
    await expectRefusal(
      () => requirePossession(parseClaim(bent)),
      'SIGNATURE_THRESHOLD',
      'The claim of bar',
    )
  })

  test.each([
    ['a name that is not normalized', { project: 'Foo_bar' }, 'normalized project name'],
    ['a name with a wildcard', { project: '*' }, 'normalized project name'],
    ['a threshold of none', { threshold: 0 }, 'threshold'],
    ['a threshold above its keys', { threshold: 2 }, 'a threshold above the number of keys'],
    ['no keys at all', { keys: [] }, 'a threshold above the number of keys'],
    [
      'a key of an unknown kind',
      { keys: [{ keytype: 'x', scheme: 'x', keyval: { public: 'x' } }] },
      'unknown kind',
    ],
    ['a newer format', { format: 2 }, 'made by a newer tufgate'],
    ['another type', { _type: 'targets' }, 'expected tufgate-claim'],
    ['no time', { created: 'today' }, 'created'],
  ])('with %s is malformed', async (_what, signed, problem) => {
    const claim = await claimOf(signed)
    await expectRefusal(() => parseClaim(claim), 'MALFORMED', problem)
  })

  test('that is no claim at all, or endless, is refused before anything of it is used', async () => {
    await expectRefusal(() => parseClaim(encodeUtf8('{}')), 'MALFORMED', 'the claim')
    await expectRefusal(() => parseClaim(new Uint8Array(300_000)), 'LENGTH_MISMATCH', 'longer')
  })

  test('with the same key twice, or an impossible threshold, is not made', async () => {
    const key = await createKey()
    const make = (keys: readonly (typeof key)[], threshold: number) => () =>
      buildClaim({ project: 'foo', keys, threshold, now }, [key])
    await expectRefusal(make([key, key], 1), 'CONFIG_INVALID', 'the same key stands twice')
    await expectRefusal(make([key], 2), 'CONFIG_INVALID', '2 of 1 keys is not possible')
    await expectRefusal(make([], 1), 'CONFIG_INVALID', '1 of 0 keys is not possible')
  })
})

describe('a change of keys', () => {
  test('needs the threshold of the old ones', async () => {
    const [first, second, next] = [await createKey(), await createKey(), await createKey()]
    const before = {
      keys: new Map([first, second].map(({ keyid, key }) => [keyid, key])),
      threshold: 2,
    }
    let claim = await buildClaim({ project: 'foo', keys: [next], threshold: 1, now }, [next])
    claim = await signClaim(claim, first)
    await expectRefusal(
      () => requireHandover(parseClaim(claim), before),
      'SIGNATURE_THRESHOLD',
      '1 of the 2 keys',
    )
    const whole = parseClaim(await signClaim(claim, second))
    expect(() => requireHandover(whole, before)).not.toThrow()
  })
})
