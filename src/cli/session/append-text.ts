/** Adds to a file that somebody else has made and reads, such as those of a step of GitHub Actions. */

import { appendFileSync } from 'node:fs'
import { buildStorageError } from '../../store/storage-error.ts'

export function appendText(path: string, text: string): void {
  try {
    appendFileSync(path, text)
  } catch (error) {
    throw buildStorageError(error, 'append to', path)
  }
}
