/**
 * A summary as Markdown of GitHub, for the summary of a job. What is untrusted stands in `<code>`, where
 * nobody is mentioned, with each character that Markdown or HTML could mean something by as an entity.
 */

import { toPrintable } from '../base/bytes.ts'
import {
  describeOutcome,
  describeRest,
  describeTrust,
  listSections,
  type Section,
  type SessionVerdict,
} from './sections.ts'
import type { SessionSummary } from './session-summary.ts'

const maxShown = 100
const maxTextLength = 400
/** GitHub takes 1 MiB from a step, and nothing of what is longer. */
const maxCharacters = 400_000

/** Ends in a line feed. */
export function renderSummaryMarkdown(summary: SessionSummary, verdict: SessionVerdict): string {
  const isGood = verdict.problems.length === 0 && summary.refused.items.length === 0
  const lines = [
    `## ${isGood ? '' : ':x: '}tufgate: ${describeOutcome(summary)}`,
    '',
    ...verdict.problems.flatMap((problem) => [
      '> [!CAUTION]',
      ...problem.split('\n').map((line) => `> ${renderCode(line.trim())}<br>`),
      '',
    ]),
  ]
  const budget = { left: maxCharacters }
  for (const section of listSections(summary)) lines.push(...renderSection(section, budget))
  for (const line of describeTrust(summary))
    lines.push(`Answers rested on: ${renderCode(line)}`, '')
  if (verdict.head !== undefined)
    lines.push(`Head of the audit log: ${renderCode(verdict.head)}`, '')
  return `${lines.join('\n').trimEnd()}\n`
}

function renderSection({ kind, title, items, more }: Section, budget: { left: number }): string[] {
  const rows: string[] = []
  for (const { subject, text, facts } of items.slice(0, maxShown)) {
    const details = facts.map(({ name, value }) => `${name} ${renderCode(value)}`).join('<br>')
    const row = `| ${renderCode(subject)} | ${renderCode(text)} | ${details} |`
    if (row.length > budget.left) break
    budget.left -= row.length
    rows.push(row)
  }
  const rest = items.length - rows.length
  const table = [
    '|   |   |   |',
    '|---|---|---|',
    ...rows,
    '',
    ...describeRest(rest, more).flatMap((line) => [line, '']),
  ]
  if (kind !== 'released') return [`### ${title}`, '', ...table]
  return [`<details><summary>${title}</summary>`, '', ...table, '</details>', '']
}

export function renderCode(raw: string): string {
  const text = toPrintable(raw, maxTextLength)
  return text === '' ? '' : `<code>${escapeMarkdown(text)}</code>`
}

/** An entity is text: it opens no link, no table cell and no tag. `www.` alone would open a link. */
function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9 .,=-]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/(www)\./gi, '$1&#46;')
}
