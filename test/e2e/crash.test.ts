/**
 * kill -9 at many moments of a mirror's sync, of a proxy's refresh and of its downloads. What
 * is on disk afterwards never serves or trusts less than before, and the next start goes on from it.
 *
 * The moments follow from a seed, which is printed: TUFGATE_TEST_SEED=n runs the same ones again.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../support/build-wheel.ts'
import { drip, serve, status, type Behaviour } from '../support/hostile-server.ts'
import { runProgram, spawnProgram, spawnServe, type SpawnedProgram } from '../support/program.ts'
import { isThorough } from '../support/thoroughness.ts'
import { killAfter } from './kill-after.ts'
import { chooseSeed, createRandom } from './random.ts'
import { hashVault, pathOf, recordAnswer } from '../support/proxy-witness.ts'
import { Trial, type TrialFile } from './trial.ts'
import { TreeWitness } from './tree-witness.ts'
import { TrustWitness } from './trust-witness.ts'

const killsOfEach = isThorough ? 34 : 14
/** Some are through before they can be killed. */
const maxRounds = 3 * killsOfEach
const projects = ['alpha', 'beta', 'gamma', 'delta', 'epsilon']
const seed = chooseSeed('crash test')
const random = createRandom(seed)

let trial: Trial
let tree: TreeWitness
const trust = new TrustWitness()
const files = new Map<string, TrialFile[]>()
const kills = { sync: 0, refresh: 0, download: 0 }
/** Timestamps that the mirror has given out, the newest last. */
const timestamps: Buffer[] = []
/** What the mirror answers where it is not honest: an old timestamp, or nothing but errors. */
let replayed: Buffer | 'down' | undefined
let round = 0
let config: string
let stateFolder: string

beforeAll(async () => {
  trial = await Trial.create()
  trial.index.use(findMirrorFile)
  tree = new TreeWitness(trial.published)
  const written = await trial.writeSettings({
    mirror: trial.index.url('/mirror/'),
    settings: 'hold-for = "50ms"',
  })
  config = written.config
  stateFolder = join(written.state, sha256(readFileSync(trial.root)))
  for (const project of projects) release(project)
  await publish()
}, 60_000)

afterAll(() => trial.close())

test('kill -9 at any moment costs nothing that was trusted, verified or published', async () => {
  const rounds = { sync: killInSync, refresh: killInRefresh, download: killInDownload } as const
  while (Math.min(...Object.values(kills)) < killsOfEach && round < maxRounds) {
    round += 1
    for (const [name, kill] of Object.entries(rounds)) {
      try {
        kills[name as keyof typeof kills] += (await kill()) ? 1 : 0
      } catch (error) {
        throw new Error(`round ${round}, ${name}, TUFGATE_TEST_SEED=${seed}`, { cause: error })
      }
    }
  }
  process.stderr.write(`crash test: killed ${JSON.stringify(kills)}\n`)
  expect(Math.min(...Object.values(kills))).toBeGreaterThan(0)
}, 280_000)

test('the audit log of all these lives is whole', async () => {
  const log = join(stateFolder, 'audit')
  const verified = await runProgram('audit', 'verify', '--log', log)
  expect(verified).toMatchObject({ code: 0, stderr: '' })
}, 60_000)

/** Whether it was still alive when it was killed. */
async function killInSync(): Promise<boolean> {
  for (const project of projects) if (random() < 0.4) release(project)
  const asked = trial.index.count('/simple/') + 1
  const args = ['mirror', 'sync', trial.mirror, '--index', trial.indexUrl, '--all']
  const sync = trial.watch(spawnProgram({}, ...args))
  // It takes about half a second to start, and then 100 ms.
  const isKilled =
    random() < 0.8
      ? await killAfter(sync, trial.index.waitFor('/simple/', asked), random() * 150)
      : await killAfter(sync, Promise.resolve(), random() * 600)
  await tree.look(projects)
  // The next start works, and everything is signed that was not yet.
  if (random() < 0.7) await publish()
  return isKilled
}

async function killInRefresh(): Promise<boolean> {
  const path = '/mirror/metadata/timestamp.json'
  const asked = trial.index.count(path) + 1
  const proxy = trial.watch(spawnServe({}, '--config', config))
  // It takes about half a second to start, and then 20 ms.
  const isKilled =
    random() < 0.7
      ? await killAfter(proxy, trial.index.waitFor(path, asked), random() * 30)
      : await killAfter(proxy, Promise.resolve(), random() * 600)
  await requireNothingLost()
  return isKilled
}

