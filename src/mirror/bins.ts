/** How many bins the signed list is cut into, and which of them holds a project (TAP 15). */

import { encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'

export const binPrefix = 'bins'

/** 16,384 bins: enough for 50 million projects, and as many as PEP 458 reckons with. */
const maxBitLength = 14
/** Bytes of one project in a bin, and of one bin in a snapshot without hashes. */
const targetEntryBytes = 130
const snapshotEntryBytes = 31

/**
 * A client fetches a snapshot and one bin for a look-up. Their sum is least where
 * bins = sqrt(projects * target entry / snapshot entry); rounded to a power of two.
 */
export function chooseBitLength(projectCount: number): number {
  const optimum = Math.sqrt((Math.max(1, projectCount) * targetEntryBytes) / snapshotEntryBytes)
  return Math.min(maxBitLength, Math.max(1, Math.round(Math.log2(optimum))))
}

/** Throws CONFIG_INVALID for what is not a power of two from 2 to 16,384. */
export function requireBitLength(binCount: number): number {
  const bitLength = Math.log2(binCount)
  if (Number.isInteger(bitLength) && bitLength >= 1 && bitLength <= maxBitLength) return bitLength
  throw new ConfigError('CONFIG_INVALID', `${binCount} is not a possible number of bins`, {
    expected: `a power of two from 2 to ${2 ** maxBitLength}`,
    found: String(binCount),
    next: 'Leave the number out to have it chosen from the number of projects.',
  })
}

/** TAP 15: the first bits of the sha256 of the target path. */
export function findBin(targetPath: string, bitLength: number): number {
  const start = Number.parseInt(sha256Hex(encodeUtf8(targetPath)).slice(0, 8), 16)
  return start >>> (32 - bitLength)
}

/** TAP 15: the prefix, a hyphen, and the number in as many hexadecimal digits as the last one has. */
export function renderBinName(bin: number, bitLength: number): string {
  const width = (2 ** bitLength - 1).toString(16).length
  return `${binPrefix}-${bin.toString(16).padStart(width, '0')}`
}
