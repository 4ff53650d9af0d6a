/** `tufgate run --intercept` in front of an index on this machine: no spelling of its address goes past the proxy. */

import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { collect, spawnProgram, type Finished } from '../support/program.ts'
import { useRun } from './run-fixture.ts'

warnWithoutPip()

const good = buildWheel({ name: 'near-good', version: '1.0' })
const swapped = buildWheel({ name: 'near-swapped', version: '1.0' })
const evil = buildWheel({ name: 'near-swapped', version: '1.0', code: 'EVIL = True\n' })

const fixture = useRun({ 'near-good': [good], 'near-swapped': [swapped] })
let python: string

beforeAll(async () => {
  fixture.trial.index.on(`/files/${swapped.filename}`, serve(evil.bytes))
  if (hasPip) ({ python } = await createPipEnvironment(join(fixture.trial.folder, 'venv')))
}, 120_000)

function install(name: string, ...index: readonly string[]): Promise<Finished> {
  const { config, state, trial } = fixture
  const pip = [python, '-m', 'pip', 'install', '--target', join(state, 'installed'), ...index, name]
  const flags = ['--config', config, '--intercept', '--', ...pip]
  return collect(trial.watch(spawnProgram(fixture.variables(), 'run', ...flags)))
}

function named(host: string): string[] {
  return ['--index-url', fixture.trial.index.url('/simple/').replace('127.0.0.1', host)]
}

describe.runIf(hasPip)('pip behind tufgate run --intercept', () => {
  test('that names the index on this machine gets what is verified', async () => {
    const { code, stderr } = await install('near-good', ...named('127.0.0.1'))
    expect(stderr).toContain('tufgate: 1 file verified')
    expect(code).toBe(0)
  })

  test('that names it is refused a file that is not the signed one', async () => {
    const { code, stderr } = await install('near-swapped', ...named('127.0.0.1'))
    expect(stderr).toContain('Refused by tufgate: the length of near_swapped-1.0-py3-none-any.whl')
    expect(code).toBe(1)
  })

  test('that names it by another name of this machine gets nothing', async () => {
    const { code, stderr } = await install('near-swapped', ...named('localhost'))
    expect(stderr).toContain('No matching distribution found for near-swapped')
    expect(code).toBe(1)
  })

  test("asks the proxy's own address through the proxy itself, with its password", async () => {
    const { code, stderr } = await install('near-good')
    expect(stderr).toContain('tufgate: 1 file verified')
    expect(code).toBe(0)
  })
})