async function killInDownload(): Promise<boolean> {
  // Once in a while somebody replays an old timestamp to the proxy that comes back, or cuts it off.
  const mood = random()
  replayed = mood < 0.4 ? pick(timestamps) : mood < 0.6 ? 'down' : undefined
  const proxy = trial.watch(spawnServe({}, '--config', config))
  const port = await waitForPort(proxy)
  // What the process before left half is gone before the first request.
  expect(await readdir(join(stateFolder, 'vault/tmp'))).toEqual([])
  const project = pick(projects)
  const page = await recordAnswer(port, `/simple/${project}/`)
  // What only an honest mirror could give now is missing: that is said, and nothing older served.
  if (replayed === undefined || page.status !== 503) requirePage(page, project)
  replayed = undefined
  const listed = files.get(project) ?? []
  const wanted = [...listed.slice(-1), ...Array.from({ length: 5 }, () => pick(listed))]
  const newest = `/files/${wanted[0]?.filename ?? ''}`
  const begun = trial.index.waitFor(newest, trial.index.count(newest) + 1)
  const fetched = wanted.map((file) => fetchFile(port, project, file))
  // It may be there already.
  const moment = Promise.race([begun, ...fetched])
  const isKilled = await killAfter(proxy, moment, random() * 80)
  await Promise.all(fetched)
  await requireNothingLost()
  return isKilled
}

/** Of the proxy that was killed. */
async function requireNothingLost(): Promise<void> {
  await trust.noteFloors(stateFolder)
  await hashVault(stateFolder)
}

function requirePage(
  page: { status: number; headers: string; body: Buffer },
  project: string,
): void {
  expect(page.status, `${page.headers}\n${String(page.body)}`).toBe(200)
  trust.noteAnswer(/^x-tufgate-trust: (.+)$/im.exec(page.headers)?.[1] ?? '')
  const honest = (files.get(project) ?? []).map(({ filename }) => filename)
  const shown = String(page.body)
  // Every file that the first publication had; what came later depends on who was killed when.
  expect(shown).toContain(honest[0])
}

/** A killed proxy breaks off in the middle; what came before is the beginning of the genuine file. */
async function fetchFile(port: number, project: string, { filename, bytes }: TrialFile) {
  const target = pathOf(trial, project, filename)
  // Refused, where the proxy was gone before it accepted.
  const answer = await recordAnswer(port, target).catch(() => undefined)
  if (answer?.status !== 200) return
  const expected = Buffer.from(bytes.subarray(0, answer.body.length))
  expect(answer.body.equals(expected), `${filename}: ${answer.body.length} bytes`).toBe(true)
}

async function waitForPort(child: SpawnedProgram): Promise<number> {
  let said = ''
  let complained = ''
  child.stderr.on('data', (chunk: Buffer) => (complained += String(chunk)))
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += String(chunk)
      const [, port] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
      if (port !== undefined) resolve(Number(port))
    })
    child.once('exit', () => reject(new Error(`serve did not start again: ${complained}`)))
  })
}

/** One more release, of a few to a few hundred kB, which takes a moment to fetch. */
function release(project: string): void {
  const known = files.get(project) ?? []
  const filename = `${project}-1.${known.length}.tar.gz`
  const bytes = buildBytes(filename, Math.floor(5000 + random() ** 2 * 300_000))
  files.set(project, [...known, { filename, bytes }])
  trial.publish(project, files.get(project) ?? [])
  trial.index.on(`/files/${filename}`, random() < 0.5 ? serve(bytes) : drip(bytes, 50_000, 10))
}

function buildBytes(name: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${name} ${at}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

async function publish(): Promise<void> {
  expect(await trial.sync()).toMatchObject({ exitCode: 0, failed: 0, held: 0 })
  await tree.look(projects)
  timestamps.push(readFileSync(join(trial.published, 'metadata/timestamp.json')))
}

/** The published tree under `/mirror/`, but for what is replayed. */
function findMirrorFile(path: string): Behaviour | undefined {
  if (!path.startsWith('/mirror/')) return undefined
  if (replayed === 'down') return status(500)
  if (replayed !== undefined && path.endsWith('/timestamp.json')) return serve(replayed)
  try {
    return serve(readFileSync(join(trial.published, path.slice('/mirror/'.length))))
  } catch {
    return status(404)
  }
}

function pick<T>(list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)]
  if (found === undefined) throw new Error('nothing to choose from')
  return found
}
