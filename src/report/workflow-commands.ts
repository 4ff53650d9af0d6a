/** What was refused, as commands of GitHub Actions: they become annotations of the run. */

import { toInertLine } from './inert-line.ts'
import { describeOutcome, describeSubject, type SessionVerdict } from './sections.ts'
import type { SessionSummary } from './session-summary.ts'

/** GitHub shows ten of each level. */
const maxOfLevel = 10
const maxLength = 500

type Level = 'error' | 'warning' | 'notice'

export function renderWorkflowCommands(
  summary: SessionSummary,
  { problems }: SessionVerdict,
): string[] {
  const { refused, failed, hidden } = summary
  const errors = [
    ...problems.map((problem) => renderCommand('error', 'tufgate', problem)),
    ...refused.items.map((item) =>
      renderCommand('error', `tufgate refused ${describeSubject(item)}`, describe(item)),
    ),
  ]
  const warnings = [
    ...failed.items.map((item) =>
      renderCommand('warning', `tufgate could not get ${describeSubject(item)}`, describe(item)),
    ),
    ...hidden.items.map(({ project, reason }) =>
      renderCommand('warning', `tufgate hides files of ${project}`, reason),
    ),
  ]
  return [
    ...errors.slice(0, maxOfLevel),
    ...warnings.slice(0, maxOfLevel),
    renderCommand('notice', 'tufgate', describeOutcome(summary)),
  ]
}

function describe({ code, reason, id }: { code: string; reason: string; id?: string }): string {
  return `${reason} (${code}${id === undefined ? '' : `, ${id}`})`
}

export function renderCommand(level: Level, title: string, message: string): string {
  const lines = message.split('\n').map((line) => escapeData(toInertLine(line, maxLength)))
  return `::${level} title=${escapeProperty(toInertLine(title, maxLength))}::${lines.join('%0A')}`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
