/** The page that a client sees of a record: links to this proxy, one hash, tombstones, rulings. */

import type { ProjectPage } from './model.ts'
import type { ProjectRecord, RecordFile } from './record.ts'

/** What policy says of a file that is not simply kept; `Decision` of policy/decide.ts fits. */
export interface Ruling {
  readonly kind: 'hide' | 'refuse'
  readonly reason: string
}

export interface RewriteOptions {
  /** Hidden files stay, as yanked with the reason. */
  readonly showHidden: boolean
}

/** `rulings` has an entry for each file that is not kept (see `decidePage`). */
export function rewritePage(
  record: ProjectRecord,
  rulings: ReadonlyMap<RecordFile, Ruling>,
  options: RewriteOptions,
): ProjectPage {
  throw new Error(`not built: ${record.name} ${rulings.size} ${options.showHidden}`)
}
