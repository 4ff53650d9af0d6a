/**
 * Where a client demands that files are targets of their own (PEP 458 to the letter), the record of a
 * project is not enough: the target must be there, and say the same.
 */

import { VerifyError } from '../base/errors.ts'
import type { ServedPath } from '../simple/record.ts'
import type { TargetFile } from '../tuf/metadata.ts'

/**
 * The file with the length of its target. Throws VerifyError: RECORD_REFUSED without a target,
 * DIGEST_MISMATCH and LENGTH_MISMATCH where the two differ.
 */
export function requireFileTarget(served: ServedPath, target: TargetFile | undefined): ServedPath {
  const { filename } = served.file
  if (target === undefined) {
    throw new VerifyError('RECORD_REFUSED', `${filename} is not signed as a file of its own`, {
      expected: 'a target of its own (require-signed-files)',
      found: 'none',
      next: 'Ask whoever runs the mirror for --sign-files, or turn require-signed-files off for this index.',
    })
  }
  const sha256 = target.hashes.get('sha256')
  if (sha256 !== served.sha256) {
    throw new VerifyError('DIGEST_MISMATCH', `${filename} is signed with two digests`, {
      expected: served.sha256,
      found: sha256 ?? 'no sha256',
      next: askMirror,
    })
  }
  if (served.size !== undefined && served.size !== target.length) {
    throw new VerifyError('LENGTH_MISMATCH', `${filename} is signed with two lengths`, {
      expected: `${served.size} bytes`,
      found: `${target.length} bytes`,
      next: askMirror,
    })
  }
  return { ...served, size: target.length }
}

const askMirror =
  'Ask whoever runs the mirror: its record and its target of the file do not agree. Nothing was delivered.'
