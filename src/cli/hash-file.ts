/** The sha256 of a file on disk, read in pieces: never the whole of it in memory. */

import type { FileHandle } from 'node:fs/promises'
import { createHasher } from '../base/digest.ts'

const chunkBytes = 1 << 20

/** `tell` hears how many bytes have been read. */
export async function hashFile(
  file: FileHandle,
  tell: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHasher('sha256')
  const buffer = new Uint8Array(chunkBytes)
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, at)
    if (bytesRead === 0) return hash.digestHex()
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
    tell(at)
  }
}
