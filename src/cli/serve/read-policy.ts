/** What the operator's rules say of the files of one index, pins among them. */

import { readFileSync } from 'node:fs'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { normalizeIndexUrl } from '../../notary/index-address.ts'
import type { Policy } from '../../policy/decide.ts'
import { parseDenyRule } from '../../policy/deny-rule.ts'
import { parsePins, type PinSet } from '../../policy/pin-set.ts'
import { normalizeName } from '../../simple/names.ts'
import { describeErrno } from '../../store/storage-error.ts'
import { isHttpUrl } from '../location.ts'
import type { IndexSettings, Settings } from '../settings.ts'

/** Lines of 200 bytes, for as many files as any repository pins. */
const maxPinsBytes = 512 * 1024 ** 2

/** Throws ConfigError CONFIG_INVALID. */
export function readPolicy({ policy }: Settings, { pins }: IndexSettings): Policy {
  return {
    deny: policy.deny.map(parseDenyRule),
    minAgeMs: policy['min-age'],
    minAgeExcept: policy.except.map(normalizeName),
    showHidden: policy['show-hidden'],
    hidesMetadata: !policy['core-metadata'],
    ...(pins !== undefined && { pins: readPins(pins) }),
  }
}

/** The header is for people, and nothing is refused for it. A folder has another name on each machine. */
export function warnIfOtherPins(
  { pins }: Policy,
  url: string,
  warn: (message: string) => void,
): void {
  if (pins?.index === undefined || !isHttpUrl(pins.index)) return
  if (normalizeIndexUrl(pins.index) === normalizeIndexUrl(url)) return
  warn(
    `${pins.source} has the pins of another index, ${toPrintable(pins.index, 500)}, and not of ${url}: names that are on both may have other files there.`,
  )
}

export function readPins(path: string): PinSet {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `${path}, the pins file, cannot be read: ${describeErrno(error)}`,
      { cause: error, next: 'Give the path of a file that tufgate pins export has written.' },
    )
  }
  if (text.length <= maxPinsBytes) return parsePins(text, path)
  throw new ConfigError('CONFIG_INVALID', `${path} is too large for a pins file.`, {
    expected: `at most ${maxPinsBytes} characters`,
    next: 'Export only the indexes that are needed.',
  })
}
