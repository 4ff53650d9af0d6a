/**
 * Canonical JSON as TUF uses it (the OLPC form, TUF 4.2): keys sorted by code point, no white
 * space, integers only, and only `\` and `"` escaped. It is not RFC 8785.
 */

/** A JSON value as `JSON.parse` gives it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Deeper than any metadata needs, and far from the end of the call stack. */
export const maxJsonDepth = 64

/**
 * The canonical form as text; its UTF-8 encoding is what is signed.
 * Throws a TypeError for what has no canonical form: fractions, unsafe integers, -0, text that is
 * not well-formed Unicode, and nesting deeper than `maxJsonDepth`.
 */
export function encodeCanonical(value: unknown): string {
  const text = encodeValue(value, 0)
  // A lone surrogate would become U+FFFD in UTF-8: two texts, one signature. Asked once for all:
  // quotes stand between any two strings, so that no two halves can make a whole.
  if (!text.isWellFormed()) throw new TypeError('text is not well-formed Unicode')
  return text
}

/**
 * The canonical form as a file can hold it. It leaves control characters as they are, the line ends
 * of PEM keys above all, and no JSON parser takes them: here they are escaped.
 */
export function encodeCanonicalDocument(value: unknown): string {
  return escapeControls(encodeCanonical(value))
}

/** For text in canonical form, where control characters stand inside of strings alone. */
export function escapeControls(canonical: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return canonical.replaceAll(/[\u0000-\u001f]/g, (letter) => JSON.stringify(letter).slice(1, -1))
}

function encodeValue(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value)
    case 'number':
      return encodeInteger(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= maxJsonDepth) throw new TypeError(`JSON is nested deeper than ${maxJsonDepth}`)
      return Array.isArray(value)
        ? encodeArray(value, depth + 1)
        : encodeObject(value as Record<string, unknown>, depth + 1)
    default:
      throw new TypeError(`${typeof value} has no JSON form`)
  }
}

function encodeInteger(value: number): string {
  // Beyond 2^53 JSON.parse has already rounded: what was signed is not known any more.
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw new TypeError(`${value} is not an integer that canonical JSON can carry`)
  }
  return String(value)
}

function encodeString(value: string): string {
  return /["\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"` : `"${value}"`
}

function encodeArray(values: readonly unknown[], depth: number): string {
  let text = ''
  for (const item of values) text += `${text === '' ? '' : ','}${encodeValue(item, depth)}`
  return `[${text}]`
}

function encodeObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  const keys = Object.keys(value)
  if (!isSorted(keys)) keys.sort(compareCodePoints)
  let text = ''
  for (const key of keys) {
    text += `${text === '' ? '' : ','}${encodeString(key)}:${encodeValue(value[key], depth)}`
  }
  return `{${text}}`
}

/** Whether the keys are surely sorted: above U+D7FF the order of `<` is not that of code points. */
function isSorted(keys: readonly string[]): boolean {
  let previous = ''
  for (const key of keys) {
    if (key < previous || /[\ud800-\uffff]/.test(key)) return false
    previous = key
  }
  return true
}

/**
 * Order by code point, which is the order of the UTF-8 bytes. JavaScript compares UTF-16 units,
 * which puts U+E000..U+FFFF behind the surrogates of U+10000 and above.
 */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at += 1) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a !== b) return surrogatesLast(a) - surrogatesLast(b)
  }
  return left.length - right.length
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
