/** Files that go from hand to hand, claims, releases and changes, read with a limit and written whole. */

import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import { toPrintable, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { writeFileAtomic } from '../store/atomic-file.ts'

/** Throws CONFIG_INVALID for what is no file, or longer than such a file may be. */
export async function readExchanged(
  path: string,
  maxBytes: number,
  next = 'Name the file that tufgate owner has made.',
): Promise<Bytes> {
  // Without O_NONBLOCK a FIFO in its place would hold the program up for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (found.isFile() && found.size <= maxBytes) return await file.readFile()
  } finally {
    await file.close()
  }
  throw new ConfigError('CONFIG_INVALID', `${toPrintable(path, 500)} is not a file of this kind`, {
    expected: `a file of at most ${maxBytes} bytes`,
    next,
  })
}

/** Whatever was there before is replaced, or stays whole. */
export function writeExchanged(path: string, bytes: Bytes): Promise<void> {
  return writeFileAtomic(path, bytes)
}
