/** What every command gives a mirror: the time, ears, and the check of what it is about to publish. */

import type { MirrorContext } from '../mirror/open-mirror.ts'
import type { Report } from '../mirror/report.ts'
import { checkPublication } from '../watch/publication-check.ts'

export function createMirrorContext(report: Report): Required<MirrorContext> {
  return { clock: Date.now, report, check: checkPublication }
}
