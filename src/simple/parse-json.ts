/** A page of an index in JSON (PEP 691, 700, 714, 740, 792) -> ProjectPage. */

import type { Bytes } from '../base/bytes.ts'
import type { ProjectPage } from './model.ts'

/** A link that was left out, and why. */
export interface SkippedLink {
  readonly link: string
  readonly problem: string
}

/** A page as it was read; `base` is the first `<base href>` of an HTML page. */
export interface ParsedPage extends ProjectPage {
  readonly base?: string
  readonly skipped: readonly SkippedLink[]
}

/** `project` is normalized. Throws VerifyError MALFORMED or UNSUPPORTED (other major API version). */
export function parsePageJson(bytes: Bytes, project: string): ParsedPage {
  throw new Error(`not built: ${bytes.length} ${project}`)
}
