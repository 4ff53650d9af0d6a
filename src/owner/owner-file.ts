/** How files of owners are refused that are none: one sentence, before any signature is looked at. */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import { isMalformed, member, readObject } from '../base/decode.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'

/** What it gives itself out to be; `undefined` for what is neither. */
export function findOwnerFileKind(bytes: Bytes): 'claim' | 'release' | undefined {
  try {
    const file = readObject(parseJson(bytes))
    if (member(file, 'type') === 'tufgate-release') return 'release'
    return member(readObject(member(file, 'signed')), '_type') === 'tufgate-claim'
      ? 'claim'
      : undefined
  } catch (error) {
    if (isMalformed(error)) return undefined
    throw error
  }
}

/** Throws VerifyError MALFORMED for what `read` refuses, and LENGTH_MISMATCH. */
export function readOwnerFile<T>(what: string, bytes: Bytes, maxBytes: number, read: () => T): T {
  if (bytes.length > maxBytes) {
    throw new VerifyError('LENGTH_MISMATCH', `${what} is longer than such a file may be`, {
      expected: `at most ${maxBytes} bytes`,
      found: `${bytes.length} bytes`,
      next: 'Ask whoever sent it for the right file.',
    })
  }
  try {
    return read()
  } catch (error) {
    if (!isMalformed(error)) throw error
    throw new VerifyError(
      'MALFORMED',
      `${what} cannot be read: ${toPrintable(describeError(error))}`,
      {
        next: 'Check that it is the right file, whole, and made by tufgate owner.',
        cause: error,
      },
    )
  }
}
