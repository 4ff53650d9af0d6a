/** Two proxies on one first-use state, killed at any moment, one of an index that changes. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf, TestIndex } from '../notary/test-index.ts'
import { runProgram, startServe, type RunningProxy } from '../support/program.ts'
import { chooseSeed, createRandom } from './random.ts'

const rounds = 8
const perRound = 6
const random = createRandom(chooseSeed('first-use kills'))

let folder: string
let index: TestIndex
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-first-use-kills-'))
  index = await TestIndex.start()
})
afterAll(async () => {
  await index.close()
  await rm(folder, { recursive: true, force: true })
})

function start(): Promise<RunningProxy> {
  return startServe('--index', index.url, '--state-dir', join(folder, 'state'))
}

/** sha256 by file name, as the page says it; `undefined` where the proxy is gone. */
async function readPage({ origin }: RunningProxy, project: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${origin}/simple/${project}/`)
    return response.status === 200 ? await response.text() : undefined
  } catch {
    return undefined
  }
}

async function turn(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) await new Promise((resolve) => setImmediate(resolve))
}

function fileOf(project: string): string {
  return `${project.replace('-', '_')}-1.0.tar.gz`
}

test('what a client was shown first is what every later start shows', async () => {
  const shown = new Map<string, string>()
  for (let round = 0; round < rounds; round += 1) {
    const names = Array.from({ length: perRound }, (_, at) => `r${round}-p${at}`)
    for (const name of names) index.put(name, [fileOf(name)])
    const proxies = await Promise.all([start(), start()])
    const asked = names.flatMap((name) =>
      proxies.map(async (proxy) => {
        const page = await readPage(proxy, name)
        if (page !== undefined) shown.set(name, digestOf(fileOf(name)))
        return page
      }),
    )
    // Early, while keys are made or the first pages asked for, or once some were shown.
    if (random() < 0.7) await Promise.race(asked)
    await turn(Math.floor(random() * 4000))
    const [victim, other] = random() < 0.5 ? proxies : proxies.toReversed()
    await victim!.stop('SIGKILL')
    await turn(Math.floor(random() * 1000))
    await other!.stop(random() < 0.5 ? 'SIGKILL' : 'SIGTERM')
    await Promise.all(asked)
    // From now on the index lies about everything that anybody was shown.
    for (const name of shown.keys()) index.put(name, [{ filename: fileOf(name), content: 'evil' }])
  }
  const proxy = await start()
  for (const [name, digest] of shown) expect(await readPage(proxy, name), name).toContain(digest)
  expect((await proxy.stop()).code).toBe(0)
  const audit = await runProgram('audit', 'verify', '--state-dir', join(folder, 'state'))
  expect(audit.stdout).toContain('no line was changed')
  process.stderr.write(`first-use kills: ${shown.size} of ${rounds * perRound} were shown\n`)
}, 240_000)
