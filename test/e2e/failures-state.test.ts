/** State on disk that was damaged or lost between two starts: nothing bad is served, and nothing older trusted. */

import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildWheel, sha256 } from '../support/build-wheel.ts'
import { collect, spawnServe, type Finished } from '../support/program.ts'
import { pathOf, recordAnswer } from '../support/proxy-witness.ts'
import { createDamages, isForPerson, listFiles } from './damage.ts'
import { readLog } from './observe.ts'
import { chooseSeed, createRandom } from './random.ts'
import { toTranscript } from './transcript.ts'
import { Trial } from './trial.ts'
import { TrustWitness } from './trust-witness.ts'

const wheel = buildWheel({ name: 'e2e-state', version: '1.0' })
const random = createRandom(chooseSeed('damaged state'))

let trial: Trial
let state: string
let pristine: string
const trust = new TrustWitness()

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('e2e-state', [wheel])
  expect(await trial.sync()).toMatchObject({ exitCode: 0 })
  state = join(trial.folder, 'state')
  pristine = join(trial.folder, 'pristine')
  const finished = await useProxy()
  expect(finished.stdout).toContain('FIRST CONTACT with this root')
  await cp(state, pristine, { recursive: true })
}, 60_000)

beforeEach(async () => {
  await rm(state, { recursive: true, force: true })
  await cp(pristine, state, { recursive: true })
})

afterAll(() => trial.close())

/** Starts, asks for page and file, and stops. Throws where it does not start, or serves what is wrong. */
async function useProxy(): Promise<Finished> {
  const proxy = await trial.startProxy({ state })
  try {
    const page = await recordAnswer(proxy.port, '/simple/e2e-state/')
    expect({ status: page.status, body: String(page.body) }).toMatchObject({ status: 200 })
    expect(String(page.body)).toContain(wheel.sha256)
    trust.noteAnswer(/^x-tufgate-trust: (.+)$/im.exec(page.headers)?.[1] ?? '')
    const file = await recordAnswer(proxy.port, pathOf(trial, 'e2e-state', wheel.filename))
    expect(sha256(file.body)).toBe(wheel.sha256)
  } finally {
    await proxy.stop()
  }
  return proxy.stop()
}

async function failToStart(): Promise<Finished> {
  const { config } = await trial.writeSettings({ state })
  const failed = await collect(trial.watch(spawnServe({}, '--config', config)))
  expect(failed.stdout).toBe('')
  return failed
}

test.each(createDamages(random))(
  'every file with %s: served from what is whole, or refused by name',
  async (_, damage) => {
    const files = await listFiles(pristine)
    expect(files.length).toBeGreaterThan(10)
    for (const path of files) {
      await rm(state, { recursive: true })
      await cp(pristine, state, { recursive: true })
      await writeFile(join(state, path), damage(await readFile(join(state, path))))
      try {
        if (isForPerson(path)) await requireStartOrReason(path)
        else await requireServed(path)
      } catch (error) {
        throw new Error(`with a damaged ${path}`, { cause: error })
      }
    }
  },
  120_000,
)

async function requireServed(path: string): Promise<void> {
  const { stdout, stderr } = await useProxy()
  const isLost = stderr.includes('floors.db') && stderr.includes('set aside')
  if (isLost) expect(stdout).toContain('FIRST CONTACT again')
  // An empty file is an empty database.
  else if (basename(path) !== 'floors.db') expect(stdout).not.toContain('FIRST CONTACT')
}

/** Three changed bytes may well leave valid JSON. */
async function requireStartOrReason(path: string): Promise<void> {
  const damaged = await readFile(join(state, path))
  const { config } = await trial.writeSettings({ state })
  const child = trial.watch(spawnServe({}, '--config', config))
  child.stdout.once('data', () => child.kill())
  const { code, stdout, stderr } = await collect(child)
  if (stdout !== '') return
  expect(code).toBe(2)
  expect(stderr).toMatch(/^tufgate: \S.*\n(?: {2}.*\n)+/)
  // It is evidence until a person has looked.
  expect((await readFile(join(state, path))).equals(damaged)).toBe(true)
}

describe('floors that are lost', () => {
  test('FIRST CONTACT is said and logged, and what the metadata on disk says still holds', async () => {
    const [folder = ''] = (await readdir(state)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    await rm(join(state, folder, 'floors.db'))
    const { stdout, stderr } = await useProxy()
    const said = 'FIRST CONTACT again: what was trusted before is lost with floors.db'
    expect(stdout).toContain(said)
    expect(stderr).toContain(said)
    const warnings = await readLog({ state }, '--kind', 'warning')
    expect(warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining(said))
    expect((await useProxy()).stdout).not.toContain('FIRST CONTACT')
  })
})

test('a damaged remembered root names the file, the reason and the command', async () => {
  const [pin = ''] = await readdir(join(state, 'pins'))
  await writeFile(join(state, 'pins', pin), '{')
  const { code, stderr } = await failToStart()
  expect(code).toBe(2)
  expect(toTranscript(stderr, trial.folder)).toMatchInlineSnapshot(`
    "tufgate: <folder>/state/pins/<sha256>.json is damaged: Expected property name or '}' in JSON at position 1 (line 1 column 2)
      check that the root file is the one that you trust, then run: rm <folder>/state/pins/<sha256>.json"
  `)
  // As the message says.
  await rm(join(state, 'pins', pin))
  await useProxy()
})
