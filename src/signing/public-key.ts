/**
 * Public keys as TUF metadata writes them (TUF 4.2.1), and the key id made from them.
 *
 * Only what this program signs with: verification reads many more forms and lives in `tuf`.
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { encodeHex, encodeUtf8 } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'

export type KeyScheme =
  | 'ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'rsassa-pss-sha256'

export interface PublicKey {
  readonly keytype: 'ed25519' | 'ecdsa' | 'rsa'
  readonly scheme: KeyScheme
  readonly keyval: { readonly public: string }
}

/** What belongs together, by the name of the scheme. */
export const keySchemes: ReadonlyMap<string, Pick<PublicKey, 'keytype' | 'scheme'>> = new Map([
  ['ed25519', { keytype: 'ed25519', scheme: 'ed25519' }],
  ['ecdsa-sha2-nistp256', { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256' }],
  ['ecdsa-sha2-nistp384', { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp384' }],
  ['rsassa-pss-sha256', { keytype: 'rsa', scheme: 'rsassa-pss-sha256' }],
])

export interface NamedKey {
  readonly key: PublicKey
  readonly keyid: string
}

/** TUF 4.2.2: RSA keys shorter than this are not accepted by clients. */
const minRsaBits = 2048

/** The public half of a private or public key. Throws KEY_INVALID for a kind that is not offered. */
export function readPublicKey(key: KeyObject, place: string): PublicKey {
  const scheme = findScheme(key)
  if (scheme === undefined) {
    throw new ConfigError(
      'KEY_INVALID',
      `${place} holds ${describeKey(key)}, which is not accepted`,
      {
        expected: `Ed25519, ECDSA on P-256 or P-384, or RSA of at least ${minRsaBits} bits`,
        found: describeKey(key),
        next: 'Make a key of one of the accepted kinds.',
      },
    )
  }
  if (scheme === 'ed25519')
    return { keytype: 'ed25519', scheme, keyval: { public: renderRaw(openHalf(key)) } }
  return {
    keytype: scheme === 'rsassa-pss-sha256' ? 'rsa' : 'ecdsa',
    scheme,
    keyval: { public: renderPublicPem(key) },
  }
}

/** SubjectPublicKeyInfo, the form in which programs hand on public keys (RFC 5280). */
export function renderPublicPem(key: KeyObject): string {
  return openHalf(key).export({ type: 'spki', format: 'pem' }).toString()
}

function openHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key
}

/** TUF 4.2.1: sha256 of the canonical form of the key object. */
export function buildKeyid(key: PublicKey): string {
  return sha256Hex(encodeUtf8(encodeCanonical(key)))
}

function findScheme(key: KeyObject): KeyScheme | undefined {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ecdsa-sha2-nistp256'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'secp384r1') return 'ecdsa-sha2-nistp384'
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= minRsaBits)
    return 'rsassa-pss-sha256'
  return undefined
}

function describeKey(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  const detail = namedCurve ?? (modulusLength === undefined ? '' : `${modulusLength} bits`)
  return `a key of type ${key.asymmetricKeyType ?? key.type} ${detail}`.trimEnd()
}

/** The 32 bytes of an Ed25519 key are the end of its SubjectPublicKeyInfo (RFC 8410). */
function renderRaw(key: KeyObject): string {
  return encodeHex(key.export({ type: 'spki', format: 'der' }).subarray(-32))
}
