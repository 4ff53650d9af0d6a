/** Sentences for settings that do not fit: which key, in which line, what was expected. */

import type { z } from 'zod'
import { ConfigError } from '../base/errors.ts'
import { findNearest } from './nearest.ts'

/** The document as it was read. */
export interface SettingsText {
  /** Its name, for messages. */
  readonly source: string
  readonly text: string
  /** Parsed, with what the command line overrides. */
  readonly raw: unknown
}

type Place = readonly string[]

export function describeSettingsProblem(
  error: z.ZodError,
  document: SettingsText,
  findKnownKeys: (place: Place) => readonly string[],
): ConfigError {
  const [issue] = error.issues
  const place = issue?.path.map(String) ?? []
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  if (unknown !== undefined) {
    return describeUnknownKey([...place, unknown], document, findKnownKeys(place))
  }
  const isMissing = findValue(document.raw, place) === undefined
  const problem = isMissing ? 'it is missing' : (issue?.message ?? 'it cannot be read')
  return new ConfigError('CONFIG_INVALID', `${locate(document, place)}: ${problem}.`, {
    cause: error,
    next: 'proxy-config/tufgate.toml shows every setting with its default.',
  })
}

function describeUnknownKey(
  place: Place,
  document: SettingsText,
  known: readonly string[],
): ConfigError {
  const nearest = findNearest(place.at(-1) ?? '', known)
  return new ConfigError('CONFIG_INVALID', `${locate(document, place)} is not a setting.`, {
    next:
      nearest === undefined
        ? 'proxy-config/tufgate.toml shows every setting.'
        : `Did you mean "${nearest}"?`,
  })
}

function findValue(raw: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined,
    raw,
  )
}

/** `tufgate.toml, line 12: index[0].url` */
function locate({ source, text }: SettingsText, place: Place): string {
  const line = findLine(text, place)
  const key = place
    .map((part, at) => (isNumber(part) ? `[${part}]` : `${at > 0 ? '.' : ''}${part}`))
    .join('')
  return `${source}${line === undefined ? '' : `, line ${line}`}: ${key}`
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part)
}

/**
 * The line of a key that is written in the usual way, `key = value` below its table's header; else
 * the line of the header; `undefined` where neither is found.
 */
function findLine(text: string, place: Place): number | undefined {
  const names = place.filter((part) => !isNumber(part))
  const table = names.length > 1 || isNumber(place[1] ?? '') ? (names[0] ?? '') : ''
  const occurrence = Number(place.find(isNumber) ?? 0)
  const lines = text.split('\n')
  const start = table === '' ? 0 : findHeader(lines, table, occurrence)
  if (start === undefined) return undefined
  const key = names.at(-1)
  const offset = lines.slice(start).findIndex((line, at) => {
    return (at > 0 && isHeader(line)) || /^\s*"?([^"=\s]+)"?\s*=/.exec(line)?.[1] === key
  })
  const found = offset >= 0 && !isHeader(lines[start + offset] ?? '')
  return found ? start + offset + 1 : table === '' ? undefined : start + 1
}

function findHeader(
  lines: readonly string[],
  table: string,
  occurrence: number,
): number | undefined {
  const headers = [...lines.keys()].filter(
    (at) => /^\s*\[\[?\s*"?([^"\]\s]+)"?\s*\]/.exec(lines[at] ?? '')?.[1] === table,
  )
  return headers[occurrence]
}

function isHeader(line: string): boolean {
  return /^\s*\[/.test(line)
}
