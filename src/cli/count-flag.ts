/** A flag that takes a whole number from 1. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'

export function requireCount(flag: string, raw: string): number {
  const count = Number(raw)
  if (/^\d{1,9}$/.test(raw) && count >= 1) return count
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is not a number.`, {
    expected: 'a whole number from 1',
  })
}
