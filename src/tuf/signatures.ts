/**
 * One public key and one signature (TUF 4.2.2): which algorithms there are, and which keys are
 * strong enough. Whoever signs what, and how many must, is not decided here.
 */

import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { Point } from '@noble/ed25519'
import { decodeHex, encodeHex, type Bytes } from '../base/bytes.ts'

export interface Verifier {
  /** The key itself in a standard form, however it was written: equal for equal keys (TAP 12). */
  readonly value: string
  verify(message: Bytes, signature: Bytes): boolean
}

interface Algorithm {
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null
  open(rawPublic: string): KeyObject
  readonly padding?: { readonly padding: number; readonly saltLength?: number }
}

const minRsaBits = 2048
/** Above this a single signature takes milliseconds; nobody signs metadata so. */
const maxRsaBits = 8192
const minRsaExponent = 65_537n
const maxRsaExponent = 2n ** 32n

const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  // Signers disagree on the length of the salt; it is not security relevant.
  saltLength: constants.RSA_PSS_SALTLEN_AUTO,
}

const p256: Algorithm = { digest: 'sha256', open: (raw) => openEcdsa(raw, 'P-256') }
const p384: Algorithm = { digest: 'sha384', open: (raw) => openEcdsa(raw, 'P-384') }

/** Key types and the schemes that agree with them; what is not here does not verify anything. */
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['ed25519 ed25519', { digest: null, open: openEd25519 }],
  ['ecdsa ecdsa-sha2-nistp256', p256],
  ['ecdsa ecdsa-sha2-nistp384', p384],
  ['ecdsa-sha2-nistp256 ecdsa-sha2-nistp256', p256],
  ['ecdsa-sha2-nistp384 ecdsa-sha2-nistp384', p384],
  ['rsa rsassa-pss-sha256', { digest: 'sha256', open: openRsa, padding: pss }],
  ['rsa rsassa-pss-sha384', { digest: 'sha384', open: openRsa, padding: pss }],
  ['rsa rsassa-pss-sha512', { digest: 'sha512', open: openRsa, padding: pss }],
  [
    'rsa rsa-pkcs1v15-sha256',
    { digest: 'sha256', open: openRsa, padding: { padding: constants.RSA_PKCS1_PADDING } },
  ],
])

/** `undefined` for an unknown algorithm, and for a key that is damaged or weak. */
export function findVerifier(
  keytype: string,
  scheme: string,
  rawPublic: string,
): Verifier | undefined {
  const algorithm = algorithms.get(`${keytype} ${scheme}`)
  if (algorithm === undefined) return undefined
  try {
    const key = algorithm.open(rawPublic)
    return {
      value: renderKeyValue(key),
      verify: (message, signature) => isVerified(algorithm, key, message, signature),
    }
  } catch {
    // TUF 4.3: one key that cannot be used must not take the others of its role with it.
    return undefined
  }
}

function isVerified(
  algorithm: Algorithm,
  key: KeyObject,
  message: Bytes,
  signature: Bytes,
): boolean {
  try {
    return verify(algorithm.digest, message, { key, ...algorithm.padding }, signature)
  } catch {
    // OpenSSL throws on some signatures that are not even well formed: not verified, no crash.
    return false
  }
}

function renderKeyValue(key: KeyObject): string {
  const { kty, crv, n, e, x, y } = key.export({ format: 'jwk' })
  return [kty, crv, n, e, x, y].filter((part) => part !== undefined).join(' ')
}

function openEd25519(rawPublic: string): KeyObject {
  const bytes = decodeHex(rawPublic)
  if (bytes?.length !== 32) throw new TypeError('an ed25519 key is 64 hexadecimal digits')
  // Throws where the bytes are not a point. For a point of small order any signature can be made.
  if (Point.fromBytes(bytes).isSmallOrder())
    throw new TypeError('the ed25519 key is of small order')
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(bytes) },
  })
}

function openEcdsa(rawPublic: string, curve: 'P-256' | 'P-384'): KeyObject {
  const point = decodeHex(rawPublic)
  const key = point === undefined ? openPem(rawPublic) : openPoint(point, curve)
  if (key.asymmetricKeyType !== 'ec' || key.export({ format: 'jwk' }).crv !== curve) {
    throw new TypeError(`the key is not one of ${curve}`)
  }
  return key
}

/** Old repositories have the uncompressed point in hexadecimal: 04, x, y. */
function openPoint(point: Bytes, curve: 'P-256' | 'P-384'): KeyObject {
  const size = curve === 'P-256' ? 32 : 48
  if (point.length !== 1 + 2 * size || point[0] !== 4)
    throw new TypeError(`not a point of ${curve}`)
  const x = encodeBase64Url(point.subarray(1, 1 + size))
  const y = encodeBase64Url(point.subarray(1 + size))
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: curve, x, y } })
}

function openRsa(rawPublic: string): KeyObject {
  const key = openPem(rawPublic)
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType !== 'rsa') throw new TypeError('not an RSA key')
  // TUF 4.2.2: at least 2048 bits.
  if (modulusLength < minRsaBits || modulusLength > maxRsaBits)
    throw new TypeError('RSA modulus out of range')
  if (
    publicExponent < minRsaExponent ||
    publicExponent > maxRsaExponent ||
    publicExponent % 2n === 0n
  ) {
    throw new TypeError('RSA exponent out of range')
  }
  return key
}

function openPem(rawPublic: string): KeyObject {
  // `createPublicKey` also takes private keys and certificates; neither has a place in metadata.
  if (!/^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(rawPublic))
    throw new TypeError('not a public key in PEM')
  return createPublicKey({ format: 'pem', key: rawPublic })
}

function encodeBase64Url(bytes: Bytes): string {
  return Buffer.from(encodeHex(bytes), 'hex').toString('base64url')
}
