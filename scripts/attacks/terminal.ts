/** What a person at a terminal sees of the laboratory: how far it is, what is wrong, the table at the end. */

import { styleText } from 'node:util'
import { toPrintable } from '../../src/base/bytes.ts'
import { decideVerdict, dropAccidents, meanings, tell, type Verdict } from './report.ts'
import type { Result } from './run-attacks.ts'

/** Of each column; `verdict` stands last, as it comes. */
const widths = [4, 48, 8, 34, 34]

const colours = {
  stopped: 'green',
  holds: 'green',
  'pip resists too': 'dim',
  'known limit': 'yellow',
  WRONG: 'red',
} as const satisfies Record<Verdict, unknown>

/** One line each, in the order of the rows. */
export function renderTable(results: readonly Result[]): string {
  const head = formatLine(['row', 'attack', 'pip', 'alone', 'behind'], 'verdict')
  const lines = results.map((result) => {
    const { row, name, pip = '', alone, behind } = result
    const before = typeof alone === 'string' ? '' : (alone.harm ?? alone.happened)
    const cells = [row, name, pip, before, behind.harm ?? behind.happened]
    const verdict = decideVerdict(result)
    // NO_COLOR and what is no terminal are respected there.
    return formatLine(cells, styleText(colours[verdict], verdict))
  })
  return `${[head, ...lines].join('\n')}\n`
}

/** For whoever sees the table for the first time. */
export function renderLegend(): string {
  const verdicts = Object.entries(meanings).map(
    ([verdict, meaning]) => `${verdict.padEnd(15)}  ${meaning}`,
  )
  return [
    'alone            without tufgate; behind: through `tufgate serve`, whose mirror had seen the packages before',
    'EVIL, OLD        code of the attacker; not the newest honest release',
    ...verdicts,
    '',
  ].join('\n')
}

function formatLine(cells: readonly string[], verdict: string): string {
  const fitted = cells.map((cell, at) => {
    const width = widths[at] ?? 0
    return toPrintable(dropAccidents(cell), width).padEnd(width)
  })
  return [...fitted, verdict].join('  ')
}

/** All that was seen of one attack. */
export function renderDetail(result: Result): string {
  const { row, name, pip, alone, behind, limit, complaints } = result
  const who = pip === undefined ? '' : ` [pip ${pip}]`
  const lines = [
    `${row.padEnd(4)} ${name}${who}: ${decideVerdict(result)}`,
    `       alone:  ${tell(alone)}`,
    `       behind: ${tell(behind)}`,
    ...(limit === undefined ? [] : [`       limit:  ${limit}`]),
    ...complaints.map((complaint) => `       WRONG:  ${complaint}`),
  ]
  return lines.map((line) => `${toPrintable(line, 400)}\n`).join('')
}

export function renderSummary(results: readonly Result[], seconds: number): string {
  const verdicts = results.map(decideVerdict)
  const count = (wanted: Verdict): number => verdicts.filter((one) => one === wanted).length
  const parts = [
    `${count('stopped')} harm pip alone and are stopped`,
    `${count('pip resists too')} pip resists too`,
    `${count('holds')} have nothing to compare with`,
    `${count('known limit')} are known limits`,
    `${count('WRONG')} wrong`,
  ]
  return `${results.length} lines in ${Math.round(seconds)} s: ${parts.join(', ')}.\n`
}

/** On a terminal alone: one line that is written over. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #total: number
  #done = 0

  constructor(total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#total = total
    this.#stream = stream
  }

  note({ row, name }: Pick<Result, 'row' | 'name'>): void {
    this.#done += 1
    this.#show(`${this.#done} of ${this.#total}: ${row} ${name}`)
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K')
  }

  #show(text: string): void {
    if (!this.#stream.isTTY) return
    this.clear()
    this.#stream.write(toPrintable(text, Math.max(20, this.#stream.columns - 1)))
  }
}
