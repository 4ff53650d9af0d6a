import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { getPublicKeyAsync, Point, signAsync, utils, verifyAsync } from '@noble/ed25519'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHex, encodeHex, encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { findVerifier, type Verifier } from '../../src/tuf/signatures.ts'
import {
  createSigner,
  createSignerFor,
  type SignerKind,
  type TestSigner,
} from '../support/tuf-signers.ts'
import { anyText } from '../support/any-text.ts'

const message = encodeUtf8('what is signed')

function verifierOf({ key }: TestSigner): Verifier | undefined {
  return findVerifier(key.keytype, key.scheme, key.keyval.public)
}

function signatureOf(signer: TestSigner): Bytes {
  return decodeHex(signer.sign(message)) ?? new Uint8Array()
}

function flipBit(bytes: Bytes, bit: number): Bytes {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

const strongKinds: SignerKind[] = [
  'ed25519',
  'ecdsa-p256',
  'ecdsa-p384',
  'ecdsa-p256-old',
  'ecdsa-p384-old',
  'ecdsa-p256-hex',
  'ecdsa-p384-hex',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
  'rsa-pss-long-salt',
  'rsa-pkcs1v15',
]

describe.each(strongKinds)('a key of kind %s', (kind) => {
  const signer = createSigner(kind)
  const verifier = verifierOf(signer)

  test('verifies what it signed', () => {
    expect(verifier?.verify(message, signatureOf(signer))).toBe(true)
  })

  test('does not verify another message, a bent signature, or the signature of another', () => {
    const signature = signatureOf(signer)
    expect(verifier?.verify(encodeUtf8('what is signeD'), signature)).toBe(false)
    for (const bit of [0, 77, signature.length * 4, signature.length * 8 - 1]) {
      expect(verifier?.verify(message, flipBit(signature, bit))).toBe(false)
    }
    expect(verifier?.verify(message, signatureOf(createSigner(kind)))).toBe(false)
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['one byte', new Uint8Array(1)],
    ['zeros', new Uint8Array(64)],
    ['far too much', new Uint8Array(100_000)],
  ])('takes a signature of %s for not verified, and does not crash', (_, signature) => {
    expect(verifier?.verify(message, signature)).toBe(false)
  })
})

describe('keys that count for nothing', () => {
  // RFC 8032 points of order 1, 2, 4 and 8, and encodings of them that are not canonical.
  test.each([
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('an ed25519 key of small order: %s', (rawPublic) => {
    expect(findVerifier('ed25519', 'ed25519', rawPublic)).toBeUndefined()
  })

  test('an RSA key of 1024 bits', () => {
    expect(verifierOf(createSigner('rsa-1024'))).toBeUndefined()
  })

  test('an RSA key with exponent 3', () => {
    expect(verifierOf(createSigner('rsa-exponent-3'))).toBeUndefined()
  })

  test.each([
    ['P-384 under a scheme of P-256', 'ecdsa', 'ecdsa-sha2-nistp256', 'ecdsa-p384'],
    ['P-256 under a scheme of P-384', 'ecdsa', 'ecdsa-sha2-nistp384', 'ecdsa-p256'],
    [
      'P-256 in hexadecimal under a scheme of P-384',
      'ecdsa',
      'ecdsa-sha2-nistp384',
      'ecdsa-p256-hex',
    ],
    [
      'a type that disagrees with its scheme',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-p384',
    ],
    ['ed25519 under a scheme of RSA', 'rsa', 'rsassa-pss-sha256', 'ed25519'],
    ['RSA under a scheme of ECDSA', 'ecdsa', 'ecdsa-sha2-nistp256', 'rsa-pss-sha256'],
    ['ECDSA under a scheme of RSA', 'rsa', 'rsassa-pss-sha256', 'ecdsa-p256'],
    ['a scheme that nobody knows', 'ml-dsa', 'ml-dsa-65', 'ed25519'],
    ['a name of Object.prototype', 'constructor', '__proto__', 'ed25519'],
  ] as const)('%s', (_, keytype, scheme, kind) => {
    expect(findVerifier(keytype, scheme, createSigner(kind).key.keyval.public)).toBeUndefined()
  })

  test('a private key, which has no place in metadata', () => {
    const { privateKey } = createSigner('ecdsa-p256')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    expect(findVerifier('ecdsa', 'ecdsa-sha2-nistp256', pem)).toBeUndefined()
  })

  test('a curve that is not known', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
    expect(findVerifier('ecdsa', 'ecdsa-sha2-nistp256', pem)).toBeUndefined()
  })

  test('a point that is not on its curve', () => {
    expect(findVerifier('ecdsa', 'ecdsa-sha2-nistp256', `04${'11'.repeat(64)}`)).toBeUndefined()
  })

  test('any text at all, without a crash', () => {
    const schemes = [
      ['ed25519', 'ed25519'],
      ['ecdsa', 'ecdsa-sha2-nistp256'],
      ['rsa', 'rsassa-pss-sha256'],
    ] as const
    fc.assert(
      fc.property(fc.constantFrom(...schemes), anyText, ([type, scheme], text) => {
        expect(findVerifier(type, scheme, text)).toBeUndefined()
        const armoured = `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`
        expect(findVerifier(type, scheme, armoured)).toBeUndefined()
      }),
    )
  })
})

describe('the value of a key', () => {
  test('is the same for a point in hexadecimal and in PEM', () => {
    const { privateKey } = createSigner('ecdsa-p256')
    const forms = (['ecdsa-p256', 'ecdsa-p256-old', 'ecdsa-p256-hex'] as const).map((kind) =>
      verifierOf(createSignerFor(privateKey, kind)),
    )
    expect(new Set(forms.map((verifier) => verifier?.value)).size).toBe(1)
    expect(forms[0]?.value).toMatch(/^EC P-256 /)
  })

  test('is the same for an RSA key in both PEM forms, with any white space, for any scheme', () => {
    const { privateKey, key } = createSigner('rsa-pss-sha256')
    const pkcs1 = createPublicKey(privateKey).export({ format: 'pem', type: 'pkcs1' }).toString()
    const values = [
      findVerifier('rsa', 'rsassa-pss-sha256', key.keyval.public),
      findVerifier('rsa', 'rsassa-pss-sha512', pkcs1),
      findVerifier('rsa', 'rsa-pkcs1v15-sha256', `\n${key.keyval.public.trimEnd()}`),
    ].map((verifier) => verifier?.value)
    expect(values[0]).toMatch(/^RSA /)
    expect(new Set(values).size).toBe(1)
  })

  test('is the same for ed25519 in capitals, and another for another key', () => {
    const { key } = createSigner()
    const value = findVerifier('ed25519', 'ed25519', key.keyval.public)?.value
    expect(findVerifier('ed25519', 'ed25519', key.keyval.public.toUpperCase())?.value).toBe(value)
    expect(verifierOf(createSigner())?.value).not.toBe(value)
  })
})

describe('ed25519 against a second implementation', () => {
  const order = Point.CURVE().n

  /** Ways to bend a signature, its key and its message; the first leaves them as they are. */
  const bends = [
    (signature: Bytes) => signature,
    (signature: Bytes, bit: number) => flipBit(signature, bit % 512),
    // S + L: the same point, another text; accepted it would be malleable.
    (signature: Bytes) => {
      const s = BigInt(`0x${encodeHex(signature.subarray(32).toReversed())}`) + order
      const bent = Uint8Array.from(signature)
      bent.set((decodeHex(s.toString(16).padStart(64, '0')) ?? new Uint8Array()).toReversed(), 32)
      return bent
    },
    (signature: Bytes) => Uint8Array.from([...new Uint8Array(32), ...signature.subarray(32)]),
    (signature: Bytes, bit: number) => signature.subarray(0, bit % 64),
  ]

  test('gives the same verdict for genuine and for bent signatures', async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...bends),
      fc.nat(10_000),
      async (secret, text, bend, bit) => {
        const publicKey = await getPublicKeyAsync(secret)
        const signature = bend(await signAsync(text, secret), bit)
        const theirs =
          signature.length === 64 &&
          (await verifyAsync(signature, text, publicKey, { zip215: false }))
        const ours = findVerifier('ed25519', 'ed25519', encodeHex(publicKey))?.verify(
          text,
          signature,
        )
        expect(ours).toBe(theirs)
        if (bend === bends[0]) expect(ours).toBe(true)
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })

  test('refuses the signature that any message has under the neutral key', async () => {
    const neutral = Point.ZERO.toBytes()
    const forged = Uint8Array.from([...neutral, ...new Uint8Array(32)])
    expect(await verifyAsync(forged, message, neutral)).toBe(true)
    expect(findVerifier('ed25519', 'ed25519', encodeHex(neutral))).toBeUndefined()
  })

  test('takes keys that the other made', async () => {
    const secret = utils.randomSecretKey()
    const verifier = findVerifier('ed25519', 'ed25519', encodeHex(await getPublicKeyAsync(secret)))
    expect(verifier?.verify(message, await signAsync(message, secret))).toBe(true)
  })
})
