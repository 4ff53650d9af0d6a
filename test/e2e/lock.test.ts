/** Lock files that real clients write through the proxy, turned into the index's own addresses and back. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { containing } from '../support/expecting.ts'
import { runProgram, type Finished } from '../support/program.ts'
import { isTestable, listInstalled, makeMachine, type Client } from './clients/client.ts'
import { pdm } from './clients/pdm-client.ts'
import { pipenv } from './clients/pipenv-client.ts'
import { poetry } from './clients/poetry-client.ts'
import { Trial, type TrialProxy } from './trial.ts'

const lib = buildWheel({ name: 'client-lib', version: '1.0' })
const app = buildWheel({ name: 'client-app', version: '1.0', requires: ['client-lib>=1.0'] })

let trial: Trial
let proxy: TrialProxy

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('client-lib', [lib])
  trial.publish('client-app', [app])
  await trial.sync()
  // What old clients read when they are sent to the index itself.
  trial.serveHtmlPage('client-lib', [lib])
  trial.serveHtmlPage('client-app', [app])
  proxy = await trial.startProxy()
}, 60_000)

afterAll(async () => {
  await trial.close()
})

function rewrite(file: string, ...flags: readonly string[]): Promise<Finished> {
  return runProgram('lock', 'rewrite', file, '--index', trial.indexUrl, ...flags)
}

async function lockThroughProxy(client: Client, indexUrl = `${proxy.origin}/simple/`) {
  const machine = await makeMachine({ folder: trial.folder, indexUrl }, `lock-${client.name}`)
  const project = await client.open(machine, ['client-app'])
  const locked = await project.lock()
  expect(locked, locked.stderr + locked.stdout).toMatchObject({ code: 0 })
  return project
}

describe.runIf(isTestable('pdm', pdm.isPresent))('pdm.lock', () => {
  test('goes to the index, where pdm takes it without the proxy, and comes back as it was', async () => {
    const project = await lockThroughProxy(pdm)
    const file = join(project.machine.folder, 'pdm.lock')
    const before = await readFile(file, 'utf8')
    expect(before).toContain(proxy.origin)
    expect(await rewrite(file, '--check')).toMatchObject({ code: 3 })
    expect(await readFile(file, 'utf8')).toBe(before)
    expect(await rewrite(file)).toMatchObject({
      code: 0,
      stdout: containing("2 addresses turned into the index's own"),
    })
    const after = await readFile(file, 'utf8')
    expect(after).not.toContain(proxy.origin)
    expect(after).toContain(trial.index.url(`/files/${app.filename}`))
    expect(await rewrite(file, '--check')).toMatchObject({ code: 0 })
    const elsewhere = await makeMachine(
      { folder: trial.folder, indexUrl: trial.indexUrl },
      'lock-pdm-direct',
    )
    const direct = await pdm.open(elsewhere, ['client-app'])
    await writeFile(join(elsewhere.folder, 'pdm.lock'), after)
    const synced = await direct.sync()
    expect(synced, synced.stderr + synced.stdout).toMatchObject({ code: 0 })
    expect(await listInstalled(elsewhere)).toEqual(['client-app 1.0', 'client-lib 1.0'])
    expect(await rewrite(file, '--to', 'proxy', '--proxy', proxy.origin)).toMatchObject({ code: 0 })
    expect(await readFile(file, 'utf8')).toBe(before)
  }, 120_000)
})

describe.runIf(isTestable('poetry', poetry.isPresent))('poetry.lock', () => {
  test('goes to the index and comes back as it was; poetry takes both', async () => {
    const project = await lockThroughProxy(poetry)
    const file = join(project.machine.folder, 'poetry.lock')
    const before = await readFile(file, 'utf8')
    expect(before).toContain(`url = "${proxy.origin}/simple"`)
    expect(await rewrite(file)).toMatchObject({ code: 0 })
    const after = await readFile(file, 'utf8')
    expect(after).toBe(before.replaceAll(`${proxy.origin}/simple`, trial.index.url('/simple')))
    const synced = await project.sync()
    expect(synced, synced.stderr + synced.stdout).toMatchObject({ code: 0 })
    expect(synced.stdout + synced.stderr).not.toContain('not consistent')
    expect(await listInstalled(project.machine)).toEqual(['client-app 1.0', 'client-lib 1.0'])
    expect(await rewrite(file, '--to', 'proxy', '--proxy', proxy.origin)).toMatchObject({ code: 0 })
    expect(await readFile(file, 'utf8')).toBe(before)
  }, 120_000)

  test('for PyPI itself loses the source that the project does not name any more, as poetry would write it', async () => {
    const project = await lockThroughProxy(poetry)
    const { machine } = project
    const { folder } = machine
    const file = join(folder, 'poetry.lock')
    const manifest = join(folder, 'pyproject.toml')
    const [plain = ''] = (await readFile(manifest, 'utf8')).split('[[tool.poetry.source]]')
    await writeFile(manifest, plain)
    const check = () =>
      machine.run('poetry', ['lock', '--check'], {
        PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
      })
    expect(await check()).toMatchObject({ code: 1 })
    const rewritten = await runProgram(
      'lock',
      'rewrite',
      file,
      '--index',
      'https://pypi.org/simple/',
    )
    expect(rewritten).toMatchObject({ code: 0, stderr: '' })
    expect(rewritten.stdout).toContain('2 source tables of poetry are gone')
    const after = await readFile(file, 'utf8')
    expect(after).not.toMatch(/source|127\.0\.0\.1/)
    expect(await check()).toMatchObject({ code: 0 })
  }, 120_000)
})

describe.runIf(isTestable('pipenv', pipenv.isPresent))('Pipfile.lock', () => {
  test('names PyPI anyhow where the proxy is its mirror: nothing to rewrite', async () => {
    const project = await lockThroughProxy(pipenv)
    const file = join(project.machine.folder, 'Pipfile.lock')
    const before = await readFile(file, 'utf8')
    const result = await runProgram('lock', 'rewrite', file, '--check')
    expect(result).toMatchObject({
      code: 0,
      stdout: containing('nothing to rewrite'),
    })
    expect(await readFile(file, 'utf8')).toBe(before)
  }, 180_000)

  test('goes to the index where the Pipfile names the proxy; pipenv takes it, and it comes back as it was', async () => {
    const machine = await makeMachine({ folder: trial.folder, indexUrl: '' }, 'lock-pipenv-source')
    const env = { PIPENV_NOSPIN: '1', PIPENV_YES: '1', PIPENV_VERBOSITY: '-1' }
    const source = `[[source]]\nname = "local"\nurl = "${proxy.origin}/simple"\nverify_ssl = false\n`
    await writeFile(join(machine.folder, 'Pipfile'), `${source}[packages]\nclient-lib = "*"\n`)
    const locked = await machine.run('pipenv', ['lock'], env)
    expect(locked, locked.stderr).toMatchObject({ code: 0 })
    const file = join(machine.folder, 'Pipfile.lock')
    const before = await readFile(file, 'utf8')
    expect(await rewrite(file)).toMatchObject({ code: 0 })
    const after = await readFile(file, 'utf8')
    expect(after).toBe(before.replace(`${proxy.origin}/simple`, trial.index.url('/simple')))
    const installed = await machine.run('pipenv', ['install', '--deploy'], env)
    expect(installed, installed.stderr).toMatchObject({ code: 0 })
    expect(await listInstalled(machine)).toEqual(['client-lib 1.0'])
    expect(await rewrite(file, '--to', 'proxy', '--proxy', proxy.origin)).toMatchObject({ code: 0 })
    expect(await readFile(file, 'utf8')).toBe(before)
  }, 180_000)
})
