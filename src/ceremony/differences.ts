/** Where two JSON values differ, as lines that people read: a place, what was there, what is there now. */

import { toPrintable } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'

const nothing = 'nothing'
const maxShownLength = 120

export function listDifferences(before: unknown, after: unknown, place = ''): string[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap((name) =>
      listDifferences(
        Object.hasOwn(before, name) ? before[name] : undefined,
        Object.hasOwn(after, name) ? after[name] : undefined,
        place === '' ? name : `${place}.${name}`,
      ),
    )
  }
  const [old, next] = [show(before), show(after)]
  return old === next ? [] : [`${toPrintable(place)}: ${cut(old)} becomes ${cut(next)}`]
}

/** A list is one too: its members are compared place by place. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  return value === undefined ? nothing : encodeCanonical(value)
}

function cut(text: string): string {
  return toPrintable(text, maxShownLength)
}
