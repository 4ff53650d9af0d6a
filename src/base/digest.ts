/**
 * Digests of bytes, and the only place that knows which hash algorithms there are.
 * `node:crypto` where it has the algorithm (2 GB/s for sha256), `@noble/hashes` where it has not.
 */

import { createHash, randomBytes } from 'node:crypto'
import { blake2b } from '@noble/hashes/blake2.js'
import { encodeHex, type Bytes } from './bytes.ts'

/** Names as TUF metadata and the Simple API write them. */
export type HashName = 'sha256' | 'sha384' | 'sha512' | 'blake2b-256'

export interface Hasher {
  update(chunk: Bytes): void
  /** Lower-case hexadecimal; the hasher is spent then. */
  digestHex(): string
}

const hexLengths: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
  ['blake2b-256', 64],
])

export function isHashName(name: string): name is HashName {
  return hexLengths.has(name)
}

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Whether the text is a whole digest of the algorithm, in lower-case hexadecimal. */
export function isDigestOf(name: HashName, text: string): boolean {
  return text.length === hexLengths.get(name) && /^[0-9a-f]+$/.test(text)
}

export function createHasher(name: HashName): Hasher {
  if (name === 'blake2b-256') {
    const state = blake2b.create({ dkLen: 32 })
    return {
      update: (chunk) => void state.update(chunk),
      digestHex: () => encodeHex(state.digest()),
    }
  }
  const hash = createHash(name)
  return { update: (chunk) => void hash.update(chunk), digestHex: () => hash.digest('hex') }
}

export function digestHex(name: HashName, bytes: Bytes): string {
  const hasher = createHasher(name)
  hasher.update(bytes)
  return hasher.digestHex()
}

export function sha256Hex(bytes: Bytes): string {
  return digestHex('sha256', bytes)
}

/** Unpredictable bytes, for identifiers that nobody should be able to guess. */
export function createRandomBytes(length: number): Bytes {
  return randomBytes(length)
}
