/**
 * `npm run fuzz`: nearly good input for every parser of what somebody else wrote. Nothing but refusals
 * with a code may come of it, soon, in little memory, and what two parsers read must be the same.
 */

import { parseArgs } from 'node:util'
import { allTargets } from './all-targets.ts'
import type { Finding, TargetResult } from './finding.ts'
import { knownDifferences } from './known-differences.ts'
import type { Budget } from './run-target.ts'
import { supervise } from './supervise.ts'

const help = `npm run fuzz -- [options]

  --seconds N     for how long in all (default: 60)
  --target NAME   only this one, or all that begin so; may stand several times
  --seed S        the same inputs again; otherwise another one each time
  --number N      only the input of this number: what a finding names
  --inputs N      at most so many inputs for each target
  --list          the targets, and what must hold for each; where tuf-js decides otherwise, and why
  --json          results as JSON
  --help

A finding says how to see it again. The exit code is 0 only if there is none.

Example: npm run fuzz -- --seconds 300 --target tuf --seed 7
`

interface Options {
  readonly names: readonly string[]
  readonly budget: Budget
  readonly isJson: boolean
}

const isAsked = readFlags()
if (isAsked.help === true) print(help)
else if (isAsked.list === true) printList()
else process.exitCode = await fuzz(readOptions())

function printList(): void {
  for (const { name, rule } of allTargets) print(`${name.padEnd(24)} ${rule}\n`)
  print('\nWhere tuf-js decides otherwise; counted by these names in the results of tuf-js:\n')
  for (const { name, why } of knownDifferences) print(`${name.padEnd(26)} ${why}\n`)
}

function readFlags(): ReturnType<typeof parseFlags> {
  try {
    return parseFlags()
  } catch (error) {
    return stop(error instanceof Error ? error.message : String(error))
  }
}

function parseFlags() {
  return parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      target: { type: 'string', multiple: true },
      seed: { type: 'string' },
      number: { type: 'string' },
      inputs: { type: 'string' },
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values
}

function readOptions(): Options {
  const { seconds, target, seed, number, inputs, json } = isAsked
  const names = allTargets
    .map(({ name }) => name)
    .filter((name) => target?.some((wanted) => name.startsWith(wanted)) ?? true)
  if (names.length === 0) stop(`There is no target ${target?.join(', ') ?? ''}; --list names all.`)
  return {
    names,
    budget: {
      seed: seed === undefined ? Math.floor(Math.random() * 2 ** 32) : readNumber('seed', seed),
      seconds: readNumber('seconds', seconds) / names.length,
      maxInputs: inputs === undefined ? Infinity : readNumber('inputs', inputs),
      only: number === undefined ? undefined : readNumber('number', number),
    },
    isJson: json === true,
  }
}

function readNumber(name: string, raw: string): number {
  if (!/^\d{1,12}(?:\.\d{1,3})?$/.test(raw)) stop(`--${name} ${raw}: expected a number.`)
  return Number(raw)
}

function stop(problem: string): never {
  process.stderr.write(`${problem}\n\n${help}`)
  process.exit(2)
}

async function fuzz({ names, budget, isJson }: Options): Promise<number> {
  const results: TargetResult[] = []
  if (!isJson) print(`seed ${budget.seed}, ${names.length} targets\n`)
  await supervise(names, budget, (result) => {
    results.push(result)
    if (!isJson) print(renderResult(result))
  })
  const findings = results.flatMap((result) => result.findings)
  if (isJson) print(`${JSON.stringify({ seed: budget.seed, results }, undefined, 2)}\n`)
  else print(findings.length === 0 ? 'no findings\n' : `${findings.length} findings\n`)
  return findings.length === 0 ? 0 : 1
}

function renderResult({ target, inputs, seconds, findings, counts }: TargetResult): string {
  const rate = `${Math.round(inputs / Math.max(seconds, 0.001))}/s`
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  const line = [target.padEnd(24), String(inputs).padStart(9), rate.padStart(9), words.join(', ')]
  return `${line.join(' ')}\n${findings.map(renderFinding).join('')}`
}

function renderFinding({ target, kind, message, seed, number, input }: Finding): string {
  return [
    `  FOUND ${kind}: ${message}`,
    `    input: ${input}`,
    `    again: npm run fuzz -- --target ${target} --seed ${seed} --number ${number}`,
    '',
  ].join('\n')
}

function print(text: string): void {
  process.stdout.write(text)
}
