/**
 * A folder with those above it, one at a time: the `recursive` of Node.js never ends where the system
 * says ENOENT of a folder whose parent is there (/proc), and hides that a disk is read-only.
 */

import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { findErrno } from './storage-error.ts'

/** That it is there already is no error. Throws what the operating system says. */
export function makeFolderPath(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (findErrno(error) === 'EEXIST' && statSync(path).isDirectory()) return
    const parent = dirname(path)
    if (findErrno(error) !== 'ENOENT' || parent === path || existsSync(parent)) throw error
    makeFolderPath(parent, mode)
    makeFolderPath(path, mode)
  }
}
