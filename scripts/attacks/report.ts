/** The table of what was seen: a line on a terminal as it comes, Markdown, and JSON. */

import { toPrintable } from '../../src/base/bytes.ts'
import type { Observed } from './attack.ts'
import type { Result } from './run-attacks.ts'

export interface Report {
  /** ISO 8601. */
  readonly time: string
  readonly machine: string
  /** Of programs, by name. */
  readonly versions: Readonly<Record<string, string>>
  readonly seconds: number
  readonly results: readonly Result[]
}

/** What the line says in a word. */
export type Verdict = 'stopped' | 'pip resists too' | 'holds' | 'known limit' | 'WRONG'

/** `holds`: there was nothing to compare with. `known limit`: it succeeds, as the documents say. */
export function decideVerdict({ alone, behind, limit, complaints }: Result): Verdict {
  if (complaints.length > 0) return 'WRONG'
  if (limit !== undefined && behind.harm !== undefined) return 'known limit'
  if (typeof alone === 'string') return 'holds'
  return alone.harm === undefined ? 'pip resists too' : 'stopped'
}

export function renderLine(result: Result): string {
  const { row, name, pip, alone, behind, limit, complaints } = result
  const who = pip === undefined ? '' : ` [pip ${pip}]`
  const lines = [
    `${row.padEnd(4)} ${name}${who}: ${decideVerdict(result)}`,
    ...(typeof alone === 'string' ? [] : [`       alone:  ${tell(alone)}`]),
    `       behind: ${tell(behind)}`,
    ...(limit === undefined ? [] : [`       limit:  ${limit}`]),
    ...complaints.map((complaint) => `       WRONG:  ${complaint}`),
  ]
  return `${lines.join('\n')}\n`
}

/** `nothing installed (exit 1, DIGEST_MISMATCH; 1 unverified byte left): ERROR: ...` */
function tell({ harm, happened, exitCode, codes, notes, line }: Observed): string {
  const facts = [...(exitCode === null ? [] : [`exit ${exitCode}`]), ...codes, ...notes].join(', ')
  const said = line === '' ? '' : `: ${line}`
  return `${harm ?? happened}${facts === '' ? '' : ` (${facts})`}${said}`
}

export function renderMarkdown({ time, machine, versions, seconds, results }: Report): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    '# Attacks: without tufgate, and behind it',
    '',
    `What \`npm run attacks\` saw on ${time.slice(0, 10)}, on ${machine}, with ${programs.join(', ')}; ${Math.round(seconds)} s.`,
    '',
    '| row | attack | pip | alone | behind tufgate | |',
    '|---|---|---|---|---|---|',
    ...results.map((result) => {
      const { row, name, pip = '', alone, behind, limit } = result
      const cells = [row, name, pip, typeof alone === 'string' ? alone : tell(alone), tell(behind)]
      const verdict = [decideVerdict(result), ...(limit === undefined ? [] : [limit])].join(': ')
      return `| ${[...cells, verdict].map(escapeCell).join(' | ')} |`
    }),
    '',
  ].join('\n')
}

/** What pip says is made of what a server said: no mark-up of it may come through. */
function escapeCell(text: string): string {
  return toPrintable(text, 1000)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/([\\`*_|[\]])/g, '\\$1')
}

export function renderJson(report: Report): string {
  const results = report.results.map((result) => ({ ...result, verdict: decideVerdict(result) }))
  return `${JSON.stringify({ ...report, results }, undefined, 2)}\n`
}
