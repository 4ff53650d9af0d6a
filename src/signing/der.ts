/** DER (X.690) as far as keys and signatures need it, written only: what is read, OpenSSL reads. */

import type { Bytes } from '../base/bytes.ts'

export function derSequence(...parts: readonly Bytes[]): Bytes {
  return encodeTagged(0x30, Buffer.concat(parts))
}

export function derOctets(bytes: Bytes): Bytes {
  return encodeTagged(0x04, bytes)
}

/** A positive integer from its big-endian bytes. */
export function derInteger(bytes: Bytes): Bytes {
  const from = bytes.findIndex((byte) => byte !== 0)
  const digits = from === -1 ? Uint8Array.of(0) : bytes.subarray(from)
  // With the highest bit set it would be negative.
  const isHigh = (digits[0] ?? 0) >= 0x80
  return encodeTagged(0x02, isHigh ? Buffer.concat([Uint8Array.of(0), digits]) : digits)
}

export function derNumber(value: number): Bytes {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  return derInteger(bytes)
}

/** @param arcs of less than 2^28 each */
export function derObjectId(...[first = 0, second = 0, ...rest]: readonly number[]): Bytes {
  return encodeTagged(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(encodeArc)]))
}

function encodeArc(arc: number): number[] {
  const groups = [21, 14, 7].filter((shift) => arc >>> shift > 0)
  return [...groups.map((shift) => 0x80 | ((arc >>> shift) & 0x7f)), arc & 0x7f]
}

/** Under a tag of a context of its own, such as those of X.509. */
export function derTagged(tag: number, ...parts: readonly Bytes[]): Bytes {
  return encodeTagged(tag, Buffer.concat(parts))
}

function encodeTagged(tag: number, content: Bytes): Bytes {
  const { length } = content
  const short = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : undefined
  const header = short ?? [0x82, length >>> 8, length & 0xff]
  return Buffer.concat([Uint8Array.from([tag, ...header]), content])
}
