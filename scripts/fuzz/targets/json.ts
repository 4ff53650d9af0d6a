/** JSON as signed metadata may use it, and its canonical form. */

import { decodeUtf8, encodeUtf8 } from '../../../src/base/bytes.ts'
import { encodeCanonical, encodeCanonicalDocument } from '../../../src/base/canonical-json.ts'
import { parseUtcSeconds, formatUtcSeconds } from '../../../src/base/clock.ts'
import { isMalformed } from '../../../src/base/decode.ts'
import { parseJson, requireStrictJson } from '../../../src/base/strict-json.ts'
import { readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const strict: FuzzTarget = {
  name: 'json-strict',
  rule: 'what is strict JSON has one canonical form, which reads as the same value',
  seeds: () => [
    '{"a":[1,-2,{"b":"c\\n\\u0061","d":null}],"\\u{1f600}":true,"z":{}}',
    '{"a":{"a":{"a":[[[[[]]]]]}},"b":9007199254740991}',
    '[{"constructor":1,"__proto__":2},"\\"",""]',
    '{"\u{1f600}":1,"\uff5e":2,"a":3}',
  ],
  words: ['"a":1,', '\\u0061', '\\ud800', '1.0', '-0', '[[[[[[[[', '{"a":'],
  isRefusal: isMalformed,
  run: (input) => {
    const value = parseJson(input)
    const text = decodeUtf8(input)
    requireStrictJson(text)
    requirePlainNumbers(text)
    const canonical = encodeCanonical(value)
    const again = parseJson(encodeUtf8(encodeCanonicalDocument(value)))
    requireSame(encodeCanonical(again), canonical, 'another canonical form')
    requireStrictJson(encodeCanonicalDocument(value))
    requireSame(countMembers(text), countMembers(encodeCanonicalDocument(value)), 'lost members')
  },
}

/** As the engine's own parser sees the text of each number. */
function requirePlainNumbers(text: string): void {
  JSON.parse(text, requirePlain)
}

function requirePlain(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value === 'number') {
    const source = context?.source ?? String(value)
    requireRule(/^-?\d+$/.test(source) && String(value) === source, 'a number of another form')
  }
  return value
}

/** Colons outside of strings. */
function countMembers(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '').split(':').length - 1
}

const times: FuzzTarget = {
  name: 'json-time',
  rule: 'a time that is read is written in the same way again',
  seeds: () => ['2030-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2028-02-29T23:59:59Z'],
  words: ['T24', ':60Z', '+05:00', '-02-30', '.5Z', '99999'],
  run: (input) => {
    const text = readText(input)
    const time = parseUtcSeconds(text)
    if (time === undefined) return 'refused'
    requireSame(formatUtcSeconds(time), text, 'another time')
    return 'read'
  },
}

export const jsonTargets: readonly FuzzTarget[] = [strict, times]
