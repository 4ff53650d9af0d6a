/**
 * Signed metadata as bytes (TUF 4.2): `{"signatures": [...], "signed": {...}}`.
 *
 * What is signed is the canonical form. What is written is the same text but for control
 * characters, which canonical JSON leaves as they are (a PEM key has line ends) and JSON forbids.
 */

import { decodeUtf8, encodeUtf8, type Bytes } from '../base/bytes.ts'
import {
  compareCodePoints,
  encodeCanonical,
  escapeControls,
  type Json,
} from '../base/canonical-json.ts'
import { ConfigError } from '../base/errors.ts'
import type { Signer } from './signer.ts'

/**
 * The envelope, signed by each signer, signatures in the order of key ids: the same value and keys
 * give the same bytes wherever the scheme is deterministic.
 */
export async function signEnvelope(signed: Json, signers: readonly Signer[]): Promise<Bytes> {
  const message = encodeUtf8(encodeCanonical(signed))
  const signatures = new Map<string, string>()
  for (const signer of signers) {
    requireFirst(signatures, signer.keyid)
    signatures.set(signer.keyid, await signer.sign(message))
  }
  return renderEnvelope({ message, signatures })
}

/**
 * From the canonical form of what is signed, as it is: what was signed elsewhere stays as it was.
 * "signatures" sorts before "signed", so that the whole is canonical too.
 */
export function renderEnvelope(document: {
  readonly message: Bytes
  readonly signatures: ReadonlyMap<string, string>
}): Bytes {
  const ordered = [...document.signatures].toSorted(([left], [right]) =>
    compareCodePoints(left, right),
  )
  const signatures = encodeCanonical(ordered.map(([keyid, sig]) => ({ keyid, sig })))
  const signed = decodeUtf8(document.message)
  return encodeUtf8(
    `{"signatures":${escapeControls(signatures)},"signed":${escapeControls(signed)}}`,
  )
}

/** TUF 4.2.1: a key id stands once in `signatures`; clients refuse the file otherwise. */
function requireFirst(signatures: ReadonlyMap<string, string>, keyid: string): void {
  if (!signatures.has(keyid)) return
  throw new ConfigError('KEY_INVALID', `The key ${keyid} would sign the same metadata twice`, {
    found: keyid,
    next: 'Give each key once.',
  })
}
