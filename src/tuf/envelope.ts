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
  const frame = renderFrame(document)
  // A text that is canonical as a whole has no duplicate member; only the others are scanned.
  const isCanonical = isFramed(text, canonicalSigned, frame)
  if (!isCanonical) requireStrictJson(text)
  return {
    signed,
    message: isCanonical ? cutOut(bytes, frame) : encodeUtf8(canonicalSigned),
    signatures: readMember(document, 'signatures', readSignatures),
  }
}

/** The canonical form of the document without that of `signed`, which is big: before it, behind it. */
interface Frame {
  readonly head: string
  readonly tail: string
}

function renderFrame(document: JsonObject): Frame {
  const names = Object.keys(document).toSorted(compareCodePoints)
  const at = names.indexOf('signed')
  const render = (name: string): string =>
    `${encodeCanonical(name)}:${encodeCanonical(document[name])}`
  const before = names.slice(0, at).map((name) => `${render(name)},`)
  const behind = names.slice(at + 1).map((name) => `,${render(name)}`)
  return { head: `{${before.join('')}"signed":`, tail: `${behind.join('')}}` }
}

function isFramed(text: string, canonicalSigned: string, { head, tail }: Frame): boolean {
  return (
    text.length === head.length + canonicalSigned.length + tail.length &&
    text.startsWith(head) &&
    text.endsWith(tail) &&
    text.slice(head.length, text.length - tail.length) === canonicalSigned
  )
}

/** Of a text that is framed so: the bytes of the canonical form, as they were received. */
function cutOut(bytes: Bytes, { head, tail }: Frame): Bytes {
  return bytes.subarray(encodeUtf8(head).length, bytes.length - encodeUtf8(tail).length)
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
