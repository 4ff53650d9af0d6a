/** A shorter input with the same fault: pieces are taken away, the big ones first. */

import type { Bytes } from '../../src/base/bytes.ts'

const maxTries = 400

export async function minimise(
  input: Bytes,
  isSame: (shorter: Bytes) => Promise<boolean>,
): Promise<Bytes> {
  let best = input
  let tries = 0
  for (let piece = Math.ceil(best.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < best.length && tries < maxTries;) {
      const shorter = Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + piece)])
      tries += 1
      // oxlint-disable-next-line no-await-in-loop -- each stands on the one before
      if (await isSame(shorter)) best = shorter
      else at += piece
    }
  }
  return best
}
