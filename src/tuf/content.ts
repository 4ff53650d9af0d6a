/**
 * Whether bytes are what signed metadata says of them (TUF 5.5.2, 5.6.2, 5.7): the length, and
 * every hash of a known algorithm, of which there must be one.
 */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import { digestHex, isHashName } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import type { MetaFile, TargetFile } from './metadata.ts'

/** Throws LENGTH_MISMATCH, DIGEST_MISMATCH, or UNSUPPORTED where no hash is of a known algorithm. */
export function requireContent(name: string, bytes: Bytes, file: TargetFile | MetaFile): void {
  if (file.length !== undefined && bytes.length !== file.length) {
    throw new VerifyError(
      'LENGTH_MISMATCH',
      `${toPrintable(name)} is ${bytes.length} bytes long instead of the signed ${file.length}`,
      { expected: String(file.length), found: String(bytes.length), next: askMirror },
    )
  }
  if (file.hashes !== undefined) requireHashes(name, bytes, file.hashes)
}

function requireHashes(name: string, bytes: Bytes, hashes: ReadonlyMap<string, string>): void {
  const known = [...hashes].flatMap(([hash, digest]) =>
    isHashName(hash) ? [{ hash, digest }] : [],
  )
  if (known.length === 0) {
    throw new VerifyError(
      'UNSUPPORTED',
      `${toPrintable(name)} is signed with no hash that is known here`,
      {
        found: [...hashes.keys()].join(', '),
        next: 'Ask whoever runs the mirror to sign a sha256.',
      },
    )
  }
  for (const { hash, digest } of known) {
    const found = digestHex(hash, bytes)
    if (found !== digest) {
      throw new VerifyError(
        'DIGEST_MISMATCH',
        `${hash} of ${toPrintable(name)} is not the signed one`,
        {
          expected: digest,
          found,
          next: askMirror,
        },
      )
    }
  }
}

const askMirror =
  'Try again; if it stays so, the mirror or the way to it delivers something that was not signed.'
