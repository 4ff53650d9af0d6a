/** How many bins the signed list is cut into, and what they are called (TAP 15). */

import { ConfigError } from '../base/errors.ts'
import { renderBinName } from '../tuf/delegation.ts'

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

/** The role that holds the bin of this number. */
export function renderBin(bin: number, bitLength: number): string {
  return renderBinName(binPrefix, bitLength, bin)
}
