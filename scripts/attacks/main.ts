/**
 * `npm run attacks`: what can be done to an unmodified pip, without tufgate and behind it, on this
 * machine. It writes down what it saw; its exit code is 0 only if behind tufgate all is as it must be.
 */

import { mkdtemp, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, tmpdir, type } from 'node:os'
import { join } from 'node:path'
import { setup as buildProgram } from '../../test/support/built-program.ts'
import { allAttacks } from './all-attacks.ts'
import { readOptions, type Options } from './options.ts'
import { endRun, openOwnFolder } from './own-folder.ts'
import { downloadNewestPip, preparePip, type Pip } from './pip.ts'
import { decideVerdict, renderJson, renderMarkdown, type Report } from './report.ts'
import { countRuns, runAttacks, type Result } from './run-attacks.ts'
import { Progress, renderDetail, renderLegend, renderSummary, renderTable } from './terminal.ts'

const asked = readOptions(process.argv.slice(2), allAttacks)
if ('text' in asked) {
  const stream = asked.exitCode === 0 ? process.stdout : process.stderr
  stream.write(asked.text)
  process.exitCode = asked.exitCode
} else {
  await main(asked)
}

async function main(options: Options): Promise<void> {
  // Outside of the folder that is removed.
  const outside = tmpdir()
  const folder = openOwnFolder()
  try {
    endRun(folder, await attack(options, folder, outside))
  } catch (error) {
    process.stderr.write(`The attacks could not be made: ${describe(error)}\n`)
    endRun(folder, 1)
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function attack(options: Options, folder: string, outside: string): Promise<number> {
  const startedAt = Date.now()
  await buildProgram()
  const pips = await preparePips(folder, options.wheels)
  const results = await runWithProgress(options, pips, join(folder, 'victims'))
  const seconds = (Date.now() - startedAt) / 1000
  print(`\n${renderTable(results)}\n${renderLegend()}`)
  await writeReport(options, outside, { ...describeMachine(pips), seconds, results })
  print(`\n${renderSummary(results, seconds)}`)
  return results.some((result) => decideVerdict(result) === 'WRONG') ? 1 : 0
}

async function runWithProgress(
  { attacks, isVerbose }: Options,
  pips: readonly Pip[],
  folder: string,
): Promise<readonly Result[]> {
  const progress = new Progress(countRuns(attacks, pips))
  const tellIf = (result: Result, isTold: boolean): void => {
    progress.clear()
    if (isTold) print(renderDetail(result))
  }
  const results = await runAttacks({
    attacks,
    pips,
    folder,
    onResult: (result) => {
      tellIf(result, isVerbose || decideVerdict(result) === 'WRONG')
      progress.note(result)
    },
  })
  progress.clear()
  return results
}

async function preparePips(folder: string, wheels: readonly string[] | undefined): Promise<Pip[]> {
  const own = await preparePip(join(folder, 'pip'))
  const newest = wheels === undefined ? await downloadNewestPip(join(folder, 'newest')) : undefined
  if (wheels === undefined && newest === undefined)
    print('No newer pip could be downloaded: only the one of this machine is attacked.\n')
  const others = wheels ?? (newest === undefined ? [] : [newest])
  const pips = [own]
  for (const [at, wheel] of others.entries())
    pips.push(await preparePip(join(folder, `pip-${at}`), wheel))
  const different = pips.filter(
    ({ version }, at) => pips.findIndex((one) => one.version === version) === at,
  )
  print(`Attacking pip ${different.map(({ version }) => version).join(' and ')}.\n`)
  return different
}

function describeMachine(pips: readonly Pip[]): Pick<Report, 'time' | 'machine' | 'versions'> {
  const model = cpus()[0]?.model ?? 'an unknown processor'
  return {
    time: new Date().toISOString(),
    machine: `${availableParallelism()} cores (${model}), ${type()} ${release()}`,
    versions: {
      'Node.js': process.versions.node,
      pip: pips.map(({ version }) => version).join(' and '),
    },
  }
}

async function writeReport(options: Options, outside: string, report: Report): Promise<void> {
  const { markdown, json } = options
  const folder =
    markdown === undefined || json === undefined
      ? await mkdtemp(join(outside, 'tufgate-attack-table-'))
      : ''
  const paths = {
    markdown: markdown ?? join(folder, 'attacks.md'),
    json: json ?? join(folder, 'attacks.json'),
  }
  await writeFile(paths.markdown, renderMarkdown(report))
  await writeFile(paths.json, renderJson(report))
  print(`\nWritten: ${paths.markdown}\n         ${paths.json}\n`)
}

function print(text: string): void {
  process.stdout.write(text)
}
