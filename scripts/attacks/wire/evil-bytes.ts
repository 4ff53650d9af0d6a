/**
 * Files in which every byte that was never verified can be told from all else that a proxy may say:
 * what is evil has the highest bit set, what is honest, and what the proxy says itself, has it not.
 */

import { sha256 } from '../../../test/support/build-wheel.ts'

const fileBytes = 20_000

/** No stretch of it stands in it twice. */
export const evilBytes = buildEvil('evil')
/** From a host that changes its mind. */
export const otherEvilBytes = buildEvil('more evil')

export function buildHonest(filename: string, length = fileBytes): Buffer {
  return Buffer.alloc(length, `${filename} is genuine\n`)
}

function buildEvil(seed: string): Buffer {
  const digests = Array.from({ length: fileBytes / 32 }, (_, at) => sha256(Buffer.from(seed + at)))
  return Buffer.from(digests.join(''), 'hex').map((byte) => byte | 0x80) as Buffer
}

export interface Leak {
  /** The longest stretch of unverified bytes. */
  readonly longest: number
  /** Stretches that are not the beginning of the file. */
  readonly later: number
}

/** In all that came on one connection: heads, bodies, and what somebody may have put between parts. */
export function findLeak(received: Buffer): Leak {
  let [longest, later] = [0, 0]
  for (const stretch of findStretches(received)) {
    longest = Math.max(longest, stretch.length)
    const isBeginning = [evilBytes, otherEvilBytes].some((evil) =>
      evil.subarray(0, stretch.length).equals(stretch),
    )
    if (!isBeginning) later += 1
  }
  return { longest, later }
}

function findStretches(bytes: Buffer): Buffer[] {
  return Array.from(bytes.toString('latin1').matchAll(/[\u0080-\u00ff]+/g), ({ 0: text, index }) =>
    bytes.subarray(index, index + text.length),
  )
}
