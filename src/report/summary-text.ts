/** A summary for a terminal or a log of a pipeline: lines of printable ASCII, whatever a file is called. */

import { toPrintable } from '../base/bytes.ts'
import { toInertLine } from './inert-line.ts'
import {
  describeOutcome,
  describeRest,
  describeTrust,
  listSections,
  type Section,
} from './sections.ts'
import type { SessionSummary } from './session-summary.ts'

export interface SummaryTextOptions {
  /** Before a request id, to be typed: `tufgate explain`. Quoted where it needs it. */
  readonly explainCommand?: string
}

/** Of each section. */
const maxShown = 50
const maxReleasedShown = 10
const maxLength = 400

/** Without a line feed at the end. */
export function renderSummaryText(
  summary: SessionSummary,
  { explainCommand }: SummaryTextOptions = {},
): string {
  const firstId = summary.refused.items.find(({ id }) => id !== undefined)?.id
  return [
    `tufgate: ${describeOutcome(summary)}`,
    ...listSections(summary).flatMap(renderSection),
    ...describeTrust(summary).map((line) => `  answers rested on: ${line}`),
    ...(explainCommand !== undefined && firstId !== undefined
      ? [`  why: ${explainCommand} ${toPrintable(firstId, 64)}`]
      : []),
  ]
    .map((line) => toInertLine(line))
    .join('\n')
}

function renderSection({ kind, title, items, more }: Section): string[] {
  const shown = items.slice(0, kind === 'released' ? maxReleasedShown : maxShown)
  const rest = items.length - shown.length
  return [
    `  ${title}:`,
    ...shown.flatMap(({ subject, text, facts }) => [
      `    ${join(toPrintable(subject, maxLength), toPrintable(text, maxLength))}`,
      ...facts.map(({ name, value }) => `      ${name.padEnd(8)} ${toPrintable(value, maxLength)}`),
    ]),
    ...describeRest(rest, more).map((line) => `    ${line}`),
  ]
}

function join(subject: string, text: string): string {
  return subject === '' ? text : `${subject}: ${text}`
}
