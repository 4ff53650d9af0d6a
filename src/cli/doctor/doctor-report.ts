/** The findings for a person: grouped by place, the worst first, each with its reason and what mends it. */

import { toPrintable } from '../../base/bytes.ts'
import {
  countFindings,
  groupFindings,
  isClean,
  type Counts,
  type Finding,
  type Severity,
} from '../../doctor/finding.ts'
import { paint, say } from '../terminal.ts'

const maxTextLength = 1000
/** Of one place; the rest is counted. */
const maxListed = 25

const styles: Readonly<Record<Severity, 'red' | 'yellow' | 'dim'>> = {
  problem: 'red',
  warning: 'yellow',
  note: 'dim',
}

export function sayFindings(findings: readonly Finding[], indexUrl: string): void {
  for (const { place, findings: all } of groupFindings(findings)) {
    say(paint('bold', toPrintable(place, 500)))
    for (const alike of groupAlike(all.slice(0, maxListed))) say(describeAlike(alike))
    const more = countFindings(all.slice(maxListed))
    if (all.length > maxListed) say(`  and ${describeCounts(more)} more (--json lists all)`)
    say('')
  }
  say(describeSummary(countFindings(findings), indexUrl))
}

/** What has one reason and one mend is told with them once. */
function groupAlike(findings: readonly Finding[]): Finding[][] {
  const groups = Map.groupBy(findings, ({ severity, why, mend }) =>
    JSON.stringify([severity, why, mend]),
  )
  return [...groups.values()]
}

function describeAlike(findings: readonly Finding[]): string {
  const [{ why, mend } = { why: '' }] = findings
  const rest = [why, ...(mend === undefined ? [] : [`mend: ${mend}`])]
  return [
    ...findings.map(describeHead),
    ...rest.map((text) => `           ${toPrintable(text, maxTextLength)}`),
  ].join('\n')
}

function describeHead({ severity, line, what }: Finding): string {
  const where = line === undefined ? '' : `line ${line}: `
  return `  ${paint(styles[severity], severity.padEnd(7))}  ${where}${toPrintable(what, maxTextLength)}`
}

function describeSummary(counts: Counts, indexUrl: string): string {
  const found = describeCounts(counts)
  if (!isClean(counts)) return found
  const notes = counts.note === 0 ? '' : ` (${found})`
  return `${paint('green', 'clean:')} nothing goes past the proxy at ${toPrintable(hideToken(indexUrl))}${notes}`
}

/** Whoever knows it may use the proxy of another's command: it need not stand in the log of a build. */
function hideToken(indexUrl: string): string {
  const { origin, pathname } = new URL(indexUrl)
  return `${origin}${pathname.replace(/^\/[^/]+\/simple\/$/, '/.../simple/')}`
}

function describeCounts({ problem, warning, note }: Counts): string {
  const parts = [
    describeCount(problem, 'problem'),
    describeCount(warning, 'warning'),
    describeCount(note, 'note'),
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function describeCount(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`
}
