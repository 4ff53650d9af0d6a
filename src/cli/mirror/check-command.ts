/** `tufgate mirror check`: the findings as sentences or JSON, and an exit code. */

import { checkMirror, type CheckReport } from '../../watch/check.ts'
import { describeFinding } from '../../watch/findings.ts'
import { toPrintable } from '../../base/bytes.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { paint, say, sayJson, warn } from '../terminal.ts'

export interface MirrorCheckFlags {
  readonly full?: boolean
  readonly json?: boolean
}

export async function runMirrorCheck(directory: string, flags: MirrorCheckFlags): Promise<number> {
  const { report, stop } = createReport(flags)
  try {
    const { clock } = createMirrorContext(report)
    const result = await checkMirror({ directory, clock, report, isFull: flags.full === true })
    stop()
    if (flags.json === true) sayJson(result)
    else sayReport(result)
    return result.exitCode
  } finally {
    stop()
  }
}

function sayReport(result: CheckReport): void {
  const { findings, more, warnings, timestamp, roles, records, isFull } = result
  for (const warning of warnings) warn(warning)
  for (const finding of findings) {
    const lines = describeFinding(finding).split('\n')
    say(`${paint('red', 'finding:')} ${lines.map((line) => toPrintable(line, 1000)).join('\n')}`)
  }
  if (more > 0) say(`${more} more findings are not listed`)
  const amount = `${roles} roles and ${records} targets read${isFull ? '' : ' (what is new, and a sample of the rest; --full reads all)'}`
  say(
    findings.length === 0
      ? `${paint('green', 'clean:')} timestamp ${timestamp}, ${amount}; a new and a returning client accept it`
      : `${findings.length + more === 1 ? '1 finding' : `${findings.length + more} findings`}; ${amount}`,
  )
}
