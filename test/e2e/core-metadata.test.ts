/**
 * A7: an index that lies about dependencies in its `.metadata` from the first look on, so that the lie is
 * what was signed, or remembered. Real pip plans by it and gets no wheel; once the index is mended it does.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildSdist } from '../support/build-sdist.ts'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex } from '../support/folder-index.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { runProgram, startServe, type Finished, type RunningProxy } from '../support/program.ts'
import { Trial } from './trial.ts'

warnWithoutPip()

const project = 'e2e-lied-about'
const honest = buildWheel({ name: project, version: '1.0' })
const evil = buildWheel({ name: 'e2e-evil', version: '1.0' })
const { metadata: forged } = buildWheel({ name: project, version: '1.0', requires: ['e2e-evil'] })
const lie: Wheel = { ...honest, metadata: forged }
const differs = `METADATA in ${honest.filename} differs from ${honest.filename}.metadata`
const refusal = {
  kind: 'refused',
  code: 'CORE_METADATA_MISMATCH',
  expected: sha256(forged),
  found: sha256(honest.metadata),
}

describe.runIf(hasPip)('an index that lies about dependencies from the first look on', () => {
  let folder: string
  let environment: PipEnvironment
  let proxy: RunningProxy | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-core-metadata-'))
    environment = await createPipEnvironment(join(folder, 'venv'))
  }, 120_000)

  afterEach(async () => {
    await proxy?.stop('SIGKILL')
    proxy = undefined
    await environment.pip('uninstall', '--yes', project, 'e2e-evil')
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function stop(): Promise<Finished> {
    const finished = await proxy?.stop()
    proxy = undefined
    if (finished === undefined) throw new Error('there is no proxy')
    return finished
  }

  function install(): Promise<Finished> {
    const index = `${proxy?.origin}/simple/`
    return environment.pip('install', '--index-url', index, project)
  }

  async function listInstalled(): Promise<string[]> {
    const { stdout } = await environment.pip('list', '--format', 'freeze')
    return stdout.split('\n').filter((line) => line.startsWith('e2e-'))
  }

  async function requireRefused(state: string): Promise<void> {
    const refused = await install()
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`403 Client Error: Refused by tufgate: ${differs}`)
    expect(await listInstalled()).toEqual([])
    expect((await stop()).stderr).toContain(`refused ${honest.filename}: ${differs}`)
    const shown = await runProgram('audit', 'show', '--state-dir', state, '--json')
    const lines = shown.stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining(refusal),
    )
    const [, id = ''] = /\((r-\w+)\)/.exec(refused.stderr) ?? []
    const explained = await runProgram('explain', id, '--state-dir', state)
    expect(explained.stdout).toContain('PEP 658')
  }

  async function requireInstalled(): Promise<void> {
    expect(await install()).toMatchObject({ code: 0 })
    expect(await listInstalled()).toEqual([`${project}==1.0`])
  }

  test('harms nobody behind a mirror, which tells what it signed, and mends its record', async () => {
    const trial = await Trial.create()
    try {
      trial.publish('e2e-evil', [evil])
      trial.publish(project, [lie])
      expect(await trial.sync()).toMatchObject({ exitCode: 0 })
      const first = await trial.startProxy()
      proxy = first
      await requireRefused(first.state)
      const checked = await runProgram('mirror', 'verify-files', trial.mirror, '--project', project)
      expect(checked.code).toBe(3)
      trial.publish(project, [honest])
      expect(await trial.sync()).toMatchObject({ exitCode: 0 })
      proxy = await trial.startProxy()
      await requireInstalled()
      await stop()
    } finally {
      await trial.close()
    }
  }, 120_000)

  test('has no listener where core-metadata = false, not even for a source archive', async () => {
    const trial = await Trial.create()
    try {
      const setup = 'raise SystemExit("evil ran")'
      trial.publish('e2e-evil', [buildSdist({ name: 'e2e-evil', version: '1.0', setup })])
      trial.publish(project, [lie])
      expect(await trial.sync()).toMatchObject({ exitCode: 0 })
      proxy = await trial.startProxy({ settings: '[policy]\ncore-metadata = false' })
      await requireInstalled()
      await stop()
    } finally {
      await trial.close()
    }
  }, 120_000)

  test('harms nobody with trust on first use, and nobody says that anything was signed', async () => {
    const put = (wheel: Wheel): Promise<void> =>
      writeIndex(join(folder, 'index'), [
        { name: project, wheels: [wheel] },
        { name: 'e2e-evil', wheels: [evil] },
      ])
    await put(lie)
    const index = await serveFolder(join(folder, 'index'))
    const state = join(folder, 'state')
    const place = ['--index', index.url, '--state-dir', state]
    try {
      proxy = await startServe(...place)
      await requireRefused(state)
      await put(honest)
      proxy = await startServe(...place)
      await requireInstalled()
      const { stdout, stderr } = await stop()
      expect(stdout + stderr).not.toMatch(/\b(?:signed|verified)\b/i)
    } finally {
      await index.close()
    }
  }, 120_000)
})
