/**
 * A file that takes a minute to fetch, while pip gives up after 15 s without a byte: it arrives
 * where it is the signed one, and does not where it is not. With the settings as they come.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import { drip } from '../support/hostile-server.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import type { Finished } from '../support/program.ts'
import { startRelay, type RecordingRelay } from '../support/recording-relay.ts'
import { readLog, requireCleanVault } from './observe.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

const sizeBytes = 40_000_000
const fetchMs = 60_000
const tickMs = 100
const data = Buffer.alloc(sizeBytes, 'large data file; ')

function buildLarge(name: string): Wheel {
  return buildWheel({ name, version: '1.0', data: new Map([['data.bin', data]]) })
}

/** So that all of it takes a minute. */
function serveSlowly(bytes: Uint8Array) {
  return drip(bytes, Math.ceil((bytes.length * tickMs) / fetchMs), tickMs)
}

describe.runIf(hasPip)('a file that takes a minute to fetch', () => {
  let trial: Trial
  let proxy: TrialProxy
  let relay: RecordingRelay
  let environment: PipEnvironment
  let installs: readonly [Finished, Finished]
  const good = buildLarge('e2e-large')
  const bad = buildLarge('e2e-large-bad')

  beforeAll(async () => {
    trial = await Trial.create()
    trial.publish('e2e-large', [good])
    trial.publish('e2e-large-bad', [bad])
    expect(await trial.sync()).toMatchObject({ exitCode: 0 })
    trial.index.on(`/files/${good.filename}`, serveSlowly(good.bytes))
    const changed = Buffer.from(bad.bytes)
    changed[sizeBytes - 1] = (changed[sizeBytes - 1] ?? 0) ^ 1
    trial.index.on(`/files/${bad.filename}`, serveSlowly(changed))
    proxy = await trial.startProxy()
    relay = await startRelay(proxy.port)
    environment = await createPipEnvironment(join(trial.folder, 'venv'))
    installs = await Promise.all([install('e2e-large'), install('e2e-large-bad')])
  }, 240_000)

  afterAll(async () => {
    await relay.close()
    await trial.close()
  })

  function install(project: string): Promise<Finished> {
    return environment.pip('install', '--index-url', `${relay.origin}/simple/`, project)
  }

  function answersWith(file: Wheel) {
    return relay.answers().filter(({ path }) => path.endsWith(file.filename))
  }

  test('is installed by pip, whose patience is 15 s', async () => {
    expect(installs[0]).toMatchObject({ code: 0, stderr: '' })
    const find = 'import e2e_large; print(e2e_large.__path__[0])'
    const { stdout } = await environment.run('-c', find)
    expect(sha256(await readFile(join(stdout.trim(), 'data.bin')))).toBe(sha256(data))
    const [answer] = answersWith(good)
    expect(answer).toMatchObject({ status: 200 })
    expect(answer?.headers.get('content-length')).toBe(String(good.bytes.length))
  })

  test('is not installed where one byte was changed; pip held a few bytes of it', async () => {
    expect(installs[1].code).not.toBe(0)
    expect((await environment.pip('list')).stdout).not.toContain('e2e-large-bad')
    const [begun, ...others] = answersWith(bad)
    expect(begun).toMatchObject({ status: 200 })
    // More than one: without them pip would have given up long before.
    expect(begun?.body.length).toBeGreaterThan(1)
    expect(begun?.body.length).toBeLessThanOrEqual(48)
    for (const { status } of others) expect(status).toBe(403)
  })

  test('a second run shows the reason at once', async () => {
    const { code, stderr } = await install('e2e-large-bad')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of e2e_large_bad-1\.0-py3-none-any\.whl is not the signed one \(r-[0-9a-z]+\)/,
    )
    expect(trial.index.count(`/files/${bad.filename}`)).toBe(1)
  })

  test('leaves nothing bad in the vault, and the reason in the log', async () => {
    await requireCleanVault(proxy)
    const [refused] = await readLog(proxy, '--project', 'e2e-large-bad', '--kind', 'refused')
    expect(refused).toMatchObject({
      code: 'DIGEST_MISMATCH',
      file: bad.filename,
      expected: bad.sha256,
    })
  })
})
