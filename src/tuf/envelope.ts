/**
 * The outer form of all metadata (TUF 4.2): `signed`, and the signatures over its canonical form.
 *
 * The bytes become a value once, here. What is verified is the canonical form of the very value
 * that is used afterwards, so that two parsers cannot read two documents.
 */

import { decodeUtf8, encodeUtf8, type Bytes } from '../base/bytes.ts'
import { compareCodePoints, encodeCanonical } from '../base/canonical-json.ts'
import {
  DecodeError,
  readArray,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { requireStrictJson } from '../base/strict-json.ts'

export interface Envelope {
  /** The canonical form of `signed`: what signatures are made over. */
  readonly message: Bytes
  /** By key id, in hexadecimal; may be empty or nonsense. */
  readonly signatures: ReadonlyMap<string, string>
}

const maxSignatures = 1024

/** Throws a DecodeError, SyntaxError or TypeError that says what is wrong. */
export function parseEnvelope(bytes: Bytes): Envelope & { readonly signed: JsonObject } {
  const text = decodeUtf8(bytes)
  const document = readObject(JSON.parse(text))
  const signed = readMember(document, 'signed', readObject)
  const canonicalSigned = encodeCanonical(signed)
  // A text that is canonical as a whole has no duplicate member; only the others are scanned.
  if (text !== renderDocument(document, canonicalSigned)) requireStrictJson(text)
  return {
    signed,
    message: encodeUtf8(canonicalSigned),
    signatures: readMember(document, 'signatures', readSignatures),
  }
}

function renderDocument(document: JsonObject, canonicalSigned: string): string {
  const names = Object.keys(document).toSorted(compareCodePoints)
  const members = names.map((name) => {
    const value = name === 'signed' ? canonicalSigned : encodeCanonical(document[name])
    return `${encodeCanonical(name)}:${value}`
  })
  return `{${members.join(',')}}`
}

function readSignatures(value: unknown): Map<string, string> {
  const signatures = new Map<string, string>()
  readArray(value, (item) => {
    const signature = readObject(item)
    const keyid = readMember(signature, 'keyid', readString)
    // TUF 4.2.1: each key id at most once, whatever its signature is worth.
    if (signatures.has(keyid)) throw new DecodeError('the same key id has signed twice')
    if (signatures.size >= maxSignatures)
      throw new DecodeError(`more than ${maxSignatures} signatures`)
    signatures.set(keyid, readMember(signature, 'sig', readString))
  })
  return signatures
}
