/** The list of all projects of an index (PEP 503, 691): read and written. */

import type { Bytes } from '../base/bytes.ts'
import type { PageFormat } from './negotiate.ts'

/** Names as the index writes them, in its order. Throws VerifyError MALFORMED or UNSUPPORTED. */
export function parseProjectListJson(bytes: Bytes): readonly string[] {
  throw new Error(`not built: ${bytes.length}`)
}

export function parseProjectListHtml(bytes: Bytes): readonly string[] {
  throw new Error(`not built: ${bytes.length}`)
}

export function renderProjectList(names: readonly string[], format: PageFormat): Bytes {
  throw new Error(`not built: ${names.length} ${format}`)
}
