import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { encodeCanonical } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { describeChange } from '../../src/ceremony/describe-change.ts'
import { describeDelegation } from '../../src/mirror/claims.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import {
  Ceremony,
  describe as describeBytes,
  newPerson,
  readChecked,
  sign,
} from './ceremony-fixture.ts'
import { alter, type Loose } from './loose-change.ts'

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

describe('what no sentence knows of is listed as it stands', () => {
  const cases: [string, (file: Loose) => void, string][] = [
    [
      'one more delegation before all others',
      (file) => {
        const { delegations } = file.documents.targets.signed
        delegations.keys[mallory.keyid] = mallory.key
        delegations.roles.unshift({
          name: 'evil',
          keyids: [mallory.keyid],
          threshold: 1,
          paths: ['simple/*/*'],
          terminating: true,
        })
      },
      'also delegations.roles.0.name: "deny" becomes "evil"',
    ],
    [
      'a wider path',
      (file) => (file.documents.targets.signed.delegations.roles[0]!.paths = ['*/*']),
      'also delegations.roles.0.paths.0: "deny/*" becomes "*/*"',
    ],
    [
      'a delegation that is terminating now',
      (file) => (file.documents.targets.signed.delegations.roles[1]!.terminating = true),
      'also delegations.roles.1.terminating: false becomes true',
    ],
    [
      'a target',
      (file) =>
        (file.documents.targets.signed.targets['simple/foo/index.json'] = {
          length: 1,
          hashes: { sha256: 'ab'.repeat(32) },
        }),
      'also targets.simple/foo/index.json: nothing becomes',
    ],
    [
      'no consistent snapshots',
      (file) => (file.documents.root.signed.consistent_snapshot = false),
      'also consistent_snapshot: true becomes false',
    ],
    [
      'another prefix of bins',
      (file) =>
        (file.documents.bins.signed.delegations.succinct_roles.name_prefix = 'evil\u202e\u001b[2J'),
      'also delegations.succinct_roles.name_prefix: "bins" becomes "evil\\u202e\\u001b[2J"',
    ],
    [
      'an owner of a project',
      (file) => {
        const { delegations } = file.documents.claimed.signed
        delegations.keys[mallory.keyid] = mallory.key
        delegations.roles.push({
          name: 'owner-foo',
          keyids: [mallory.keyid],
          threshold: 1,
          paths: ['simple/*/*'],
          terminating: true,
        })
      },
      'NOT AS CLAIMS ARE: for simple/*/*, terminating true',
    ],
    [
      'a key of nobody',
      (file) => (file.documents.root.signed.keys[mallory.keyid] = mallory.key),
      'also keys of nobody.',
    ],
    [
      'the paths of a delegation that is far longer than a line',
      (file) => {
        const { delegations } = file.documents.targets.signed
        for (const { keyid, key } of [mallory, alice]) delegations.keys[keyid] = key
        delegations.roles.push({
          name: 'evil',
          keyids: [mallory.keyid, alice.keyid],
          threshold: 1,
          paths: ['simple/*/*'],
          terminating: true,
        })
      },
      'also delegations.roles.4.paths: nothing becomes ["simple/*/*"]',
    ],
    [
      'a letter that looks like another',
      (file) => (file.documents.targets.signed.delegations.roles[0]!.paths = ['den\u0443/*']),
      'also delegations.roles.0.paths.0: "deny/*" becomes "den\\u0443/*"',
    ],
    [
      'the end of a very long text',
      (file) => {
        const { signed } = file.documents.root
        signed['x-tufgate'] = { 'x-note': { text: `${'a'.repeat(5000)}the end` } }
      },
      'a... (5009 letters)',
    ],
    [
      'a threshold that one key cannot reach',
      (file) =>
        ((file.documents.root.signed.roles as Record<string, { threshold: number }>)[
          'snapshot'
        ]!.threshold = 2),
      'snapshot: 2 of 1 keys (before: one key)',
    ],
    [
      'another name for a key that stays',
      (file) =>
        (file.documents.root.signed['x-tufgate'] = { 'key-names': { [quick.keyid]: 'alice' } }),
      ': nothing becomes "alice"',
    ],
    [
      'a member of an owner that claims do not have',
      (file) => {
        const { delegations } = file.documents.claimed.signed
        delegations.keys[mallory.keyid] = mallory.key
        const { name, paths, terminating } = describeDelegation('foo', {
          keys: new Map(),
          threshold: 1,
        })
        const extra = { 'x-evil': 1 }
        const held = { keyids: [mallory.keyid], threshold: 1, paths: [...paths] }
        delegations.roles.push({ name, terminating, ...held, ...extra })
      },
      'terminating true, also x-evil: nothing becomes 1',
    ],
  ]

  test.each(cases)('%s', async (_what, change, line) => {
    const altered = alter(await ceremony.prepare({ isRenewal: true }), change)
    expect(describeBytes(altered)).toContain(line)
  })

  test('and a renewal says nothing of the kind', async () => {
    const text = describeBytes(await ceremony.prepare({ isRenewal: true }))
    expect(text).not.toContain('also')
    expect(text).toContain('bins: 4, as before')
    expect(text).toContain('owners: 0 projects (before: 0)')
  })
})

