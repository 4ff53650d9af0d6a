import { beforeAll, describe, expect, test } from 'vitest'
import { buildClaim, parseClaim, signClaim, signersOf } from '../../src/owner/claim.ts'
import { requireOwnerKey } from '../../src/owner/require-owner-key.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { claimFor, createKey } from './maintainer.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
let me: Signer
let next: Signer
let stranger: Signer
beforeAll(async () => {
  me = await createKey()
  next = await createKey()
  stranger = await createKey()
})

const owners = (...keys: readonly Signer[]): ReturnType<typeof signersOf> =>
  signersOf({ keys: new Map(keys.map(({ keyid, key }) => [keyid, key])), threshold: 1 })

const refusalOf = (check: Parameters<typeof requireOwnerKey>[0], signer: Signer) =>
  expectRefusal(() => requireOwnerKey(check, signer.keyid), 'KEY_INVALID', 'not with yours')

describe('who signs a release', () => {
  test('has one of the keys of the project, or nobody has claimed it', () => {
    requireOwnerKey({ project: 'foo', owners: owners(me, next) }, next.keyid)
    requireOwnerKey({ project: 'foo' }, stranger.keyid)
  })

  test('is told whose key it needs, and that the mirror would refuse', async () => {
    const { message, facts } = await refusalOf({ project: 'foo', owners: owners(me) }, stranger)
    expect(message).toBe(
      `foo is claimed with the key ${me.keyid}, not with yours (${stranger.keyid}): the mirror would refuse this release`,
    )
    expect(facts.next).toContain('--claim FILE')
    const several = await refusalOf({ project: 'foo', owners: owners(me, next) }, stranger)
    expect(several.message).toContain(`the keys ${me.keyid}, ${next.keyid}, not`)
  })

  test('may be one to whom the keys of now have handed over', async () => {
    const handover = parseClaim(await claimFor('foo', [next], { now, old: [me] }))
    requireOwnerKey({ project: 'foo', owners: owners(me), handover }, next.keyid)
    await refusalOf({ project: 'foo', owners: owners(me), handover }, stranger)
  })

  test('is not believed what the keys of now have not signed, or of another project', async () => {
    const unsigned = parseClaim(await claimFor('foo', [next], { now }))
    await refusalOf({ project: 'foo', owners: owners(me), handover: unsigned }, next)
    const other = parseClaim(await claimFor('bar', [next], { now, old: [me] }))
    await refusalOf({ project: 'foo', owners: owners(me), handover: other }, next)
    const input = { project: 'foo', keys: [next, stranger], threshold: 1, now }
    const half = parseClaim(await signClaim(await buildClaim(input, [next]), me))
    await expectRefusal(
      () => requireOwnerKey({ project: 'foo', owners: owners(me), handover: half }, next.keyid),
      'SIGNATURE_THRESHOLD',
      'not signed by all of its 2 keys',
    )
  })
})
