import { constants, createPublicKey, verify } from 'node:crypto'
import { verifyAsync } from '@noble/ed25519'
import { Key } from '@tufjs/models'
import { describe, expect, test } from 'vitest'
import { decodeHex, encodeUtf8 } from '../../src/base/bytes.ts'
import { encodeCanonical } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { buildPrivateKey, type KeyKind } from '../../src/signing/key-file.ts'
import { buildKeyid, readPublicKey } from '../../src/signing/public-key.ts'
import { buildSigner, requireKeyOf } from '../../src/signing/signer.ts'

const message = encodeUtf8('{"a":1}')

async function newSigner(kind: KeyKind) {
  return buildSigner(await buildPrivateKey(kind), 'a key of the test')
}

describe('a signer', () => {
  test('signs with Ed25519 what an independent implementation verifies', async () => {
    const signer = await newSigner('ed25519')
    expect(signer.key).toEqual({
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    })
    const signature = decodeHex(await signer.sign(message))!
    const key = decodeHex(signer.key.keyval.public)!
    expect(await verifyAsync(signature, message, key, { zip215: false })).toBe(true)
    expect(await verifyAsync(signature, encodeUtf8('{"a":2}'), key, { zip215: false })).toBe(false)
  })

  test.each([
    ['ecdsa-p256', 'ecdsa', 'ecdsa-sha2-nistp256', 'sha256'],
    ['ecdsa-p384', 'ecdsa', 'ecdsa-sha2-nistp384', 'sha384'],
    ['rsa-pss', 'rsa', 'rsassa-pss-sha256', 'sha256'],
  ] as const)('names the scheme and the digest of %s', async (kind, keytype, scheme, hash) => {
    const signer = await newSigner(kind)
    expect(signer.key).toMatchObject({ keytype, scheme })
    expect(signer.key.keyval.public).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    const key = createPublicKey(signer.key.keyval.public)
    const padding = kind === 'rsa-pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
    const signature = decodeHex(await signer.sign(message))!
    expect(verify(hash, message, { key, ...padding }, signature)).toBe(true)
  })

  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'] as const)(
    'signs with %s what tuf-js verifies',
    async (kind) => {
      const signer = await newSigner(kind)
      const key = Key.fromJSON(signer.keyid, { ...signer.key })
      const signature = { keyID: signer.keyid, sig: await signer.sign(message) }
      const metadata = {
        signed: { toJSON: () => ({ a: 1 }) },
        signatures: { [signer.keyid]: signature },
      }
      expect(() => key.verifySignature(metadata as never)).not.toThrow()
    },
  )

  test('has the sha256 of its canonical key object as key id', async () => {
    const key = await buildPrivateKey('ed25519')
    const object = readPublicKey(key, 'here')
    expect(buildKeyid(object)).toBe(sha256Hex(encodeUtf8(encodeCanonical(object))))
    expect(buildSigner(key, 'here').keyid).toBe(buildKeyid(object))
  })

  test('whose key is not one of the role is refused, so that nothing is published with it', async () => {
    const signer = await newSigner('ed25519')
    expect(() => requireKeyOf('snapshot', [signer.keyid], signer)).not.toThrow()
    expect(() => requireKeyOf('snapshot', ['ab'.repeat(32)], signer)).toThrow(
      expect.objectContaining({
        code: 'KEY_INVALID',
        message: 'The key on disk is not the key of the role snapshot',
      }),
    )
  })
})
