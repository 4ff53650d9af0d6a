/** Opening tags of an HTML document with their attributes, in one pass; the only user of htmlparser2. */

import { Parser } from 'htmlparser2'
import { DecodeError } from '../base/decode.ts'

/** By name in lower case; of a name that stands twice the first, as HTML has it. */
export type Attributes = ReadonlyMap<string, string>

export type TagHandlers = Readonly<Record<string, (attributes: Attributes) => void>>

/** What stands between tags, and the name of each tag that closes. */
export interface ContentHandlers {
  readonly text: (text: string) => void
  readonly close: (name: string) => void
}

/** Each open tag costs htmlparser2 a walk over all that are open: a million of them would take hours. */
const maxDepth = 500

/** Throws a DecodeError at too deep nesting, and what a handler throws. */
export function readTags(html: string, handlers: TagHandlers, content?: ContentHandlers): void {
  const byName = new Map(Object.entries(handlers))
  let attributes: Map<string, string> | undefined
  let depth = 0
  const parser = new Parser({
    onopentagname(name) {
      attributes = byName.has(name) ? new Map() : undefined
    },
    onattribute(name, value) {
      if (attributes !== undefined && !attributes.has(name)) attributes.set(name, value)
    },
    onopentag(name) {
      depth += 1
      if (depth > maxDepth) throw new DecodeError(`tags nested deeper than ${maxDepth}`)
      if (attributes !== undefined) byName.get(name)?.(attributes)
      attributes = undefined
    },
    // For tags without an end too, such as `<br>`, and for those that another one ends.
    onclosetag(name) {
      depth -= 1
      content?.close(name)
    },
    ...(content === undefined ? {} : { ontext: content.text }),
  })
  parser.write(html)
  parser.end()
}
