/** A member of a record that differs, as words for a person. `--json` has the names that it has in the record. */

import { toPrintable } from '../../base/bytes.ts'
import type { DifferentMember } from '../../mirror/read-held.ts'

const maxValueLength = 300

/** Those that only this program writes; the others are of PEP 691, and a person may look them up. */
const names: ReadonlyMap<string, string> = new Map([
  ['_first-seen', 'first seen'],
  ['_size', 'size, as the server says'],
  ['_removed', 'not listed by the index since'],
  ['_conflict', 'the sha256 that the index shows in place of it'],
  ['_respelled', 'the sha256 that the index shows under another spelling of the name'],
  ['_requires-python', 'the requires-python that the index shows in place of it'],
])

export function describeMember({ name, before, after }: DifferentMember): string {
  const label = names.get(name) ?? toPrintable(name)
  const [was, is] = [before, after].map((text) => (text === undefined ? text : describeValue(text)))
  if (is === undefined)
    return name === '_removed' ? describeListed(was) : `${label}: no more (was ${was})`
  return was === undefined ? `${label}: ${is}` : `${label}: ${was} -> ${is}`
}

function describeListed(since = ''): string {
  return `listed by the index again; it was not since ${since}`
}

/** JSON; of a text the quotes say nothing. */
function describeValue(json: string): string {
  const value: unknown = JSON.parse(json)
  return toPrintable(typeof value === 'string' ? value : json, maxValueLength)
}
