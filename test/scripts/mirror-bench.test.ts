/** The benches of the mirror at a tiny size: that they work, not what they measure. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CaseResult } from '../../scripts/bench/result.ts'
import type { SizeTable, SizeTarget } from '../../scripts/bench/mirror/sizes/size-table.ts'
import { computePepSizes } from '../../scripts/bench/mirror/sizes/pep458-sizes.ts'
import { buildPage, countFiles, listProjects } from '../../scripts/bench/mirror/synthetic-index.ts'
import { runCommand } from '../support/program.ts'

const scripts = join(import.meta.dirname, '..', '..', 'scripts', 'bench', 'mirror')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-bench-test-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function runBench<T>(script: string, ...args: readonly string[]): Promise<T> {
  const json = join(folder, 'result.json')
  const command = [join(scripts, script), ...args, '--json', json]
  const { code, stderr } = await runCommand(process.execPath, command)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(await readFile(json, 'utf8')) as T
}

interface MirrorResults {
  readonly results: readonly (CaseResult & { readonly name: string })[]
}

function runMirrorBench(...args: readonly string[]): Promise<MirrorResults> {
  const size = ['--projects', '40', '--changes', '5', '--times', '3', '--folder', folder]
  return runBench<MirrorResults>('main.ts', ...size, ...args)
}

test('bench:mirror signs, changes one and many, and leaves nothing behind', async () => {
  const { results } = await runMirrorBench()
  expect(results.map(({ name }) => name)).toEqual(['first-signing', 'changes', 'models'])
  const roles = results[1]?.targets.find(({ rule }) => rule === 'exactly')
  expect(roles).toMatchObject({ found: 2, unit: '(bins-NN, snapshot)' })
  expect(await readdir(folder)).toEqual(['result.json'])
})

test('bench:mirror says what it leaves out where not all records are written', async () => {
  const only = ['--case', 'first-signing', '--case', 'changes']
  const { results } = await runMirrorBench('--records', 'changed', ...only)
  expect(results[0]?.notes[0]).toMatch(/^LEFT OUT: the records of all but 5 projects/)
  expect(results).toHaveLength(2)
})

test('bench:sizes prints every table, and a small index is within what was wanted', async () => {
  const { tables, targets } = await runBench<{
    readonly tables: readonly SizeTable[]
    readonly targets: readonly SizeTarget[]
  }>('sizes/main.ts', '--projects', '300')
  const names = tables.map(({ name }) => name)
  expect(names).toEqual(['pep458', 'mercury', 'look-up-300-32', 'documents', 'shapes', 'claims'])
  for (const { found, wanted } of targets) expect(found).toBeLessThan(wanted)
})

test('the formulas of PEP 458 give the figures of its table 3', () => {
  expect(computePepSizes()).toEqual({
    bin: 54_349,
    bins: 1_310_720,
    snapshot: 98_304,
    sameSnapshot: 108_698,
    newSnapshot: 207_002,
    newUser: 1_517_722,
  })
})

test('a synthetic index has names that differ, and pages that stay as they were', () => {
  const names = [...listProjects(5000)]
  expect(new Set(names).size).toBe(5000)
  const [name = ''] = names
  const { files } = buildPage(name, 0)
  expect(files).toHaveLength(countFiles(name))
  expect(buildPage(name, 2).files.slice(0, files.length)).toEqual(files)
  expect(buildPage(name, 2).files).toHaveLength(files.length + 4)
})
