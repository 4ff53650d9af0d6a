/** The summary of a session, for whatever collects it: files, and what GitHub Actions reads of a step. */

import { escapeInvisible } from '../../audit/line.ts'
import { encodeUtf8 } from '../../base/bytes.ts'
import type { Environment } from '../../base/environment.ts'
import { renderCodeQuality } from '../../report/code-quality.ts'
import { renderJunit } from '../../report/junit.ts'
import { renderSarif } from '../../report/sarif.ts'
import type { SessionVerdict } from '../../report/sections.ts'
import type { SessionSummary } from '../../report/session-summary.ts'
import { renderSummaryMarkdown } from '../../report/summary-markdown.ts'
import { renderWorkflowCommands } from '../../report/workflow-commands.ts'
import { say } from '../terminal.ts'
import { version } from '../version.ts'
import { appendBytes, writeOutput } from '../write-output.ts'

export interface ReportFlags {
  readonly summary?: string
  readonly junit?: string
  readonly sarif?: string
  readonly codeQuality?: string
  readonly json?: string
}

/** What fails is told last: the others are written. */
export async function writeReports(
  summary: SessionSummary,
  verdict: SessionVerdict,
  flags: ReportFlags,
): Promise<void> {
  const files: readonly (readonly [path: string | undefined, render: () => string])[] = [
    [flags.summary, () => renderSummaryMarkdown(summary, verdict)],
    [flags.junit, () => renderJunit(summary, verdict)],
    [flags.sarif, () => renderSarif(summary, { ...verdict, version })],
    [flags.codeQuality, () => renderCodeQuality(summary)],
    [flags.json, () => `${escapeInvisible(JSON.stringify({ ...summary, ...verdict }))}\n`],
  ]
  const failures: unknown[] = []
  for (const [path, render] of files) {
    if (path === undefined) continue
    try {
      await writeOutput(path, encodeUtf8(render()))
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** @param environment of a step of GitHub Actions; of anything else nothing comes of it */
export function tellGithub(
  summary: SessionSummary,
  verdict: SessionVerdict,
  environment: Environment,
): void {
  const { GITHUB_ACTIONS: isGithub, GITHUB_STEP_SUMMARY: path = '' } = environment
  if (isGithub === 'true') renderWorkflowCommands(summary, verdict).forEach(say)
  if (path !== '') appendBytes(path, encodeUtf8(renderSummaryMarkdown(summary, verdict)))
}
