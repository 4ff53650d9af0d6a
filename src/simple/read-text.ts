/**
 * Texts of a page, as far as they are let in: how long, which characters, how they are cleaned.
 * What passed here can be shown in JSON, in HTML and on a line of a log.
 */

import { toPrintable } from '../base/bytes.ts'
import { DecodeError, readString } from '../base/decode.ts'

/** Longer than any sentence of a maintainer, short enough for 100,000 files. */
export const maxTextLength = 4096
/** A link to it must fit the request line of 8 kB, percent-encoded. */
export const maxUrlLength = 2048
const maxFilenameLength = 512

// Cc is C0, DEL and C1; the other two end a line too.
const controls = /[\p{Cc}\u2028\u2029]/gu
const control = /[\p{Cc}\u2028\u2029]/u

/**
 * A sentence by somebody, for people (a reason, `requires-python`): control characters become
 * spaces, lone surrogates U+FFFD, so that JSON and HTML say the same.
 */
export function readText(value: unknown): string {
  const raw = readString(value)
  if (raw.length > maxTextLength) throw new DecodeError(`a text of ${raw.length} characters`)
  return control.test(raw) || !raw.isWellFormed()
    ? raw.replaceAll(controls, ' ').toWellFormed()
    : raw
}

export function readUrlText(value: unknown): string {
  const raw = readString(value)
  if (raw.length > maxUrlLength) throw new DecodeError(`a URL of ${raw.length} characters`)
  return raw
}

export function readFilename(value: unknown): string {
  const raw = readString(value)
  if (raw.length > maxFilenameLength) {
    throw new DecodeError(`a file name of ${raw.length} characters`)
  }
  return raw
}

/** One segment of a path, decoded: no separator of any system, nothing that decodes once more. */
export function isPathSegment(text: string): boolean {
  if (text === '' || text === '.' || text === '..') return false
  return !/[/\\%]/.test(text) && !control.test(text) && text.isWellFormed()
}

/** Printable ASCII: look-alikes and text that runs backwards have no place in a file name. */
export function isFilename(text: string): boolean {
  return isPathSegment(text) && /^[\x20-\x7e]+$/.test(text) && text.trim() === text
}

/** PEP 700. `undefined` for what is no time in UTC. */
export function parseUploadTime(raw: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(raw)) return undefined
  const time = Date.parse(raw)
  return Number.isNaN(time) ? undefined : time
}

/** PEP 740: a fully-qualified URL. */
export function isAbsoluteUrl(raw: string): boolean {
  return /^https?:\/\/[^\s/]/.test(raw) && raw.isWellFormed() && URL.canParse(raw)
}

/** A link for a report or a log: on one line, without credentials and without what a query says. */
export function describeLink(raw: string): string {
  const bare = raw.replace(/^([^/\\?#]*[/\\]{2})[^/\\?#]*@/, '$1').replace(/([?#]).*$/su, '$1...')
  return toPrintable(bare)
}
