/**
 * Signed metadata as bytes (TUF 4.2): `{"signatures": [...], "signed": {...}}`.
 *
 * What is signed is the canonical form. What is written is the same text but for control
 * characters, which canonical JSON leaves as they are (a PEM key has line ends) and JSON forbids.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
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
  const text = encodeCanonical(signed)
  const bytes = encodeUtf8(text)
  const ordered = signers.toSorted((left, right) => compareCodePoints(left.keyid, right.keyid))
  requireDistinct(ordered)
  const signatures: { keyid: string; sig: string }[] = []
  for (const signer of ordered)
    signatures.push({ keyid: signer.keyid, sig: await signer.sign(bytes) })
  // "signatures" sorts before "signed", so the parts can be put together without a second encoding.
  return encodeUtf8(
    `{"signatures":${encodeCanonical(signatures)},"signed":${escapeControls(text)}}`,
  )
}

/** TUF 4.2.1: a key id stands once in `signatures`; clients refuse the file otherwise. */
function requireDistinct(signers: readonly Signer[]): void {
  const repeated = signers.find((signer, at) => at > 0 && signers[at - 1]?.keyid === signer.keyid)
  if (repeated === undefined) return
  throw new ConfigError(
    'KEY_INVALID',
    `The key ${repeated.keyid} would sign the same metadata twice`,
    {
      found: repeated.keyid,
      next: 'Give each key once.',
    },
  )
}
