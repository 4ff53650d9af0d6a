/** Which list is trusted: a floor for a proxy that is new, and a comparison with what others were shown. */

import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OnlineThief } from '../mirror/online-thief.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { collect, runProgram, spawnServe, type Finished } from '../support/program.ts'
import { recordAnswer } from '../support/proxy-witness.ts'
import { toTranscript } from './transcript.ts'
import { Trial } from './trial.ts'

const wheels = ['1.0', '1.1'].map((version) => buildWheel({ name: 'e2e-trust', version }))

const firstContact =
  'warning: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet\n'

let trial: Trial
let floor: string
let yesterday: string
let states = 0

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('e2e-trust', wheels.slice(0, 1))
  expect(await trial.sync()).toMatchObject({ exitCode: 0 })
  yesterday = join(trial.folder, 'yesterday')
  await cp(trial.published, yesterday, { recursive: true })
  trial.publish('e2e-trust', wheels)
  expect(await trial.sync()).toMatchObject({ exitCode: 0 })
  floor = join(trial.folder, 'floor.json')
  expect(await runTrust(trial.published, 'show', '-o', floor)).toMatchObject({ code: 0 })
}, 60_000)

afterAll(() => trial.close())

/** Somebody new, with a state of his own. */
function runTrust(mirror: string, ...args: readonly string[]): Promise<Finished> {
  return runProgram('trust', ...args, ...flagsFor(mirror))
}

function flagsFor(mirror: string): string[] {
  states += 1
  const state = join(trial.folder, `trust-${states}`)
  const { indexUrl, root } = trial
  return ['--index', indexUrl, '--mirror', mirror, '--root', root, '--state-dir', state]
}

async function readFloor(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(floor, 'utf8')) as Record<string, unknown>
}

describe('a floor', () => {
  test('A2: a new client is not shown the list of yesterday', async () => {
    const settings = `floor = ${JSON.stringify(floor)}`
    const proxy = await trial.startProxy({ mirror: yesterday, index: settings })
    const { status, body } = await recordAnswer(proxy.port, '/simple/e2e-trust/')
    expect(status).toBe(451)
    expect(JSON.parse(String(body))).toMatchObject({ code: 'VERSION_ROLLBACK', found: '2' })
    expect((await proxy.stop()).stdout).toContain(`no list older than that of ${floor}`)
  })

  test('does not keep it from the list of today, and is no first contact', async () => {
    const settings = `floor = ${JSON.stringify(floor)}`
    const proxy = await trial.startProxy({ index: settings })
    const { status, body } = await recordAnswer(proxy.port, '/simple/e2e-trust/')
    expect(status).toBe(200)
    expect(String(body)).toContain(wheels[1]!.sha256)
    expect((await proxy.stop()).stdout).not.toContain('FIRST CONTACT')
  })

  test('without it the list of yesterday is taken: there is nothing to compare with', async () => {
    const proxy = await trial.startProxy({ mirror: yesterday })
    expect((await recordAnswer(proxy.port, '/simple/e2e-trust/')).status).toBe(200)
    expect((await proxy.stop()).stdout).toContain('FIRST CONTACT')
  })

  test('of another root, or that is none, is refused at the start', async () => {
    const path = join(trial.folder, 'other-floor.json')
    await writeFile(path, JSON.stringify({ ...(await readFloor()), root: '0'.repeat(64) }))
    const start = (file: string): Promise<Finished> =>
      collect(trial.watch(spawnServe({}, '--floor', file, ...flagsFor(trial.published))))
    const other = await start(path)
    expect(other).toMatchObject({ code: 2, stdout: '' })
    expect(toTranscript(other.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: <folder>/other-floor.json, the floor of index default, is of another root.
        expected: <sha256>
        found:    <sha256>
        Give the root and the floor of one mirror: tufgate trust show --root 1.root.json -o FILE"
    `)
    await writeFile(path, '{"format": 1}')
    const malformed = await start(path)
    expect(malformed.code).toBe(2)
    expect(toTranscript(malformed.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: <folder>/other-floor.json cannot be read: root: expected text, found nothing
        Have it written anew: tufgate trust show -o FILE"
    `)
  })

  test('needs a mirror', async () => {
    const failed = await collect(trial.watch(spawnServe({}, '--floor', floor)))
    expect(failed).toMatchObject({ code: 2, stdout: '' })
    expect(failed.stderr).toContain('there is no mirror whose lists it could be a floor of')
  })
})

describe('a comparison', () => {
  test('with somebody who was shown the same: exit code 0', async () => {
    const compared = await runTrust(trial.published, 'compare', floor)
    expect(compared.code).toBe(0)
    // Whoever is new could be shown an old list without knowing.
    expect(compared.stderr).toBe(firstContact)
    expect(compared.stdout).toMatch(/^the same list: snapshot version 3, sha256 [0-9a-f]{64}\n$/)
  })

  test('with an older list tells nothing, and says how it could: exit code 1', async () => {
    const compared = await runTrust(yesterday, 'compare', floor)
    expect(compared).toMatchObject({ code: 1, stderr: firstContact })
    const shown = compared.stdout.replaceAll(/pinned root \w+/g, 'pinned root <root>')
    expect(toTranscript(shown, trial.folder)).toMatchInlineSnapshot(`
      "this cannot be told:
        <folder>/floor.json: pinned root <root>..., root 1, timestamp 3, snapshot 3
        here: pinned root <root>..., root 1, timestamp 2, snapshot 2
        Write both anew at the same time, and compare again. Or look whether the older one is a part of the newer: tufgate mirror log COPY --verify --root 1.root.json --head 1:<sha256>"
    `)
  })

  test('A14: with somebody who was shown another list of the same version: exit code 3', async () => {
    const thief = await OnlineThief.rob(trial.mirror)
    const forked = join(trial.folder, 'forked')
    await cp(trial.published, forked, { recursive: true })
    await cp(yesterday, trial.published, { recursive: true })
    // Once more from the list of yesterday to the version of today, with something else in it.
    await thief.publish({})
    const compared = await runTrust(trial.published, 'compare', floor, '--json')
    expect(compared).toMatchObject({ code: 3, stderr: firstContact })
    expect(JSON.parse(compared.stdout)).toMatchObject({
      kind: 'split',
      role: 'timestamp',
      version: 3,
    })
    const shown = await runTrust(trial.published, 'compare', floor)
    expect(toTranscript(shown.stdout, trial.folder)).toMatchInlineSnapshot(`
      "TWO LISTS: version 3 of timestamp has two contents
        <folder>/floor.json: sha256 <sha256>
        here: sha256 <sha256>
        Whoever holds the keys of the mirror has signed both, or a thief has. Install nothing; ask who runs it."
    `)
  })

  test('of what is no such document: exit code 2', async () => {
    const compared = await runProgram('trust', 'compare', join(trial.folder, 'nothing.json'), floor)
    expect(compared).toMatchObject({ code: 2, stdout: '' })
    expect(toTranscript(compared.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: <folder>/nothing.json cannot be read: there is no such file
        Have it written anew: tufgate trust show -o FILE"
    `)
  })
})
