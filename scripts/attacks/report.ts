/** What was seen, as Markdown for people who never saw the laboratory, and as JSON for programs. */

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

export const meanings: Readonly<Record<Verdict, string>> = {
  stopped:
    'it harms pip alone, and nobody behind tufgate: the genuine release is installed, or nothing',
  'pip resists too': 'it harms nobody; what tufgate adds is the reason, or nothing',
  holds: 'there is nothing to compare with: the attack is one on tufgate itself',
  'known limit': 'it succeeds, as far as the documents say that it does',
  WRONG: 'behind tufgate something is not as it must be',
}

/** By the first letter of their rows, in the order in which they were run. */
const families: Readonly<Record<string, string>> = {
  A: 'On what is installed',
  K: 'With stolen keys',
  W: 'On the wire',
  F: 'Failures that are not attacks',
}

export function decideVerdict({ alone, behind, limit, complaints }: Result): Verdict {
  if (complaints.length > 0) return 'WRONG'
  if (limit !== undefined && behind.harm !== undefined) return 'known limit'
  if (typeof alone === 'string') return 'holds'
  return alone.harm === undefined ? 'pip resists too' : 'stopped'
}

/** `nothing installed (exit 1, DIGEST_MISMATCH): ERROR: ...` */
export function tell(observed: Observed | string): string {
  if (typeof observed === 'string') return observed
  const { harm, happened, exitCode, codes, notes, line } = observed
  const facts = [...(exitCode === null ? [] : [`exit ${exitCode}`]), ...codes, ...notes].join(', ')
  const said = line === '' ? '' : `: ${line}`
  return dropAccidents(`${harm ?? happened}${facts === '' ? '' : ` (${facts})`}${said}`)
}

/** What differs from run to run, and the URL that pip adds to what a server said. */
export function dropAccidents(text: string): string {
  return text
    .replaceAll(/ for url: \S+/g, '')
    .replaceAll(/ \(r-[a-z0-9]{8}\)/g, '')
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d{2,5}\b/g, '$1:PORT')
    .replaceAll(/(\[::1\]):\d{2,5}\b/g, '$1:PORT')
    .replaceAll(/\/[^\s'"]*tufgate-(?:attacks|trial)-\w+(?=[/\s'"]|$)/g, 'FOLDER')
}

export function renderMarkdown({ time, machine, versions, seconds, results }: Report): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    '# Attacks: without tufgate, and behind it',
    '',
    'Each line is an attack that was really made, on one machine, against unmodified programs:',
    '',
    '- **alone**: pip asks the hostile index itself, as it does where nothing else was set up;',
    '- **behind tufgate**: the same pip asks `tufgate serve`, whose mirror signed the packages while',
    '  they were still honest. Then the same happens.',
    '',
    'Told is what was seen, not what was expected: what stood in the environment afterwards, the exit',
    'code of pip, the codes in the audit log of tufgate and what else was measured; after the colon',
    'the line that pip shows. `EVIL`: code of the attacker; `OLD`: not the newest honest release.',
    "Without a version of pip the line is of this machine's pip, or of a raw client (W) that speaks to the",
    'proxy itself. A sentence under "alone" says why there is nothing to compare with.',
    '',
    `Seen on ${time.slice(0, 10)} by \`npm run attacks\`, in ${Math.round(seconds)} s, on ${machine}, with ${programs.join(', ')}.`,
    '',
    ...renderVerdicts(results),
    ...groupByFamily(results).flatMap(([title, some]) => renderFamily(title, some)),
  ].join('\n')
}

function renderVerdicts(results: readonly Result[]): string[] {
  const verdicts = results.map(decideVerdict)
  const lines = Object.entries(meanings).map(([verdict, meaning]) => {
    const count = verdicts.filter((one) => one === verdict).length
    return `| ${verdict} | ${count} | ${meaning} |`
  })
  return ['| verdict | lines | that is |', '|---|---|---|', ...lines, '']
}

function groupByFamily(results: readonly Result[]): [string, Result[]][] {
  const groups = new Map<string, Result[]>()
  for (const result of results) {
    const title = families[result.row.charAt(0)] ?? 'Afterwards'
    const group = groups.get(title)
    if (group === undefined) groups.set(title, [result])
    else group.push(result)
  }
  return [...groups]
}

function renderFamily(title: string, results: readonly Result[]): string[] {
  const lines = results.map((result) => {
    const { row, name, pip = '', alone, behind, limit, complaints } = result
    const verdict = [
      decideVerdict(result),
      ...(limit === undefined ? [] : [limit]),
      ...complaints.map(dropAccidents),
    ].join(': ')
    return `| ${[row, name, pip, tell(alone), tell(behind), verdict].map(escapeCell).join(' | ')} |`
  })
  return [
    `## ${title}`,
    '',
    '| row | attack | pip | alone | behind tufgate | verdict |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
  ]
}

/** What pip says is made of what a server said: no mark-up of it may come through. */
function escapeCell(text: string): string {
  return toPrintable(text, 1000)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/([\\`*_|~[\]])/g, '\\$1')
    .replaceAll('://', '&#58;//')
}

/** As it was seen, ports and folders included. */
export function renderJson(report: Report): string {
  const results = report.results.map((result) => ({ ...result, verdict: decideVerdict(result) }))
  return `${JSON.stringify({ ...report, results }, undefined, 2)}\n`
}
