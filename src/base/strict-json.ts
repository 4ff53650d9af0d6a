/**
 * JSON as signed metadata may use it: valid UTF-8, no duplicate members, integers only.
 *
 * A document that is in canonical form already cannot have a duplicate member, so the scan that
 * looks for them is only made for the others.
 */

import { decodeUtf8, type Bytes } from './bytes.ts'
import { maxJsonDepth } from './canonical-json.ts'

/** Throws a TypeError or SyntaxError that says what is wrong. */
export function parseJson(bytes: Bytes): unknown {
  return JSON.parse(decodeUtf8(bytes))
}

/**
 * Throws a TypeError at the first duplicate member, fraction, exponent, -0 or too deep nesting of
 * a text that `JSON.parse` accepts. Linear in the length of the text.
 */
export function requireStrictJson(text: string): void {
  const members: (Set<string> | undefined)[] = []
  // Strings first, so that nothing inside of one is taken for structure.
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\]]/g
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match
    if (found === '{') members.push(new Set())
    else if (found === '[') members.push(undefined)
    else if (found === '}' || found === ']') members.pop()
    else if (found.startsWith('"')) addMember(members.at(-1), found, text, token.lastIndex)
    else requireInteger(found)
    if (members.length > maxJsonDepth)
      throw new TypeError(`JSON is nested deeper than ${maxJsonDepth}`)
  }
}

function addMember(seen: Set<string> | undefined, quoted: string, text: string, end: number): void {
  if (seen === undefined || !isFollowedByColon(text, end)) return
  // Escapes are resolved first: "a" and "\u0061" are the same member.
  const name = JSON.parse(quoted) as string
  if (seen.has(name))
    throw new TypeError(`member ${quoted.slice(0, 80)} stands twice in one object`)
  seen.add(name)
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === 0x3a
}

function requireInteger(raw: string): void {
  if (!/^(?:0|-?[1-9]\d*)$/.test(raw) || !Number.isSafeInteger(Number(raw))) {
    throw new TypeError(`${raw.slice(0, 40)} is not an integer that signed metadata can carry`)
  }
}
