/** Readers of values that stand in several documents: see `decode.ts`. */

import { parseUtcSeconds } from './clock.ts'
import { DecodeError, readString } from './decode.ts'
import { isSha256 } from './digest.ts'

/** Milliseconds. The form of TUF metadata: seconds, and UTC alone. */
export function readUtcTime(value: unknown): number {
  const time = parseUtcSeconds(readString(value))
  if (time === undefined) throw new DecodeError('expected a time as YYYY-MM-DDTHH:MM:SSZ')
  return time
}

export function readSha256(value: unknown): string {
  const text = readString(value)
  if (!isSha256(text)) throw new DecodeError('expected a sha256 in lower-case hexadecimal')
  return text
}
