/**
 * Whether enough keys of a role have signed (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3).
 *
 * Keys are counted, not signatures and not key ids: one key that is listed under two ids is one
 * key (TAP 12).
 */

import { decodeHex, toPrintable, type Bytes } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import type { Envelope } from './envelope.ts'
import type { Key } from './keys.ts'
import type { RoleKeys } from './metadata.ts'

/** Those who may sign, and the keys of the metadata that names them. */
export interface Signers extends RoleKeys {
  readonly keys: ReadonlyMap<string, Key>
}

/** Throws SIGNATURE_THRESHOLD. `by` says whose keys were asked, for the message. */
export function requireThreshold(
  role: string,
  envelope: Envelope,
  signers: Signers,
  by: string,
): void {
  const signed = new Set<string>()
  for (const keyid of signers.keyids) {
    const key = signers.keys.get(keyid)
    const signature = envelope.signatures.get(keyid)
    // Unknown keys, and empty or foreign signatures, only fail to contribute.
    if (
      key !== undefined &&
      signature !== undefined &&
      isSignedBy(key, envelope.message, signature)
    ) {
      signed.add(key.value)
    }
    if (signed.size >= signers.threshold) return
  }
  throw new VerifyError(
    'SIGNATURE_THRESHOLD',
    `${toPrintable(role)} is signed by ${signed.size} of the ${signers.threshold} keys that ${toPrintable(by)} demands`,
    {
      role,
      expected: `${signers.threshold} keys`,
      found: `${signed.size} keys`,
      next: 'Ask whoever runs the mirror; do not use what it offers until this is explained.',
    },
  )
}

/** `rawSignature` in hexadecimal; empty or nonsense is no signature. */
export function isSignedBy(key: Key, message: Bytes, rawSignature: string): boolean {
  const signature = rawSignature === '' ? undefined : decodeHex(rawSignature)
  return signature !== undefined && (key.verifier?.verify(message, signature) ?? false)
}
