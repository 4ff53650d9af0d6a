/** The laboratory itself: that it can fail, that it tells what it saw, and that nothing of it is left. */

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allAttacks } from '../../scripts/attacks/all-attacks.ts'
import type { Attack, Observed } from '../../scripts/attacks/attack.ts'
import { mustInstall, mustRefuse } from '../../scripts/attacks/judge.ts'
import { preparePip, type Pip } from '../../scripts/attacks/pip.ts'
import { decideVerdict } from '../../scripts/attacks/report.ts'
import {
  countRuns,
  runAttacks,
  type Result,
  type RunOptions,
} from '../../scripts/attacks/run-attacks.ts'
import type { World } from '../../scripts/attacks/world.ts'
import { hasPip, warnWithoutPip } from '../support/pip.ts'

warnWithoutPip()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-laboratory-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const idle: Pip = { version: '0', folder: 'nowhere' }

const harmless: Observed = {
  happened: 'nothing installed',
  exitCode: 1,
  line: '',
  codes: ['DIGEST_MISMATCH'],
  notes: [],
}

/** Its guard is no proxy: nobody stands before the index. */
function standAside(world: World): Promise<void> {
  return world.standBehind(world.trial.index.port)
}

/** All but the last line, which is about the proxy. */
async function run(attacks: readonly Attack[], pip: Pip = idle): Promise<readonly Result[]> {
  const results = await runAttacks({ ...optionsOf(attacks, pip), guard: standAside })
  return results.slice(0, -1)
}

function optionsOf(attacks: readonly Attack[], pip: Pip): RunOptions {
  return { attacks, pips: [pip], folder: join(folder, 'victims'), onResult: () => undefined }
}

function fail(): Promise<Observed> {
  return Promise.reject(new Error('no such file'))
}

function harm(): Promise<Observed> {
  return Promise.resolve({ ...harmless, harm: 'EVIL code ran' })
}

/** An attack that is not one: told as it is given here. */
function pretend(part: Partial<Attack>): Attack {
  return {
    row: 'A1a',
    name: 'nothing',
    pips: 'machine',
    alone: 'nothing to compare with',
    behind: () => Promise.resolve(harmless),
    judge: () => [],
    ...part,
  }
}

describe.runIf(hasPip)('the laboratory with pip', () => {
  const someRows = ['A1b', 'A1c']
  const attacks = allAttacks.filter(
    ({ row, isCore, publish }) => someRows.includes(row) && isCore && publish !== undefined,
  )
  let pip: Pip
  beforeAll(async () => {
    pip = await preparePip(join(folder, 'pip'))
  }, 60_000)

  test('says WRONG of each attack where no proxy stands between', async () => {
    expect(attacks.length).toBeGreaterThanOrEqual(someRows.length)
    for (const result of await run(attacks, pip)) {
      expect(result.complaints.length, result.name).toBeGreaterThan(1)
      expect(decideVerdict(result), result.name).toBe('WRONG')
      expect(result.behind.harm, result.name).toMatch(/^(?:EVIL|OLD) /)
    }
  }, 120_000)

  test('says stopped of the same attacks where the proxy does', async () => {
    const results = await runAttacks(optionsOf(attacks, pip))
    expect(results.map(({ row, complaints }) => [row, complaints])).toEqual([
      ...attacks.map(({ row }) => [row, []]),
      ['all', []],
    ])
    expect(results.slice(0, -1).map(decideVerdict)).toEqual(attacks.map(() => 'stopped'))
  }, 120_000)
})

