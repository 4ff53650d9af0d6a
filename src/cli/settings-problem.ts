/** Sentences for settings that do not fit: which key, in which line, what was expected. */

import type { z } from 'zod'
import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { findNearest } from './nearest.ts'

/** The document as it was read. */
export interface SettingsText {
  /** Its name, for messages. */
  readonly source: string
  readonly text: string
  /** Parsed, with what the command line overrides. */
  readonly raw: unknown
  /** The flags that were given, by the place in the settings that they override: `index.0.url`. */
  readonly flags: ReadonlyMap<string, string>
  /** A complete settings file, to look at. */
  readonly example: string
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
  const missing = findMissingFlag(document, place)
  if (missing !== undefined) {
    const [flag, what] = missing
    return new ConfigError('CONFIG_INVALID', `${flag} is missing: ${what}.`, {
      cause: error,
      next: 'A mirror needs all three: --index URL --mirror LOCATION --root FILE. The --help of this command describes them.',
    })
  }
  const problem = describeProblem(issue, findValue(document.raw, place), place)
  const end = problem.endsWith('?') ? '' : '.'
  return new ConfigError('CONFIG_INVALID', `${locate(document, place)}: ${problem}${end}`, {
    cause: error,
    next: `${document.example} shows every setting with its default.`,
  })
}

function describeProblem(
  issue: z.core.$ZodIssue | undefined,
  value: unknown,
  place: Place,
): string {
  if (value === undefined) return 'it is missing'
  const isList = issue?.code === 'invalid_type' && issue.expected === 'array'
  if (isList && typeof value === 'string') {
    return `write a list: ${place.at(-1) ?? ''} = [${JSON.stringify(toPrintable(value, 200))}]`
  }
  return issue?.message ?? 'it cannot be read'
}

/** What an index needs, as the command line gives it. */
const indexFlags: ReadonlyMap<string, readonly [flag: string, what: string]> = new Map([
  ['url', ['--index', 'the URL of the index whose pages the mirror has signed']],
  ['mirror', ['--mirror', 'the URL of the mirror, or its folder with metadata/ and targets/']],
  ['root', ['--root', 'the 1.root.json of the mirror (tufgate mirror init said where it is)']],
])

/** Of an index that the command line alone describes. */
function findMissingFlag(
  { text, raw, flags }: SettingsText,
  place: Place,
): readonly [flag: string, what: string] | undefined {
  const [table, at, key = ''] = place
  const isOfFlags = [...flags.keys()].some((given) => given.startsWith('index.'))
  const isFirst = table === 'index' && at === '0' && place.length === 3
  if (!isFirst || !isOfFlags || findHeader(text.split('\n'), 'index', 0) !== undefined)
    return undefined
  return findValue(raw, place) === undefined ? indexFlags.get(key) : undefined
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
        ? `${document.example} shows every setting.`
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

/** `tufgate.toml, line 12: index[0].url`, or the flag that it came from. */
function locate({ source, text, flags }: SettingsText, place: Place): string {
  const [flag] = place.flatMap((_, at) => flags.get(place.slice(0, at + 1).join('.')) ?? [])
  if (flag !== undefined) return flag
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
