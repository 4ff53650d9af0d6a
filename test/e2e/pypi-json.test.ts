/**
 * Installers that read the JSON of PyPI besides its pages: poetry, whose project names no source, pdm with
 * `pypi.json_api`, pipenv for its hashes. What tufgate answers is made from the signed record.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildTrustVariables, trustVariables } from '../../src/installers/trust-variables.ts'
import { startPretendPypi, type PretendPypi } from '../support/pretend-pypi.ts'
import { main, type RunningProxy, runProgram, startServeIn } from '../support/program.ts'
import {
  expectDone,
  isTestable,
  listInstalled,
  makeMachine,
  type Client,
} from './clients/client.ts'
import type { ClientProject, Machine } from './clients/client.ts'
import { pdm } from './clients/pdm-client.ts'
import { pipenv } from './clients/pipenv-client.ts'
import { poetryOfPypi as poetry, runPoetry } from './clients/poetry-client.ts'
import { greetings, startInterceptTrial, tool, type InterceptTrial } from './intercept-trial.ts'

vi.setConfig({ testTimeout: 180_000 })

let trial: InterceptTrial
let honest: PretendPypi
let other: RunningProxy | undefined
let count = 0

beforeAll(async () => {
  trial = await startInterceptTrial()
  honest = await startPretendPypi()
  honest.publish('client-greeting', greetings)
  honest.publish('client-tool', [tool])
}, 120_000)

afterEach(async () => {
  await other?.stop()
  other = undefined
})

afterAll(async () => {
  await honest.close()
  await trial.close()
})

interface Place {
  /** Of the proxy that the installer is told of. */
  readonly origin: string
  readonly bundle: string
  readonly indexUrl?: string
  readonly more?: Readonly<Record<string, string>>
}

const behindTufgate = (): Place => ({ origin: trial.proxy.origin, bundle: trial.bundle })

function makePlace({ origin, bundle, indexUrl, more = {} }: Place): Promise<Machine> {
  count += 1
  const unset = [...trustVariables.map(({ name }) => name), 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS']
  const variables = { ...buildTrustVariables(bundle), https_proxy: origin, ...more }
  const wrapper = [
    'env',
    ...unset.flatMap((name) => ['-u', name]),
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ]
  const { folder } = trial
  return makeMachine(
    { folder, indexUrl: indexUrl ?? 'https://pypi.org/simple/' },
    `j${count}`,
    wrapper,
  )
}

async function open(
  client: Client,
  place: Place,
  ...requirements: readonly string[]
): Promise<ClientProject> {
  return client.open(await makePlace(place), requirements)
}

interface FreshPlace extends Place {
  readonly state: string
}

/** Another proxy until the end of the test: what a log is told too often it only counts. */
async function startFresh(...more: readonly string[]): Promise<FreshPlace> {
  count += 1
  const state = join(trial.folder, `state-${count}`)
  const bundle = join(trial.folder, `ca-${count}.pem`)
  const settings = ['--config', trial.config, '--state-dir', state]
  other = await startServeIn(trial.pypi.environment, ...settings, ...more)
  expectDone(await runProgram('ca', 'export', '-o', bundle, ...settings))
  return { origin: other.origin, bundle, state }
}

/** What the proxy with this state was asked for, once it has ended: lines of pages follow their answers. */
async function readAsked({ state }: { readonly state: string }): Promise<string[]> {
  await other?.stop()
  other = undefined
  const shown = await runProgram('audit', 'show', '--state-dir', state, '--json')
  expectDone(shown)
  return shown.stdout.split('\n').flatMap((line) => /"request":"GET ([^"]*)"/.exec(line)?.[1] ?? [])
}

const newest = ['client-greeting 1.1', 'client-tool 2.0']

