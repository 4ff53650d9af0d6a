import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { checkMirror } from '../../src/watch/check.ts'
import { collect, type Finished } from '../support/program.ts'
import { chooseSteps } from '../support/thoroughness.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { JournalFixture } from './journal-fixture.ts'
import { dayMs, hourMs } from './mirror-fixture.ts'

const script = fileURLToPath(new URL('accept-until-killed.ts', import.meta.url))
const parallel = 3
const [first, second] = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']

let it: ClaimedMirror
beforeEach(async () => {
  it = await ClaimedMirror.create()
  await it.claim()
})
afterEach(() => it.remove())

async function acceptUntil(of: ClaimedMirror, release: Bytes, step: number): Promise<Finished> {
  const { root, now } = of.mirror
  const path = join(root, 'release.json')
  await writeFile(path, release)
  const args = [script, root, path, String(step), String(now)]
  return collect(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Killed before this step, then whatever comes next, then the same release again. */
async function killAt(step: number, release: Bytes, versions: readonly string[][]): Promise<void> {
  const copy = await it.copy(`killed-${step}`)
  const client = copy.ceremony.client()
  await client.visit(it.mirror.public, it.mirror.now, ['foo', 'bar'])
  const visit = async (): Promise<readonly string[]> => {
    const { files } = await client.visit(copy.mirror.public, copy.mirror.now, ['foo', 'bar'])
    expect(files['bar']).toEqual(['bar-1.0.tar.gz'])
    return files['foo'] ?? []
  }
  const { signal, stderr } = await acceptUntil(copy, release, step)
  expect(signal, stderr).toBe('SIGKILL')
  expect(versions).toContainEqual(await visit())
  copy.mirror.now += hourMs
  if (step % 4 < 2) {
    await copy.sync({ index: it.mirror.index })
    expect(versions).toContainEqual(await visit())
  }
  if (step % 3 === 0) {
    // What is swept away by then is nothing that anybody needs.
    for (let days = 0; days < 3; days += 1) {
      copy.mirror.now += dayMs
      await copy.sync({ index: it.mirror.index })
    }
    expect(versions).toContainEqual(await visit())
  }
  await copy.accept(release)
  expect(await visit()).toEqual(versions.at(-1))
  expect((await copy.find())?.trust.role).toBe('owner-foo')
  const { findings } = await checkMirror({ ...copy.mirror.context, isFull: true })
  expect(findings).toEqual([])
  const journal = new JournalFixture(copy.mirror)
  expect(await journal.verify()).toMatchObject({ findings: [], missing: [] })
  const told = (await journal.kinds('foo')).filter((kind) => kind === 'owner-signed')
  expect(told).toHaveLength(versions.length - 1)
}

async function killAtEach(release: Bytes, versions: readonly string[][]): Promise<void> {
  const whole = await it.copy('whole')
  const { stdout, stderr } = await acceptUntil(whole, release, 0)
  const steps = Number(stdout)
  expect(steps, stderr).toBeGreaterThan(10)
  const failures: unknown[] = []
  const queue = chooseSteps(steps).values()
  const work = async (): Promise<void> => {
    for (const step of queue)
      await killAt(step, release, versions).catch((error: unknown) => failures.push(step, error))
  }
  await Promise.all(Array.from({ length: parallel }, work))
  expect(failures).toEqual([])
}

test('kill -9 before every step of a first acceptance loses nothing, and nothing is half published', async () => {
  await killAtEach(await it.signVersion('1.1'), [[first], [first, second]])
}, 300_000)

test('kill -9 before every step of one that only renews the signature neither', async () => {
  const release = await it.signVersion('1.1')
  await it.accept(release)
  const versions = [[first], [first, second], [first, second]]
  await killAtEach(await it.sign(), versions)
}, 300_000)
