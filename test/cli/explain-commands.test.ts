import { expect, test } from 'vitest'
import type { CodeExplanation } from '../../src/explain/code-explanation.ts'
import { explainPlaceholders } from '../../src/explain/fill-command.ts'
import { explanations, findExplanation } from '../../src/explain/find-explanation.ts'
import { runProgram } from '../support/program.ts'

function commandsOf({ next }: CodeExplanation): string[] {
  return [...next.user, ...next.operator].flatMap(({ command = '' }) => command.split('; '))
}

const all = new Set(
  Object.keys(explanations).flatMap((code) => [
    ...commandsOf(findExplanation(code)),
    ...commandsOf(findExplanation(code, 'first-use')),
  ]),
)

/** `mirror sync`: the words before the first option or word in capitals. */
function nameOf(command: string): string {
  const words = command.split(' ').slice(1)
  const end = words.findIndex((word) => !/^[a-z-]+$/.test(word) || word.startsWith('-'))
  return words.slice(0, end < 0 ? undefined : end).join(' ')
}

const ours = Map.groupBy(
  [...all].filter((one) => one.startsWith('tufgate ')),
  nameOf,
)

test.each([...ours].map(([name, commands]) => [name, commands] as const))(
  'what is advised of "tufgate %s" exists, with its options',
  async (name, commands) => {
    const { code, stdout } = await runProgram(...name.split(' ').filter(Boolean), '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: tufgate ${name}`.trimEnd())
    for (const option of commands.join(' ').match(/(?<= )-{1,2}[a-z-]+/g) ?? []) {
      if (name !== '' && option !== '--')
        expect(stdout, option).toMatch(new RegExp(`${option}[ ,\\n]`))
    }
  },
)

test('words in capitals are explained where they stand', () => {
  for (const command of all) {
    const words = command.match(/\b[A-Z]{3,}\b/g) ?? []
    for (const word of words.filter((one) => one !== 'COMMAND')) {
      expect(explainPlaceholders([command]).join('\n'), command).toContain(`${word}: `)
    }
  }
})