describe('the laboratory', () => {
  test('says WRONG where a proxy should stand and none does', async () => {
    const results = await runAttacks({ ...optionsOf([], idle), guard: standAside })
    expect(results).toMatchObject([{ row: 'all', complaints: ['there is no proxy'] }])
  })

  test('says WRONG of an attack that fails itself, behind the proxy', async () => {
    const [result] = await run([pretend({ behind: fail })])
    expect(result).toMatchObject({
      behind: { harm: 'NOT SHOWN: this failed', line: 'no such file' },
      complaints: ['NOT SHOWN: this failed'],
    })
  })

  test('says WRONG of one that fails behind the proxy though a limit is owned up to', async () => {
    const [result] = await run([pretend({ behind: fail, limit: 'it succeeds' })])
    expect(result?.complaints).toEqual(['NOT SHOWN: this failed'])
  })

  test('says WRONG of an attack that fails itself without tufgate: no harm was kept away', async () => {
    const [result] = await run([pretend({ alone: fail })])
    expect(result?.complaints).toEqual(['without tufgate the attack was not shown'])
    expect(result && decideVerdict(result)).toBe('WRONG')
  })

  test('says WRONG of harm behind the proxy, whatever the attack asks for', async () => {
    const [result] = await run([pretend({ behind: harm })])
    expect(result?.complaints).toEqual(['EVIL code ran'])
  })

  test.each([
    ['pip resists too', pretend({ alone: () => Promise.resolve(harmless) })],
    ['stopped', pretend({ alone: harm })],
    ['holds', pretend({})],
    ['known limit', pretend({ limit: 'so', behind: harm })],
  ])('says %s', async (verdict, attack) => {
    const [result] = await run([attack])
    expect(result && decideVerdict(result)).toBe(verdict)
  })

  test('leaves no folder of a victim, and finishes what rows share', async () => {
    let isFinished = false
    const finish = (): Promise<void> => {
      isFinished = true
      return Promise.resolve()
    }
    await run([pretend({ finish })])
    expect(isFinished).toBe(true)
    expect(await readdir(join(folder, 'victims'))).toEqual([])
  })

  test('keeps the order of the table, whatever ends first', async () => {
    const late = pretend({
      name: 'late',
      behind: () => new Promise((resolve) => setTimeout(resolve, 50, harmless)),
    })
    const results = await run([late, pretend({ name: 'soon' })])
    expect(results.map(({ name }) => name)).toEqual(['late', 'soon'])
  })

  test('counts beforehand what it will run', () => {
    const each = pretend({ pips: 'each' })
    expect(countRuns([each, pretend({})], [idle, idle])).toBe(3)
  })
})

describe('a judge', () => {
  const refused = mustRefuse({ code: 'DIGEST_MISMATCH', line: /not the signed one/ })
  const line = 'sha256 of foo is not the signed one'

  test.each([
    ['a success', { exitCode: 0 }, 'exit code 0, not a failure'],
    ['something installed', { happened: 'foo 1.0 installed' }, 'foo 1.0 installed'],
    ['no code', { codes: [] }, 'the audit log has no code, not DIGEST_MISMATCH'],
    ['another reason', { line: 'no' }, 'the line is "no", not /not the signed one/'],
  ])('of a refusal complains of %s', (_what, part, complaint) => {
    expect(refused({ ...harmless, line })).toEqual([])
    expect(refused({ ...harmless, line, ...part })).toEqual([complaint])
  })

  test.each([
    ['a failure', { exitCode: 1 }, 'exit code 1: '],
    ['nothing installed', { happened: 'nothing installed' }, 'nothing installed'],
    ['no code', { codes: [] }, 'the audit log has no code, not RELEASE_HELD'],
  ])('of an installation complains of %s', (_what, part, complaint) => {
    const installed = mustInstall('RELEASE_HELD')
    const good = {
      ...harmless,
      exitCode: 0,
      happened: 'foo 1.1 installed',
      codes: ['RELEASE_HELD'],
    }
    expect(installed(good)).toEqual([])
    expect(installed({ ...good, ...part })).toEqual([complaint])
  })
})

describe('the attacks', () => {
  test('have each a row that is known, and a name of their own in it', () => {
    const names = allAttacks.map(({ row, name }) => `${row} ${name}`)
    expect(names).toEqual([...new Set(names)])
    for (const { row } of allAttacks) expect(row).toMatch(/^(?:A1[abc]|A[2-9]|A[12]\d|[KWF]\d+)$/)
  })

  test('stand together that have the same row', () => {
    const rows = allAttacks.map(({ row }) => row).filter((row, at, all) => row !== all[at - 1])
    expect(rows).toEqual([...new Set(rows)])
  })

  test('have names that a terminal shows as they are', () => {
    for (const { row, name } of allAttacks) expect(`${row} ${name}`).toMatch(/^[\x20-\x7e]+$/)
  })
})
