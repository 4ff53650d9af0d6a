/** Installers that ask pypi.org as they always did: two variables for the proxy, and those that name the certificates. */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildTrustVariables, trustVariables } from '../../src/installers/trust-variables.ts'
import {
  expectDone,
  findText,
  isTestable,
  listInstalled,
  makeMachine,
  type Client,
  type ClientProject,
} from './clients/client.ts'
import { pdm } from './clients/pdm-client.ts'
import { newerPip, pip } from './clients/pip-client.ts'
import { pipenv } from './clients/pipenv-client.ts'
import { poetry, poetryOfPypi } from './clients/poetry-client.ts'
import { startInterceptTrial, type InterceptTrial } from './intercept-trial.ts'

vi.setConfig({ testTimeout: 180_000 })

let trial: InterceptTrial
let count = 0

beforeAll(async () => {
  trial = await startInterceptTrial()
}, 120_000)

afterAll(async () => {
  await trial.close()
})

const clients = [pip, newerPip, poetry, poetryOfPypi, pdm, pipenv].filter(
  (client) => client !== undefined,
)

/** What alone is enough for each of these versions: what is said of the variables holds. */
const oneIsEnough: ReadonlyMap<string, string> = new Map([
  [pip.name, 'PIP_CERT'],
  ['poetry', 'REQUESTS_CA_BUNDLE'],
  [poetryOfPypi.name, 'REQUESTS_CA_BUNDLE'],
  ['pdm', 'REQUESTS_CA_BUNDLE'],
  ['pipenv', 'REQUESTS_CA_BUNDLE'],
])

async function open(
  client: Client,
  variables: Readonly<Record<string, string>>,
  ...requirements: readonly string[]
): Promise<ClientProject> {
  count += 1
  const { origin } = trial.proxy
  const place = { folder: trial.folder, indexUrl: 'https://pypi.org/simple/' }
  const unset = [...trustVariables.map(({ name }) => name), 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS']
  const wrapper = [
    'env',
    ...unset.flatMap((name) => ['-u', name]),
    `https_proxy=${origin}`,
    `http_proxy=${origin}`,
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ]
  return client.open(await makeMachine(place, String(count), wrapper), requirements)
}

const newest = ['client-greeting 1.1', 'client-tool 2.0']

describe.each(clients)('$name', (client) => {
  const ifPresent = test.runIf(isTestable(client.name, client.isPresent))

  ifPresent('installs what is signed, and not the newer version on the page of PyPI', async () => {
    const name = oneIsEnough.get(client.name)
    const told = name === undefined ? buildTrustVariables(trial.bundle) : { [name]: trial.bundle }
    const project = await open(client, told, 'client-tool')

    expectDone(await project.install())

    expect(await listInstalled(project.machine)).toEqual(newest)
  })

  ifPresent('locks under the addresses of PyPI, and installs from that lock file', async () => {
    const project = await open(client, buildTrustVariables(trial.bundle), 'client-tool')
    expectDone(await project.lock())

    const lock = await project.readLock()
    expect(lock).not.toContain('127.0.0.1')
    expectDone(await project.sync())

    expect(await listInstalled(project.machine)).toEqual(newest)
  })

  ifPresent('shows why a file is refused that was changed, and keeps nothing of it', async () => {
    const project = await open(client, buildTrustVariables(trial.bundle), 'client-victim')

    const { code, stdout, stderr } = await project.install()

    expect(code).not.toBe(0)
    expect(`${stdout}\n${stderr}`.replaceAll(/\s+/g, ' ')).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of client_victim-1\.0-py3-none-any\.whl is not the signed one/,
    )
    expect(await findText(project.machine.folder, 'answer = "EVIL"')).toEqual([])
    expect(await listInstalled(project.machine)).toEqual([])
  })
})

// Of one for all: each of them has its TLS from Python, and tries again for ten seconds.
test.runIf(isTestable(pip.name, pip.isPresent))(
  'installs nothing where it was not told of the authority',
  async () => {
    const project = await open(pip, { PIP_RETRIES: '0' }, 'client-tool')

    const { code, stdout, stderr } = await project.install()

    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain('CERTIFICATE_VERIFY_FAILED')
    expect(await listInstalled(project.machine)).toEqual([])
  },
)
