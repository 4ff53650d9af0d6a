/** An explanation for a terminal: short blocks, wrapped, nothing in it that could move a cursor. */

import { toPrintable } from '../base/bytes.ts'
import type { Explanation, NextStep } from './explanation.ts'

const width = 88

export function renderExplanation(explanation: Explanation): string {
  const blocks = [
    [toPrintable(explanation.title, 300), ...renderFacts(explanation)],
    renderHappened(explanation),
    ['Rule', ...renderRule(explanation)],
    ...(explanation.restsOn === undefined ? [] : [['Rests on', ...indent(explanation.restsOn)]]),
    [
      explanation.outcome === 'delivered'
        ? 'What it means'
        : 'What it can mean, the likeliest first',
      ...renderMeaning(explanation),
    ],
    renderSteps('If you ran the installer', explanation.next, 'user'),
    renderSteps('If you run the proxy', explanation.next, 'operator'),
    explanation.placeholders.flatMap((line) => indent(line)),
    renderAlso(explanation),
  ]
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')
}

function renderFacts({ id, asked, who, when, code, count, line }: Explanation): string[] {
  return [
    ...fact('id', id),
    ...fact('code', code),
    ...fact('asked', asked),
    ...fact('by', who),
    ...fact('at', when),
    ...fact('times', count === undefined ? undefined : String(count)),
    ...fact('log', line === undefined ? undefined : `line ${line.seq} of ${line.chain}`),
  ]
}

function renderHappened({ happened, compared, advice }: Explanation): string[] {
  const lines = [
    ...(happened === undefined ? [] : indent(happened)),
    ...compared.flatMap(([name, value]) => fact(name, value)),
    ...fact('advice', advice),
  ]
  return lines.length === 0 ? [] : ['What happened', ...lines]
}

function renderRule({ rule, clause }: Explanation): string[] {
  return indent(clause === undefined ? rule : `${rule} (${clause})`)
}

function renderMeaning({ meaning, outcome }: Explanation): string[] {
  const isChoice = outcome !== 'delivered' && meaning.length > 1
  return meaning.flatMap((text, at) => hang(isChoice ? `${at + 1}. ` : '- ', text))
}

function renderSteps(title: string, next: readonly NextStep[], who: NextStep['who']): string[] {
  const steps = next.filter((step) => step.who === who)
  if (steps.length === 0) return []
  return [title, ...steps.flatMap(renderStep)]
}

/** A command is never broken: it is there to be copied. */
function renderStep({ text, command }: NextStep): string[] {
  const lines = hang('- ', text)
  return command === undefined ? lines : [...lines, `      ${toPrintable(command, 2000)}`]
}

function renderAlso({ also }: Explanation): string[] {
  return also.length === 0 ? [] : ['Also in the log', ...also.flatMap((text) => hang('- ', text))]
}

function fact(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : hang(name.padEnd(9), value)
}

function indent(text: string): string[] {
  return hang('', text)
}

/** Wrapped, behind a mark that stands in the first line alone. */
function hang(mark: string, text: string): string[] {
  const space = ' '.repeat(mark.length)
  return wrap(toPrintable(text, 2000), width - 2 - mark.length).map(
    (line, at) => `  ${at === 0 ? mark : space}${line}`,
  )
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
