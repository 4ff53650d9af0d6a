import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseRoot, parseSnapshot } from '../../src/tuf/parse.ts'
import { expectRefusal, refusalOf } from '../support/expect-refusal.ts'
import { bent, good, parsers, roles, set } from './bent-metadata.ts'

const noRole = { name: 'a', keyids: [], threshold: 1, terminating: true, paths: ['*'] }
describe('malformed metadata is refused before any signature is looked at:', () => {
  test.each(
    roles.flatMap((role) =>
      (
        [
          [
            'another type',
            set('signed/_type', role === 'root' ? 'targets' : 'root'),
            'signed._type: expected',
          ],
          ['no type', set('signed/_type', undefined), 'signed._type'],
          ['no spec_version', set('signed/spec_version', undefined), 'signed.spec_version'],
          [
            'a spec_version that is none',
            set('signed/spec_version', '1'),
            'spec_version is not a version',
          ],
          [
            'a spec_version as a number',
            set('signed/spec_version', 1),
            'signed.spec_version: expected text',
          ],
          [
            'version 0',
            set('signed/version', 0),
            'signed.version: expected an integer of at least 1, found 0',
          ],
          ['a version below 0', set('signed/version', -1), 'signed.version'],
          ['half a version', set('signed/version', 1.5), '1.5 is not an integer'],
          ['a version as text', set('signed/version', '1'), 'signed.version'],
          ['no version', set('signed/version', undefined), 'signed.version'],
          ['a version that is a list', set('signed/version', [1]), 'signed.version'],
          ['no expiry', set('signed/expires', undefined), 'signed.expires'],
          ['a year as expiry', set('signed/expires', '2030'), 'signed.expires: expected a time'],
          [
            'an expiry in English',
            set('signed/expires', 'Jan 1 2030'),
            'signed.expires: expected a time',
          ],
          [
            'an expiry with an offset',
            set('signed/expires', '2030-01-01T00:00:00+05:00'),
            'signed.expires: expected a time',
          ],
          [
            'an expiry with fractions',
            set('signed/expires', '2030-01-01T00:00:00.000Z'),
            'signed.expires: expected a time',
          ],
          [
            'an expiry on 31 February',
            set('signed/expires', '2030-02-31T00:00:00Z'),
            'signed.expires: expected a time',
          ],
          [
            'an expiry in lower case',
            set('signed/expires', '2030-01-01t00:00:00z'),
            'signed.expires: expected a time',
          ],
          ['an expiry that is a number', set('signed/expires', 4_000_000_000), 'signed.expires'],
          ['signed as a list', set('signed', []), 'signed: expected an object'],
          ['nothing signed', set('signed', undefined), 'signed: expected an object, found nothing'],
          ['no signatures', set('signatures', undefined), 'signatures: expected a list'],
          ['signatures as an object', set('signatures', {}), 'signatures: expected a list'],
          [
            'a signature without key id',
            set('signatures/0/keyid', undefined),
            'signatures.[0].keyid',
          ],
          ['a signature that is a number', set('signatures/0/sig', 5), 'signatures.[0].sig'],
        ] as const
      ).map(([what, bend, message]) => [role, what, bend, message] as const),
    ),
  )('%s with %s', async (role, _, bend, message) => {
    await expectRefusal(
      () => parsers[role](bent(role, bend)),
      'MALFORMED',
      `${role} is malformed: `,
    )
    await expectRefusal(() => parsers[role](bent(role, bend)), 'MALFORMED', message)
  })

  test.each([
    ['nothing', ''],
    ['text that is no JSON', '{"signed":'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['a byte order mark', `\ufeff${good.root}`],
    ['text behind the end', `${good.root}x`],
    ['a second document', good.root + good.root],
    ['very deep nesting', `${'{"signed":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['very deep lists', `{"signed":${'['.repeat(100_000)}${']'.repeat(100_000)},"signatures":[]}`],
    ['a lone surrogate', good.root.replace('"ed25519"', String.raw`"\ud800"`)],
    [
      'a number that JSON.parse rounds',
      good.root.replace('"version":1', '"version":9007199254740993'),
    ],
    ['a version with an exponent', good.root.replace('"version":1', '"version":1e0')],
    ['minus zero', good.root.replace('"version":1', '"x":-0,"version":1')],
    ['a version twice', good.root.replace('"version":1', '"version":1,"version":1')],
    [
      'a version twice, once escaped',
      good.root.replace('"version":1', String.raw`"version":1,"\u0076ersion":2`),
    ],
    ['signed twice', good.root.replace('"signed":', '"signed":{},"signed":')],
    ['signatures twice', good.root.replace('"signatures":', '"signatures":[],"signatures":')],
    ['a key twice', good.root.replace('"keys":{', '"keys":{"a":{},"a":{},')],
    ['__proto__ twice', good.root.replace('"keys":{', '"keys":{"__proto__":{},"__proto__":{},')],
  ])('%s', async (_, text) => {
    const bytes = typeof text === 'string' ? encodeUtf8(text) : text
    await expectRefusal(() => parseRoot(bytes), 'MALFORMED', 'root is malformed: ')
  })

  test('lists that are longer than any repository has', async () => {
    const names = Array.from({ length: 5000 }, (_, at) => `k${at}`)
    const signatures = names.map((keyid) => ({ keyid, sig: '' }))
    await expectRefusal(
      () => parseRoot(bent('root', set('signatures', signatures))),
      'MALFORMED',
      'more than 1024 signatures',
    )
    const keyids = bent('root', set('signed/roles/root/keyids', names))
    await expectRefusal(() => parseRoot(keyids), 'MALFORMED', 'more than 1024 key ids')
    const key = { keytype: 'a', scheme: 'b', keyval: {} }
    const keys = bent(
      'root',
      set(
        'signed/keys',
        Object.fromEntries(Array.from({ length: 32_769 }, (_, at) => [`k${at}`, key])),
      ),
    )
    await expectRefusal(() => parseRoot(keys), 'MALFORMED', 'more than 32768 keys')
    const hashes = Object.fromEntries(names.map((name) => [name, '']))
    const manyHashes = bent('targets', set('signed/targets/*/hashes', hashes))
    await expectRefusal(() => parsers.targets(manyHashes), 'MALFORMED', 'more than 16 hashes')
    const meta = Object.fromEntries(
      Array.from({ length: 2 ** 17 + 1 }, (_, at) => [`r${at}.json`, { version: 1 }]),
    )
    const manyRoles = bent('snapshot', set('signed/meta', meta))
    await expectRefusal(() => parseSnapshot(manyRoles), 'MALFORMED', 'more than 131072 roles')
  })

  test('names and values from the network come out as one printable line', async () => {
    const hostile = bent(
      'targets',
      set('signed/delegations/roles', [
        { ...noRole, name: 'a\n\u001b[31m' },
        { ...noRole, name: 'a\n\u001b[31m' },
      ]),
    )
    const refusal = await refusalOf(() => parsers.targets(hostile))
    expect(refusal.message).toMatch(/^[\x20-\x7e]+$/)
    expect(refusal.cause).toBeInstanceOf(Error)
  })
})