describe('names of keys', () => {
  test('of before stay what a key is called: the one that goes is not taken for another', async () => {
    await ceremony.publish(await sign(await prepare(), quick))
    const bytes = await ceremony.prepare({
      addKeys: [{ role: 'root', key: mallory }],
      removeKeys: [{ role: 'root', keyid: alice.keyid }],
    })
    const altered = alter(bytes, (file) => {
      file.documents.root.signed['x-tufgate'] = {
        'key-names': { [alice.keyid]: 'mallory', [mallory.keyid]: 'alice, as before' },
      }
    })
    const text = describeBytes(altered)
    expect(text).toContain(`- ${alice.keyid} ed25519, called alice`)
    expect(text).toContain(`+ ${mallory.keyid} ed25519, called "alice, as before"`)
    expect(text).toContain(`also key-names.${alice.keyid}: nothing becomes "mallory"`)
  })
})

describe('a key that is counted and cannot count', () => {
  test('twice: under a second id that is honest too', async () => {
    const twin = { ...alice.key, 'x-twin': 1 }
    const keyid = sha256Hex(encodeUtf8(encodeCanonical(twin)))
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.keys[keyid] = twin
      file.documents.root.signed.roles.root.keyids.push(keyid)
    })
    await expectRefusal(
      () => readChecked(altered),
      'MALFORMED',
      `In root the key ${keyid} of root is there under another id too`,
    )
  })

  test('at all: clients do not know its kind', async () => {
    const unusable = { ...alice.key, scheme: 'ed448' }
    const keyid = sha256Hex(encodeUtf8(encodeCanonical(unusable)))
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.keys[keyid] = unusable
      file.documents.root.signed.roles.root.keyids.push(keyid)
    })
    await expectRefusal(() => readChecked(altered), 'MALFORMED', 'is none that clients use')
  })

  test('because it is not there; what stands for its id cannot move the cursor', async () => {
    const altered = alter(await prepare(), (file) => {
      file.documents.root.signed.roles.root.keyids.push('\u001b[2J')
    })
    await expectRefusal(
      () => readChecked(altered),
      'MALFORMED',
      'In root the key ?[2J of root is none that clients use',
    )
  })
})

test('a version behind which there are no more is refused', async () => {
  const altered = alter(await ceremony.prepare({ isRenewal: true }), (file) => {
    file.documents.targets.signed.version = Number.MAX_SAFE_INTEGER
  })
  await expectRefusal(() => readChecked(altered), 'VERSION_MISMATCH', 'where 2 is due')
})

test('a delegation that is left out is refused in words', async () => {
  const altered = alter(await ceremony.prepare({ isRenewal: true }), (file) => {
    file.documents.targets.signed.delegations.roles.shift()
  })
  await expectRefusal(() => describeBytes(altered), 'MALFORMED', 'no delegation to deny')
})

test('a member whose name would move the cursor is refused in printable words', async () => {
  const altered = alter(await prepare(), (file) => {
    file.documents.root.signed.keys['\u001b[2J'] = 5 as unknown as object
  })
  const refusal = await expectRefusal(() => readChecked(altered), 'MALFORMED', '?[2J')
  expect(refusal.message).not.toContain('\u001b')
})

test('an owner that is not as claims are stands before many that are', async () => {
  const claims = Array.from({ length: 60 }, (_, at) =>
    describeDelegation(`a-${at}`, { keys: new Map([[alice.keyid, alice.key]]), threshold: 1 }),
  )
  const altered = alter(await ceremony.prepare({ listClaims: () => claims }), (file) => {
    file.documents.claimed.signed.delegations.roles.at(-1)!.paths = ['simple/*/*']
  })
  expect(describeChange(readChecked(altered))[2]).toContain('NOT AS CLAIMS ARE: for simple/*/*')
})

test('many owners at once are listed as far as is asked for, and the rest is counted', async () => {
  const claims = Array.from({ length: 60 }, (_, at) =>
    describeDelegation(`project-${at}`, {
      keys: new Map([[alice.keyid, alice.key]]),
      threshold: 1,
    }),
  )
  const checked = readChecked(await ceremony.prepare({ listClaims: () => claims }))
  const lines = describeChange(checked)
  expect(lines).toContain('  owners: 60 projects (before: 0)')
  expect(lines).toContain(`    + project-1: 1 of the keys ${alice.keyid}`)
  expect(lines.at(-1)).toContain('and 10 more: tufgate mirror root status FILE --full lists all')
  expect(describeChange(checked, Infinity)).toHaveLength(62)
})
