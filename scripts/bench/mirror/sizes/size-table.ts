/** A table of sizes as a value, and as Markdown. */

import { formatNumber } from '../../statistics.ts'

export interface SizeRow {
  readonly label: string
  /** Bytes or per cent; text as it is. */
  readonly cells: readonly (number | string | undefined)[]
}

export interface SizeTable {
  readonly name: string
  readonly title: string
  /** Those that begin with `%` hold per cent, the others bytes. */
  readonly columns: readonly string[]
  readonly rows: readonly SizeRow[]
  readonly notes: readonly string[]
}

/** What was wanted, and what was found. */
export interface SizeTarget {
  readonly what: string
  readonly found: number
  readonly wanted: number
  readonly unit: string
}

export function renderMarkdown({ title, columns, rows, notes }: SizeTable): string {
  const lines = rows.map(({ label, cells }) => [
    label,
    ...cells.map((cell, at) => renderCell(cell, columns[at] ?? '')),
  ])
  return [
    `### ${title}`,
    '',
    renderLine(['', ...columns]),
    renderLine(['---', ...columns.map(() => '---:')]),
    ...lines.map(renderLine),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n')
}

export function renderTarget({ what, found, wanted, unit }: SizeTarget): string {
  const verdict = found <= wanted ? 'met' : '**missed**'
  return `- ${verdict}: ${what}: ${renderNumber(found)} ${unit}, wanted at most ${renderNumber(wanted)}`
}

function renderLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function renderCell(cell: number | string | undefined, column: string): string {
  if (cell === undefined) return ''
  if (typeof cell === 'string') return cell
  return column.startsWith('%') ? `${formatNumber(cell)} %` : renderNumber(cell)
}

function renderNumber(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : formatNumber(value)
}
