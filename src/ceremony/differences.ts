/**
 * Where two JSON values differ, as lines that people read: a place, what was there, what is there now.
 *
 * What is too long for a line is taken apart, and letters that are not ASCII are written as escapes,
 * so that nothing hides behind an ellipsis or a letter that looks like another.
 */

import { encodeCanonical } from '../base/canonical-json.ts'

const nothing = 'nothing'
/** Longer lists and objects are shown member by member. */
const maxShownLength = 120
/** Of a single text. */
const maxTextLength = 500
/** What is shown before the first letter that differs. */
const sharedLength = 20

export function listDifferences(before: unknown, after: unknown, place = ''): string[] {
  if (isObject(before) && isObject(after)) return compareMembers(before, after, place)
  const [old, next] = [show(before), show(after)]
  if (old === next) return []
  const isLong = Math.max(old.length, next.length) > maxShownLength
  const [left, right] = [isObject(before) ? before : {}, isObject(after) ? after : {}]
  const members = isLong ? compareMembers(left, right, place) : []
  // Of what appears or goes the members say all.
  const isSaid = members.length > 0 && (before === undefined || after === undefined)
  return isSaid ? members : [renderLine(place, old, next), ...members]
}

/** A list is one too: its members are compared place by place. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function compareMembers(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  place: string,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) =>
    listDifferences(
      Object.hasOwn(before, name) ? before[name] : undefined,
      Object.hasOwn(after, name) ? after[name] : undefined,
      place === '' ? name : `${place}.${name}`,
    ),
  )
}

function show(value: unknown): string {
  return value === undefined ? nothing : encodeCanonical(value)
}

function renderLine(place: string, old: string, next: string): string {
  const from = Math.max(old.length, next.length) <= maxTextLength ? 0 : findStart(old, next)
  return `${escape(place)}: ${cut(old, from)} becomes ${cut(next, from)}`
}

function findStart(old: string, next: string): number {
  let at = 0
  while (at < old.length && old[at] === next[at]) at += 1
  return Math.max(0, at - sharedLength)
}

function cut(text: string, from: number): string {
  const shown = text.slice(from, from + maxTextLength)
  const isWhole = shown.length === text.length
  return isWhole
    ? escape(text)
    : `${from > 0 ? '...' : ''}${escape(shown)}... (${text.length} letters)`
}

/** In canonical JSON a backslash of the text itself is doubled: an escape is told from it. */
export function escape(text: string): string {
  const shown = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text
  return shown.replaceAll(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
