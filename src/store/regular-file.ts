/**
 * Files that are expected to be files. Something else in their place, such as a FIFO, would hold the
 * whole program up at the opening, for ever.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { StorageError } from '../base/errors.ts'

/** Throws what the operating system says, and a StorageError where it is no file. */
export function openRegular(path: string, flags: number = constants.O_RDONLY): number {
  const descriptor = openSync(path, flags | constants.O_NONBLOCK, 0o600)
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw new StorageError('STORAGE_FAILED', `${path} is not a file`, {
    expected: 'a regular file',
    next: `look at what is there, and move it away`,
  })
}

/** Whole; for small files. */
export function readRegular(path: string): Buffer {
  const descriptor = openRegular(path)
  try {
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
