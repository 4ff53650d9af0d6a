import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { denyFiles } from '../../src/mirror/deny-work.ts'
import { checkMirror } from '../../src/watch/check.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { MirrorFixture, signEverything } from '../mirror/mirror-fixture.ts'
import { requireUnchangedVersions } from '../mirror/unchanged-versions.ts'
import { SimulatedClient } from './simulated-client.ts'

const rounds = 6
const projects = Array.from({ length: 9 }, (_, at) => `p${at}`)
const script = fileURLToPath(new URL('watch-until-killed.ts', import.meta.url))

let mirror: MirrorFixture
let child: ChildProcess | undefined
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  mirror.now = Date.now()
  await mirror.init({ check: checkPublication })
  for (const project of projects) await mirror.putPage(project, [`${project}-1.0.tar.gz`])
  await sync()
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await mirror.remove()
})

function sync(): ReturnType<MirrorFixture['sync']> {
  mirror.now = Date.now()
  return mirror.sync({ all: true, changePolicy: signEverything, check: checkPublication })
}

/** Lets it publish once, then kills it at some moment after. */
async function watchAndKill(delayMs: number): Promise<void> {
  const started = spawn(process.execPath, [script, mirror.root], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = started
  const said: Buffer[] = []
  started.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const exited = once(started, 'exit')
  const first = await Promise.race([once(started.stdout, 'data'), exited.then(() => undefined)])
  if (first === undefined) throw new Error(Buffer.concat(said).toString())
  // The moment is random; nothing waits for it.
  setTimeout(() => started.kill('SIGKILL'), delayMs)
  await exited
  expect(Buffer.concat(said).toString()).toBe('')
}

test('kill -9 of a watch at any moment leaves a tree that clients read, and the next one goes on', async () => {
  const returning = new SimulatedClient(mirror.public)
  const contents = new Map<string, string>()
  for (let round = 0; round < rounds; round += 1) {
    await watchAndKill(Math.random() * 150)
    const now = Date.now()
    for (const client of [returning, new SimulatedClient(mirror.public)]) {
      expect((await client.read(projects, now)).size).toBe(projects.length)
    }
    await requireUnchangedVersions(mirror.public, contents)
    // The lock of one that was killed is nobody's.
    const options = { ...mirror.context, clock: Date.now, check: checkPublication }
    await denyFiles({ ...options, project: `p${round % 9}`, reason: `round ${round}` })
  }
  await sync()
  const report = await checkMirror({ ...mirror.context, isFull: true })
  expect(report).toMatchObject({ findings: [], exitCode: 0 })
}, 120_000)
