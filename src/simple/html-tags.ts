/** Opening tags of an HTML document with their attributes, in one pass; the only user of htmlparser2. */

import { Parser } from 'htmlparser2'
import { decodeUtf8, type Bytes } from '../base/bytes.ts'

/** By name in lower case; of a name that stands twice the first, as HTML has it. */
export type Attributes = ReadonlyMap<string, string>

export type TagHandlers = Readonly<Record<string, (attributes: Attributes) => void>>

/** Throws a TypeError where the bytes are not UTF-8, and what a handler throws. */
export function readTags(
  bytes: Bytes,
  handlers: TagHandlers,
  onText?: (text: string) => void,
): void {
  const byName = new Map(Object.entries(handlers))
  let attributes: Map<string, string> | undefined
  const parser = new Parser({
    onopentagname(name) {
      attributes = byName.has(name) ? new Map() : undefined
    },
    onattribute(name, value) {
      if (attributes !== undefined && !attributes.has(name)) attributes.set(name, value)
    },
    onopentag(name) {
      if (attributes !== undefined) byName.get(name)?.(attributes)
      attributes = undefined
    },
    ...(onText === undefined ? {} : { ontext: onText }),
  })
  parser.write(decodeUtf8(bytes))
  parser.end()
}
