/** The disk fails: what the user sees, and that all goes on by itself once the cause is gone. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { collect, spawnServe, type Finished } from '../support/program.ts'
import { recordAnswer } from '../support/proxy-witness.ts'
import { readLog, requireCleanVault } from './observe.ts'
import { createSmallDisk, mountReadOnly, unmount, type SmallDisk } from './small-disk.ts'
import { reasonOf, toTranscript } from './transcript.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

const small = buildWheel({ name: 'e2e-small', version: '1.0' })
const data = Buffer.alloc(3_000_000, 'large')
const large = buildWheel({ name: 'e2e-big', version: '1.0', data: new Map([['data', data]]) })

let trial: Trial
let environment: PipEnvironment

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('e2e-small', [small])
  trial.publish('e2e-big', [large])
  expect(await trial.sync()).toMatchObject({ exitCode: 0 })
  if (hasPip) environment = await createPipEnvironment(join(trial.folder, 'venv'))
}, 120_000)

afterAll(() => trial.close())

function install(proxy: TrialProxy, project: string): Promise<Finished> {
  return environment.pip('install', '--index-url', `${proxy.origin}/simple/`, project)
}

/** For a start that is expected to fail. */
async function failToStart(config: string): Promise<Finished> {
  return collect(trial.watch(spawnServe({}, '--config', config)))
}

describe.runIf(hasPip)('a disk that is full', () => {
  let disk: SmallDisk
  let proxy: TrialProxy

  beforeAll(async () => {
    disk = await createSmallDisk(join(trial.folder, 'small-disk'))
    const state = join(disk.folder, 'state')
    proxy = await trial.startProxy({ state, environment: disk.environment })
  })

  afterAll(async () => {
    await proxy.stop('SIGKILL')
    await disk.remove()
  })

  test('is the reason that pip shows', async () => {
    await disk.fill()
    const { code, stderr } = await install(proxy, 'e2e-big')
    expect(code).toBe(1)
    expect(reasonOf(stderr, trial.folder)).toMatchInlineSnapshot(
      `"507 Server Error: Not served by tufgate: cannot write <folder>/small-disk/state/<sha256>/vault/tmp/<name>: ENOSPC: no space left on device (<id>)"`,
    )
    expect((await environment.pip('list')).stdout).not.toContain('e2e-big')
  }, 60_000)

  test('leaves nothing half behind, and stands in the log', async () => {
    await requireCleanVault(proxy)
    const lines = await readLog(proxy, '--project', 'e2e-big', '--kind', 'refused')
    expect(lines).toMatchObject([{ code: 'DISK_FULL', found: 'ENOSPC', file: large.filename }])
  })

  test('is forgotten as soon as there is room again', async () => {
    await disk.free()
    expect(await install(proxy, 'e2e-big')).toMatchObject({ code: 0 })
    await requireCleanVault(proxy)
  }, 60_000)
})

describe('a state folder', () => {
  test('on a read-only disk: said at the first start, with the way out', async ({ skip }) => {
    const { config, state } = await trial.writeSettings()
    if (!mountReadOnly(state)) skip('this process may not mount')
    const failed = await failToStart(config).finally(() => unmount(state))
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(toTranscript(failed.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: cannot make the state folder <folder>/state-2/pins: EROFS: read-only file system
        found:    EROFS
        this disk is mounted read-only: remount it writable, or move the folder"
    `)
    await requireServing(state)
  })

  test('on a disk that has become read-only: the same at the next start', async ({ skip }) => {
    const { config, state } = await trial.writeSettings()
    await requireServing(state)
    if (!mountReadOnly(state)) skip('this process may not mount')
    const failed = await failToStart(config).finally(() => unmount(state))
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(toTranscript(failed.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: cannot open the audit log in <folder>/state-4/<sha256>/audit: EROFS: read-only file system
        found:    EROFS
        the disk of the audit log is mounted read-only: remount it writable"
    `)
    await requireServing(state)
  })
})

async function requireServing(state: string): Promise<void> {
  const proxy = await trial.startProxy({ state })
  expect((await recordAnswer(proxy.port, '/simple/e2e-small/')).status).toBe(200)
  expect(await proxy.stop()).toMatchObject({ code: 0 })
}
