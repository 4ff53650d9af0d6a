/** Results as tables for a terminal: the median of each row, and in brackets the least and the most. */

import { styleText } from 'node:util'
import type { Machine } from './machine.ts'
import { isMet, type BenchCase, type CaseResult, type Row } from './result.ts'
import { formatNumber, summarize } from './statistics.ts'

export function renderMachine(machine: Machine): string {
  const { cores, model, memoryGb, kernel, load, versions, command, date } = machine
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `machine   ${cores} cores, ${model}, ${memoryGb} GB, Linux ${kernel}, load ${load}`,
    `versions  ${named.join(', ')}`,
    `command   ${command}`,
    `date      ${date}`,
  ].join('\n')
}

export function renderCase(
  { name, title }: Pick<BenchCase, 'name' | 'title'>,
  result: CaseResult,
): string {
  const { columns, rows, targets, notes } = result
  const header = ['', ...columns.map((column) => `${column.name} (${column.unit})`)]
  const lines = rows.map((row) => [row.label, ...columns.map((column) => renderCell(row, column))])
  return [
    '',
    styleText('bold', `${name}: ${title}`),
    ...renderTable([header, ...lines]),
    ...targets.map((target) => {
      const { what, rule, wanted, found, unit } = target
      const verdict = isMet(target) ? styleText('green', 'met   ') : styleText('red', 'MISSED')
      return `  ${verdict}  ${what}: ${formatNumber(found)} ${unit}, wanted ${rule} ${wanted}`
    }),
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n')
}

function renderCell({ values }: Row, { name }: { readonly name: string }): string {
  const runs = values[name] ?? []
  if (runs.length === 0) return ''
  const { median, least, most } = summarize(runs)
  if (runs.length === 1) return formatNumber(median)
  return `${formatNumber(median)} (${formatNumber(least)}-${formatNumber(most)})`
}

function renderTable(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  )
  return lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
