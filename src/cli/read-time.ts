/** A point in time as people give it on the command line. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { durationWords, parseDuration } from './units.ts'

/** `2h` ago, or a date; in ms. Throws CONFIG_INVALID. */
export function requireTime(raw: string, now: number): number {
  const ago = parseDuration(raw)
  const time = ago === undefined ? Date.parse(raw) : now - ago
  if (!Number.isNaN(time)) return time
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not a time.`, {
    expected: `${durationWords}; or a date such as 2026-05-01T12:00:00Z`,
  })
}
