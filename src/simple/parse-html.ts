/** A page of an index in HTML (PEP 503, 592, 629, 658, 714, 740, 792) -> ProjectPage. */

import type { Bytes } from '../base/bytes.ts'
import type { ParsedPage } from './parse-json.ts'

/** `project` is normalized. Throws VerifyError MALFORMED or UNSUPPORTED (other major API version). */
export function parsePageHtml(bytes: Bytes, project: string): ParsedPage {
  throw new Error(`not built: ${bytes.length} ${project}`)
}
