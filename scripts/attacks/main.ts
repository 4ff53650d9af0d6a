/**
 * `npm run attacks`: what can be done to an unmodified pip, without tufgate and behind it, on this
 * machine. It writes down what it saw; its exit code is 0 only if behind tufgate all is as it must be.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, tmpdir, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toPrintable } from '../../src/base/bytes.ts'
import { allAttacks } from './all-attacks.ts'
import type { Attack } from './attack.ts'
import { downloadNewestPip, preparePip, type Pip } from './pip.ts'
import { decideVerdict, renderJson, renderLine, renderMarkdown, type Report } from './report.ts'
import { runAttacks, type Result } from './run-attacks.ts'

const help = `npm run attacks -- [options]

  --core           only the quick part, in less than a minute, with the pip of this machine
  --row ROW        only this row (A1b, A3, W1 ...); may stand several times
  --pip WHEEL      also with this pip; default: the newest one that your pip settings lead to
  --markdown FILE  where the table is written (default: attacks.md in a new folder)
  --json FILE      the same for programs (default: attacks.json beside it)
  --list           the rows and their variants
  --help

Everything is made on this machine: a hostile index, a mirror, the proxy. Nothing is asked of the
internet, but the newest pip of your own index. Exit code: 0 if behind tufgate all is as it must be.

Example: npm run attacks -- --row A1b --row A2
`

interface Options {
  readonly attacks: readonly Attack[]
  readonly isCore: boolean
  readonly wheels: readonly string[] | undefined
  readonly markdown: string | undefined
  readonly json: string | undefined
}

const flags = readFlags()
if (flags.help === true) print(help)
else if (flags.list === true)
  for (const { row, name } of allAttacks) print(`${row.padEnd(4)} ${name}\n`)
else process.exitCode = await main(readOptions())

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
      core: { type: 'boolean' },
      row: { type: 'string', multiple: true },
      pip: { type: 'string', multiple: true },
      markdown: { type: 'string' },
      json: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values
}

function readOptions(): Options {
  const isCore = flags.core === true
  const attacks = allAttacks.filter(
    (attack) => (!isCore || attack.isCore === true) && (flags.row?.includes(attack.row) ?? true),
  )
  if (attacks.length === 0) stop('No attack is called so; --list names all.')
  const { pip: wheels = isCore ? [] : undefined, markdown, json } = flags
  return { attacks, isCore, wheels, markdown, json }
}

async function main(options: Options): Promise<number> {
  const startedAt = Date.now()
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-attacks-'))
  try {
    const pips = await preparePips(folder, options.wheels)
    const results = await runAttacks({
      attacks: options.attacks,
      pips,
      folder: join(folder, 'victims'),
      onResult: (result) => print(renderLine(result)),
    })
    const seconds = (Date.now() - startedAt) / 1000
    await writeReport(options, { ...describeMachine(pips), seconds, results })
    return conclude(results, seconds)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
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
  print(`Attacking pip ${pips.map(({ version }) => version).join(' and ')}.\n\n`)
  return pips.filter(({ version }, at) => pips.findIndex((one) => one.version === version) === at)
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

async function writeReport({ markdown, json }: Options, report: Report): Promise<void> {
  const folder =
    markdown === undefined || json === undefined
      ? await mkdtemp(join(tmpdir(), 'tufgate-attack-table-'))
      : ''
  const paths = {
    markdown: markdown ?? join(folder, 'attacks.md'),
    json: json ?? join(folder, 'attacks.json'),
  }
  await writeFile(paths.markdown, renderMarkdown(report))
  await writeFile(paths.json, renderJson(report))
  print(`\nWritten: ${paths.markdown}\n         ${paths.json}\n`)
}

function conclude(results: readonly Result[], seconds: number): number {
  const verdicts = results.map(decideVerdict)
  const count = (wanted: string): number => verdicts.filter((one) => one === wanted).length
  print(
    `\n${results.length} lines in ${Math.round(seconds)} s: ${count('stopped')} harm pip alone and are stopped, ` +
      `${count('pip resists too')} pip resists too, ${count('holds')} have nothing to compare with, ${count('known limit')} are known limits, ${count('WRONG')} wrong.\n`,
  )
  return count('WRONG') === 0 ? 0 : 1
}

function stop(message: string): never {
  process.stderr.write(`${message}\n\n${help}`)
  process.exit(2)
}

/** What servers said stands in it: nothing in it may move a cursor. */
function print(text: string): void {
  process.stdout.write(
    text
      .split('\n')
      .map((line) => toPrintable(line, 400))
      .join('\n'),
  )
}
