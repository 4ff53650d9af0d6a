/**
 * Documents that several people sign, each on a machine of his own, in any order: signatures are
 * added and brought together, what is signed stays as it was to the byte.
 *
 * Whether enough have signed is not decided here (`tuf/threshold.ts`).
 */

import { equalBytes, toPrintable, type Bytes } from '../base/bytes.ts'
import { isMalformed } from '../base/decode.ts'
import { ConfigError, describeError, VerifyError } from '../base/errors.ts'
import { parseEnvelope, type Envelope } from '../tuf/envelope.ts'
import type { Key } from '../tuf/keys.ts'
import { isSignedBy } from '../tuf/threshold.ts'
import { renderEnvelope } from './envelope.ts'
import type { Signer } from './signer.ts'

/** Throws MALFORMED. `place` names the document in messages. */
export function parseSignatures(bytes: Bytes, place: string): Envelope {
  try {
    const { message, signatures } = parseEnvelope(bytes)
    return { message, signatures }
  } catch (cause) {
    if (!isMalformed(cause)) throw cause
    throw new VerifyError(
      'MALFORMED',
      `${place} is not a signed document: ${toPrintable(describeError(cause))}`,
      {
        expected: '{"signatures": [...], "signed": {...}}',
        next: 'Ask whoever sent it for the file again.',
        cause,
      },
    )
  }
}

/** The same content with one signature more; an earlier one by the same key gives way. */
export async function addSignature(
  bytes: Bytes,
  signer: Signer,
  place = 'The document',
): Promise<Bytes> {
  const { message, signatures } = parseSignatures(bytes, place)
  const signature = await signer.sign(message)
  return renderEnvelope({
    message,
    signatures: new Map([...signatures, [signer.keyid, signature]]),
  })
}

export interface SignatureCopy {
  readonly bytes: Bytes
  /** Names the copy in messages. */
  readonly place: string
}

export interface CheckedSignatures extends Envelope {
  /** Key ids of what was left out: not one of the keys, or no signature of this document by it. */
  readonly dropped: readonly string[]
}

/**
 * The signatures of all copies that verify with one of the keys, and no others. Throws CONFIG_INVALID
 * where the copies are not copies of one document, MALFORMED where one is no document.
 */
export function mergeSignatures(
  copies: readonly SignatureCopy[],
  keys: ReadonlyMap<string, Key>,
): CheckedSignatures {
  const parsed = copies.map(({ bytes, place }) => ({ ...parseSignatures(bytes, place), place }))
  const [first] = parsed
  if (first === undefined) throw new TypeError('there is no copy')
  for (const copy of parsed) requireSame(first, copy)
  const { message } = first
  const signatures = new Map<string, string>()
  const seen = new Set<string>()
  for (const [keyid, signature] of parsed.flatMap((copy) => [...copy.signatures])) {
    seen.add(keyid)
    const key = signatures.has(keyid) ? undefined : keys.get(keyid)
    if (key !== undefined && isSignedBy(key, message, signature)) signatures.set(keyid, signature)
  }
  return { message, signatures, dropped: [...seen].filter((keyid) => !signatures.has(keyid)) }
}

type PlacedEnvelope = Envelope & { readonly place: string }

function requireSame(first: PlacedEnvelope, copy: PlacedEnvelope): void {
  if (equalBytes(first.message, copy.message)) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${copy.place} is not a copy of the document that ${first.place} holds`,
    {
      expected: 'the same content, signed by different people',
      next: 'Compare the two: everybody has to sign the same file, so one of them signs again.',
    },
  )
}
