import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { verifyMirrorJournal } from '../../src/mirror/read-journal.ts'
import { isThorough } from '../support/thoroughness.ts'
import { MirrorFixture, signEverything } from './mirror-fixture.ts'
import { findRecord, noFloors, trustFolder } from './own-client.ts'
import { requireUnchangedVersions } from './unchanged-versions.ts'

const rounds = isThorough ? 20 : 10
const script = fileURLToPath(new URL('sync-until-killed.ts', import.meta.url))

let mirror: MirrorFixture
let child: ChildProcess | undefined
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  mirror.now = Date.now()
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await mirror.remove()
})

/** Lets a process synchronise until it has done so once, then kills it at some moment after. */
async function runAndKill(delayMs: number): Promise<void> {
  const process = spawn(globalThis.process.execPath, [script, mirror.root], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = process
  const said: Buffer[] = []
  process.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const exited = once(process, 'exit')
  const first = await Promise.race([once(process.stdout, 'data'), exited.then(() => undefined)])
  if (first === undefined) throw new Error(Buffer.concat(said).toString())
  // The moment is random; nothing waits for it.
  setTimeout(() => process.kill('SIGKILL'), delayMs)
  await exited
}

/** Whenever it was killed: each record is told in the journal, and the journal is whole. */
async function requireJournalled(): Promise<void> {
  expect(await verifyMirrorJournal(mirror.directory, {})).toMatchObject({
    findings: [],
    missing: [],
  })
  await readMirror(mirror.directory, ({ ledger, journal }) => {
    for (const name of ledger.listNames('', 1000)) {
      const { detail = '{}' } = journal.findLast(name) ?? {}
      const { record } = JSON.parse(detail) as { record?: string }
      expect(record, name).toBe(ledger.findProject(name)?.sha256)
    }
  })
}

test('kill -9 at any moment leaves a tree that clients read, and a next sync that works', async () => {
  await mirror.init()
  let floors = noFloors
  const contents = new Map<string, string>()
  for (let round = 0; round < rounds; round += 1) {
    await runAndKill(Math.random() * 120)
    const now = Date.now()
    // With the floors of all rounds before: no version of any role went down.
    const trusted = await trustFolder(mirror.public, now, floors)
    floors = trusted.floors
    for (let at = 0; at < 12; at += 1) await findRecord(mirror.public, `p${at}`, trusted, now)
    await requireUnchangedVersions(mirror.public, contents)
    await requireJournalled()
  }
  mirror.now = Date.now()
  const result = await mirror.sync({ changePolicy: signEverything })
  expect(result).toMatchObject({ failed: 0, held: 0, exitCode: 0, isIndexSeen: true })
  expect(await mirror.status()).toMatchObject({ unpublishedBins: 0 })
  const trusted = await trustFolder(mirror.public, mirror.now, floors)
  expect(await findRecord(mirror.public, 'p0', trusted, mirror.now)).toBeDefined()
}, 240_000)

test('a reader at any moment of a running sync sees one whole snapshot', async () => {
  await mirror.init()
  const running = runAndKill(400)
  let reads = 0
  const state = { isRunning: true }
  const finished = running.finally(() => {
    state.isRunning = false
  })
  while (state.isRunning) {
    const trusted = await trustFolder(mirror.public, Date.now())
    await findRecord(mirror.public, 'p0', trusted, Date.now())
    reads += 1
  }
  await finished
  expect(reads).toBeGreaterThan(0)
}, 60_000)
