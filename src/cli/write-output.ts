/**
 * A file that somebody has asked for by its path, for others to read. What is no file (/dev/null,
 * /dev/stdout, a pipe of the shell) is written into: a file in its place would be missed by all.
 */

import { appendFileSync, lstatSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { writeFileAtomic } from '../store/atomic-file.ts'
import { buildStorageError } from '../store/storage-error.ts'

export async function writeOutput(path: string, bytes: Bytes): Promise<void> {
  const target = resolve(path)
  if (isStream(target)) appendBytes(target, bytes)
  else await writeFileAtomic(target, bytes, { mode: 0o644 })
}

/** Of others it may hold something already, such as that of a step of GitHub Actions. */
export function appendBytes(path: string, bytes: Bytes): void {
  try {
    appendFileSync(path, bytes)
  } catch (error) {
    throw buildStorageError(error, 'write', path)
  }
}

function isStream(path: string): boolean {
  try {
    // /dev/stdout is a link, perhaps to a file: to replace either would take it from whoever reads it.
    if (lstatSync(path).isSymbolicLink() && /^\/(?:dev|proc)\//.test(path)) return true
    const stats = statSync(path)
    return !stats.isFile() && !stats.isDirectory()
  } catch {
    return false
  }
}
