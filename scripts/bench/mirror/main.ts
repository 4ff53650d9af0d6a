/**
 * `npm run bench:mirror`: what a mirror of an index of any size costs, up to all of PyPI. The index is
 * made on the fly, the mirror lies in a temporary folder that is removed.
 *
 * npm run bench:mirror -- [--projects N | --full] [--records all|changed] [--changes N] [--times N]
 *   [--folder DIR] [--case NAME]... [--json FILE]
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.ts'
import { renderCase, renderMachine } from '../report.ts'
import { isMet, type CaseResult } from '../result.ts'
import { countFitting, readFreeSpace } from './disk.ts'
import { changesCase, firstSigningCase, type MirrorCase, type Plan } from './mirror-cases.ts'
import { modelsCase } from './models-case.ts'

const cases: readonly MirrorCase[] = [firstSigningCase, changesCase, modelsCase]

/** A few minutes; and all of PyPI. */
const defaultProjects = 10_000
const fullProjects = 736_000

interface Options extends Omit<Plan, 'folder' | 'say'> {
  readonly parent: string
  readonly chosen: readonly MirrorCase[]
  readonly jsonPath: string | undefined
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      projects: { type: 'string' },
      full: { type: 'boolean', default: false },
      records: { type: 'string' },
      changes: { type: 'string', default: '1000' },
      times: { type: 'string', default: '20' },
      folder: { type: 'string', default: tmpdir() },
      case: { type: 'string', multiple: true },
      json: { type: 'string' },
    },
  })
  const projects = values.full ? fullProjects : requireCount(values.projects ?? defaultProjects)
  const records = values.records ?? (values.full ? 'changed' : 'all')
  if (records !== 'all' && records !== 'changed') throw new Error('--records is all or changed')
  const names = values.case
  return {
    projects,
    records,
    changes: Math.min(projects, requireCount(values.changes)),
    times: Math.min(projects, requireCount(values.times)),
    parent: values.folder,
    // Without a first signing there is nothing that could change.
    chosen: cases.filter(({ name }) => names === undefined || names.includes(name)),
    jsonPath: values.json,
  }
}

function requireCount(raw: string | number): number {
  const count = Number(raw)
  if (Number.isSafeInteger(count) && count > 1) return count
  throw new Error(`${raw}: a whole number above 1 is needed`)
}

/** All records where they fit; else only those that change, and it is said. */
async function requireFitting(options: Options): Promise<Options> {
  const fitting = countFitting(await readFreeSpace(options.parent))
  const { records, projects, parent } = options
  if (records === 'changed' || projects <= fitting) return options
  print(
    `!!! ${parent} has room for the records of ${fitting} projects, not of ${projects}: THEY ARE LEFT OUT !!!`,
  )
  return { ...options, records: 'changed' }
}

async function main(): Promise<void> {
  const machine = describeMachine('npm run bench:mirror')
  print(renderMachine(machine))
  const options = await requireFitting(readOptions())
  const folder = await mkdtemp(join(options.parent, 'tufgate-bench-'))
  endOnSignal(folder)
  const results: (CaseResult & { name: string; title: string; load: number })[] = []
  try {
    for (const one of options.chosen) {
      const say = (step: string): void => showStep(`${one.name}: ${step}`)
      const result = await one.run({ ...options, folder, say })
      showStep('')
      print(renderCase(one, result))
      results.push({ name: one.name, title: one.title, load: loadavg()[0] ?? 0, ...result })
    }
  } finally {
    showStep('removing the mirror')
    await rm(folder, { recursive: true, force: true })
    showStep('')
  }
  if (options.jsonPath !== undefined) {
    await writeFile(options.jsonPath, `${JSON.stringify({ machine, results }, null, 2)}\n`)
  }
  const missed = results.flatMap(({ targets }) => targets).filter((target) => !isMet(target))
  print(missed.length === 0 ? '\nall targets met' : `\n${missed.length} targets missed`)
}

/** Nothing is left behind by Ctrl-C either. */
function endOnSignal(folder: string): void {
  const end = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true })
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One line that is written over, on a terminal only. */
function showStep(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${step.slice(0, 78)}`)
}

await main()
