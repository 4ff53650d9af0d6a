/**
 * `npm run bench`: how fast, how large and how much processor time, side by side in one run with what
 * is possible on the same machine. All servers are processes of their own on loopback; nothing comes
 * from the internet, and the temporary folder is removed.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { filesCase } from './files-case.ts'
import { firstFetchCase } from './first-fetch-case.ts'
import { followersCase } from './followers-case.ts'
import { hasWrk } from './load.ts'
import { describeMachine } from './machine.ts'
import { memoryCase } from './memory-case.ts'
import { hasNginx } from './nginx.ts'
import { pagesCase } from './pages-case.ts'
import { pipCase } from './pip-case.ts'
import { renderCase, renderMachine } from './report.ts'
import { isMet, type BenchCase, type CaseResult } from './result.ts'
import { scalingCase } from './scaling-case.ts'
import { verifyCase } from './verify-case.ts'
import { World } from './world.ts'

const cases: readonly BenchCase[] = [
  verifyCase,
  scalingCase,
  pagesCase,
  filesCase,
  firstFetchCase,
  followersCase,
  pipCase,
  memoryCase,
]

const help = `npm run bench -- [options]

  --case NAME  only this case; may stand several times: ${cases.map(({ name }) => name).join(', ')}
  --quick      three runs of each in place of nine
  --json FILE  the figures for programs
  --help

It takes some minutes. nginx and wrk are compared with where they are installed.

Example: npm run bench -- --quick --case pages
`

interface Options {
  readonly chosen: readonly BenchCase[]
  readonly isQuick: boolean
  readonly jsonPath: string | undefined
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    print(help)
    process.exit(0)
  }
  const names = values.case ?? cases.map(({ name }) => name)
  const chosen = names.map((name) => {
    const found = cases.find((one) => one.name === name)
    if (found !== undefined) return found
    throw new Error(
      `there is no case ${name}; there are: ${cases.map((one) => one.name).join(', ')}`,
    )
  })
  return { chosen, isQuick: values.quick, jsonPath: values.json }
}

async function main(): Promise<void> {
  const { chosen, isQuick, jsonPath } = readOptions()
  const machine = describeMachine()
  const runs = isQuick ? 3 : 9
  const seconds = isQuick ? 1 : 2
  print(`${renderMachine(machine)}\nruns      ${runs} of each, median (least-most)`)
  warnOfMissing()
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-bench-'))
  const world = new World(folder, showStep)
  endOnSignal(world, folder)
  const results: (CaseResult & { name: string; title: string; load: number })[] = []
  try {
    for (const one of chosen) {
      const say = (step: string): void => showStep(`${one.name}: ${step}`)
      const result = await one.run({ world, runs, seconds, say })
      showStep('')
      print(renderCase(one, result))
      results.push({ name: one.name, title: one.title, load: loadavg()[0] ?? 0, ...result })
    }
  } finally {
    await world.close()
    await rm(folder, { recursive: true, force: true })
  }
  if (jsonPath !== undefined) {
    await writeFile(jsonPath, `${JSON.stringify({ machine, runs, seconds, results }, null, 2)}\n`)
  }
  const missed = results.flatMap(({ targets }) => targets).filter((target) => !isMet(target))
  print(missed.length === 0 ? '\nall targets met' : `\n${missed.length} targets missed`)
}

/** Nothing is left behind by Ctrl-C either. */
function endOnSignal(world: World, folder: string): void {
  const end = async (): Promise<void> => {
    await world.close()
    await rm(folder, { recursive: true, force: true })
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())
}

function warnOfMissing(): void {
  if (!hasNginx)
    print('\n!!! nginx IS NOT INSTALLED: the proxy is measured WITHOUT a comparison !!!')
  if (!hasWrk) print('\n!!! wrk IS NOT INSTALLED: load comes from our own, slower loader !!!')
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One line that is written over, on a terminal only. */
function showStep(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step.slice(0, 78)}`)
}

await main()
