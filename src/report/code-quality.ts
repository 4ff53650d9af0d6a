/** What was refused, as GitLab's Code Quality report: it stands beside the changes of a merge request. */

import { escapeInvisible } from '../audit/line.ts'
import { toPrintable } from '../base/bytes.ts'
import { fingerprint, renderArtifactPath } from './artifact-path.ts'
import { describeSubject } from './sections.ts'
import type { RefusedItem, SessionSummary } from './session-summary.ts'

const maxItems = 1000
const maxLength = 500

/** Ends in a line feed. */
export function renderCodeQuality({ refused, failed }: SessionSummary): string {
  const report = [
    ...refused.items.slice(0, maxItems).map((item) => renderItem(item, 'critical')),
    ...failed.items.slice(0, maxItems).map((item) => renderItem(item, 'minor')),
  ]
  return `${escapeInvisible(JSON.stringify(report))}\n`
}

function renderItem(item: RefusedItem, severity: 'critical' | 'minor'): object {
  return {
    description: toPrintable(`tufgate: ${describeSubject(item)}: ${item.reason}`, maxLength),
    check_name: `tufgate/${toPrintable(item.code, 64)}`,
    fingerprint: fingerprint(item),
    severity,
    location: { path: renderArtifactPath(item), lines: { begin: 1 } },
  }
}
