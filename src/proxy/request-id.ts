/** Short names for requests, which stand in the answer, the audit log and messages. */

import { createRandomBytes } from '../base/digest.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * `r-` and eight letters: four count, so that no two of a million requests in a row share an id; four
 * are random, so that one id does not give away the next.
 */
export function createRequestIds(): () => string {
  let random = createRandomBytes(4096)
  let at = 4
  let count = new DataView(random.buffer, random.byteOffset).getUint32(0)
  return () => {
    if (at + 4 > random.length) {
      random = createRandomBytes(4096)
      at = 0
    }
    count = (count + 1) >>> 0
    let id = 'r-'
    for (let shift = 15; shift >= 0; shift -= 5) id += alphabet.charAt((count >>> shift) & 31)
    for (const end = at + 4; at < end; at += 1) id += alphabet.charAt((random[at] ?? 0) & 31)
    return id
  }
}
