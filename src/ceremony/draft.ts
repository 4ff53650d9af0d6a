/**
 * A signed document in the making (TUF 4.2): what is signed, and the signatures that are there.
 *
 * The bytes that a signature covers are always the canonical form of `signed` itself.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { compareCodePoints, encodeCanonical } from '../base/canonical-json.ts'
import { readArray, readMember, readObject, readString, type JsonObject } from '../base/decode.ts'
import { renderEnvelope } from '../signing/envelope.ts'
import { parseEnvelope } from '../tuf/envelope.ts'

export interface Draft {
  readonly signed: JsonObject
  /** By key id, in hexadecimal; of what they are worth nothing is known. */
  readonly signatures: ReadonlyMap<string, string>
}

/** Throws a DecodeError, SyntaxError or TypeError. */
export function parseDraft(bytes: Bytes): Draft {
  const { signed, signatures } = parseEnvelope(bytes)
  return { signed, signatures }
}

/** Throws a DecodeError. */
export function readDraft(value: unknown): Draft {
  const envelope = readObject(value)
  const signatures = new Map<string, string>()
  readMember(envelope, 'signatures', (list) =>
    readArray(list, (item) => {
      const signature = readObject(item)
      const keyid = readMember(signature, 'keyid', readString)
      signatures.set(keyid, readMember(signature, 'sig', readString))
    }),
  )
  return { signed: readMember(envelope, 'signed', readObject), signatures }
}

/** As it is published. */
export function renderDraft(draft: Draft): Bytes {
  return renderEnvelope({ message: messageOf(draft), signatures: draft.signatures })
}

/** As JSON for a file that people may read. */
export function describeEnvelope({ signed, signatures }: Draft): object {
  const ordered = [...signatures].toSorted(([left], [right]) => compareCodePoints(left, right))
  return { signatures: ordered.map(([keyid, sig]) => ({ keyid, sig })), signed }
}

/** What a signature is made over. */
export function messageOf({ signed }: Draft): Bytes {
  return encodeUtf8(encodeCanonical(signed))
}

export function isSameContent(left: Draft, right: Draft): boolean {
  return (
    left.signed === right.signed || encodeCanonical(left.signed) === encodeCanonical(right.signed)
  )
}
