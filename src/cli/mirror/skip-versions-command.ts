/** `tufgate mirror skip-versions`: after a whole mirror was put back from a backup. */

import { skipVersions } from '../../mirror/skip-versions.ts'
import { requireCount } from '../count-flag.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { say, sayJson } from '../terminal.ts'

export interface SkipVersionsFlags {
  readonly by: string
  readonly json?: boolean
}

export async function runSkipVersions(
  directory: string,
  flags: SkipVersionsFlags,
): Promise<number> {
  const { report } = createReport(flags)
  const count = requireCount('--by', flags.by)
  const { published } = await skipVersions({ ...createMirrorContext(report), directory, count })
  if (flags.json === true) sayJson({ published })
  else
    say(
      `Signed again above the gap and published: timestamp ${published?.timestamp ?? '?'}, snapshot ${published?.snapshot ?? '?'}.`,
    )
  return 0
}