describe.runIf(isTestable(poetry.name, poetry.isPresent))(
  'a poetry project without a source',
  () => {
    test('gets the lock file that it would get of an honest PyPI, byte for byte', async () => {
      const direct = await open(
        poetry,
        {
          origin: honest.environment['HTTPS_PROXY'] ?? '',
          bundle: honest.environment['NODE_EXTRA_CA_CERTS'] ?? '',
        },
        'client-tool',
      )
      expectDone(await direct.lock())
      expect(honest.server.count('/pypi/client-tool/2.0/json')).toBeGreaterThan(0)
      // Of which PyPI shows a version that nobody has signed.
      const verified = await open(poetry, behindTufgate(), 'client-tool')
      expectDone(await verified.lock())

      const lock = await verified.readLock()
      expect(lock).toBe(await direct.readLock())
      expect(lock).toContain('description = "Greets whoever calls"')
      expect(lock).toContain('python-versions = ">=3.7"')
      expect(lock).toContain('client-greeting = ">=1.0"')
    })

    test('is told what is needed, so that locking downloads no file', async () => {
      const place = await startFresh()
      const project = await open(poetry, place, 'client-tool')
      expectDone(await project.lock())

      const asked = await readAsked(place)
      expect(asked).toContain('https://pypi.org/pypi/client-tool/2.0/json')
      expect(asked.filter((url) => url.includes('files.pythonhosted.org'))).toEqual([])
      expect(trial.pypi.server.requests.filter(({ path }) => path.startsWith('/pypi/'))).toEqual([])
    })

    test('is added to', async () => {
      const project = await open(poetry, behindTufgate())
      const { machine } = project
      expectDone(await runPoetry(machine, 'add', 'client-tool'))
      expect(await listInstalled(machine)).toEqual(newest)
      expect(await project.readLock()).not.toContain('127.0.0.1')
      const { code, stdout } = await runPoetry(machine, 'show')
      expect([code, stdout.replaceAll(/ +/g, ' ')]).toEqual([
        0,
        expect.stringContaining('client-tool 2.0 Greets whoever calls'),
      ])
    })

    test('is installed by tufgate run --intercept, without anything set', async () => {
      const state = join(trial.folder, 'run-state')
      await mkdir(state)
      const config = join(trial.folder, 'run-json.toml')
      const text = await readFile(trial.config, 'utf8')
      await writeFile(config, text.replace('enabled = true', 'enabled = false'))
      count += 1
      const run = ['run', '--config', config, '--state-dir', state, '--intercept', '--']
      const variables = Object.entries({ ...trial.pypi.environment, NO_PROXY: 'pypi.org' })
      const wrapper = [
        'env',
        ...variables.map(([name, value]) => `${name}=${value}`),
        process.execPath,
        main,
        ...run,
      ]
      const place = { folder: trial.folder, indexUrl: 'https://pypi.org/simple/' }
      const machine = await makeMachine(place, `j${count}`, wrapper)
      const project = await poetry.open(machine, ['client-tool'])

      const finished = await project.install()

      expectDone(finished)
      expect(finished.stderr).toContain('2 files verified')
      expect(await listInstalled(machine)).toEqual(newest)
      expect(await readAsked({ state })).toContain('https://pypi.org/pypi/client-tool/2.0/json')
    })

    test('gets no version that policy hides, and reads requirements in the files where it is not told', async () => {
      const [pinned] = greetings
      const pins = join(trial.folder, 'pins.txt')
      const lines = [
        `client-greeting 1.0 ${pinned?.filename} ${pinned?.sha256}`,
        `client-tool 2.0 ${tool.filename} ${tool.sha256}`,
      ]
      await writeFile(pins, `# tufgate pins 1\n${lines.join('\n')}\n`)
      const place = await startFresh('--pins', pins)
      const project = await open(poetry, place, 'client-tool')
      expectDone(await project.install())
      expect(await listInstalled(project.machine)).toEqual([
        'client-greeting 1.0',
        'client-tool 2.0',
      ])

      const hidden = await open(poetry, place, 'client-greeting==1.1')
      const { code, stdout, stderr } = await hidden.install()
      expect(code).not.toBe(0)
      expect(stdout + stderr).toMatch(/client-greeting \(==1\.1\) which doesn't match any versions/)
      expect(await listInstalled(hidden.machine)).toEqual([])
    })
  },
)

describe.runIf(isTestable(pdm.name, pdm.isPresent))('pdm with pypi.json_api', () => {
  const more = { PDM_PYPI_JSON_API: '1' }

  test('behind interception locks what is signed, and installs it', async () => {
    const place = await startFresh()
    const project = await open(pdm, { ...place, more }, 'client-tool')
    expectDone(await project.lock())
    expectDone(await project.sync())
    expect(await listInstalled(project.machine)).toEqual(newest)
    expect(await readAsked(place)).toContain('https://pypi.org/pypi/client-tool/2.0/json')
  })

  test('reads it of this proxy as its index too', async () => {
    const place = await startFresh()
    const indexUrl = `${place.origin}/simple/`
    const project = await open(pdm, { ...place, origin: '', indexUrl, more }, 'client-tool')
    expectDone(await project.lock())
    expectDone(await project.sync())
    expect(await listInstalled(project.machine)).toEqual(newest)
    expect(await readAsked(place)).toContain('/pypi/client-tool/2.0/json')
  })
})

describe.runIf(isTestable(pipenv.name, pipenv.isPresent))('pipenv that names pypi.org', () => {
  test('takes its hashes from what is signed', async () => {
    const place = await startFresh()
    const project = await open(pipenv, place, 'client-tool')
    expectDone(
      await project.machine.run('pipenv', ['lock'], { PIPENV_NOSPIN: '1', PIPENV_YES: '1' }),
    )
    const lock = JSON.parse(await project.readLock()) as {
      default: Record<string, { hashes: string[]; version: string }>
    }
    expect(lock.default['client-tool']?.hashes).toEqual([`sha256:${tool.sha256}`])
    expect(lock.default['client-greeting']).toMatchObject({
      hashes: [`sha256:${greetings[1]?.sha256}`],
      version: '==1.1',
    })
    expect(await readAsked(place)).toContain('https://pypi.org/pypi/client-tool/json')
  })
})
