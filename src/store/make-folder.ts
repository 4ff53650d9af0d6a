/** A folder with those above it, and the true reason where that fails. */

import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { findErrno } from './storage-error.ts'

/** That it is there already is no error. Throws what the operating system says. */
export function makeFolderPath(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode })
  } catch (error) {
    // Node says ENOENT of a read-only disk when it makes folders on the way: one at a time is true.
    if (findErrno(error) === 'ENOENT') makeFirstMissing(path, mode)
    throw error
  }
}

function makeFirstMissing(path: string, mode: number): void {
  const parent = dirname(path)
  if (parent === path || existsSync(parent)) mkdirSync(path, { mode })
  else makeFirstMissing(parent, mode)
}
