/**
 * A client that knows nothing of tufgate but HTTPS_PROXY and a file of certificates, tufgate with interception
 * as a process, a mirror that has signed, and behind all of it what pretends to be PyPI.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildTrustVariables } from '../../src/installers/trust-variables.ts'
import { buildWheel, type Wheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import { findFilePath, startPretendPypi, type PretendPypi } from '../support/pretend-pypi.ts'
import {
  cleanEnvironment,
  type Finished,
  main,
  runCommand,
  type RunningProxy,
  runProgram,
  startServeIn,
} from '../support/program.ts'

export const greetings = ['1.0', '1.1'].map((version) =>
  buildWheel({
    name: 'client-greeting',
    version,
    code: `def greet():\n    return "hello from ${version}"\n`,
  }),
)
export const tool = buildWheel({
  name: 'client-tool',
  version: '2.0',
  summary: 'Greets whoever calls',
  requires: ['client-greeting>=1.0'],
  requiresPython: '>=3.7',
  code: 'from client_greeting import greet\n\ndef main():\n    print(greet())\n',
  scripts: { 'client-tool': 'client_tool:main' },
})
/** Changed behind the back of the mirror. */
export const victim = buildWheel({
  name: 'client-victim',
  version: '1.0',
  code: 'answer = "good"\n',
})
/** On the page of PyPI, and on no signed list. */
export const evil = buildWheel({
  name: 'client-greeting',
  version: '9.0',
  code: 'answer = "EVIL"\n',
})
/** On none of the lists. */
const marker = 'answer = "EVIL"\n'

export interface InterceptTrial {
  readonly pypi: PretendPypi
  readonly proxy: RunningProxy
  readonly folder: string
  readonly state: string
  readonly config: string
  /** Of the local authority alone. */
  readonly caFile: string
  /** With all roots. */
  readonly bundle: string
  /** Of a machine on which somebody set HTTPS_PROXY, and, where `isTold`, what is exported. */
  makeEnvironment(home: string, isTold?: boolean): Promise<NodeJS.ProcessEnv>
  tufgate(...args: readonly string[]): Promise<Finished>
  close(): Promise<void>
}

export async function startInterceptTrial(): Promise<InterceptTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-intercept-'))
  const pypi = await startPretendPypi()
  pypi.publish('client-greeting', greetings)
  pypi.publish('client-tool', [tool])
  pypi.publish('client-victim', [victim])
  const root = await signAll(folder, pypi)
  // From here on it lies.
  pypi.publish('client-greeting', [...greetings, evil])
  pypi.server.on(findFilePath(victim), serve(tamper(victim)))
  const state = join(folder, 'state')
  const config = join(folder, 'tufgate.toml')
  await writeFile(config, renderSettings(folder, root, state))
  const proxy = await startServeIn(pypi.environment, '--config', config)
  const caFile = join(folder, 'authority.pem')
  const bundle = join(folder, 'bundle.pem')
  const tufgate: InterceptTrial['tufgate'] = (...args) => runProgram(...args, '--config', config)
  await requireSuccess(tufgate('ca', 'export', '-o', caFile))
  await requireSuccess(tufgate('ca', 'export', '--bundle', '-o', bundle))
  const { origin } = proxy
  return {
    pypi,
    proxy,
    folder,
    state,
    config,
    caFile,
    bundle,
    tufgate,
    makeEnvironment: (home, isTold = true) =>
      makeEnvironment(home, { origin, ...(isTold && { bundle }) }),
    close: async () => {
      await proxy.stop()
      await pypi.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Of the same length, so that only the digest tells. */
function tamper({ bytes }: Wheel): Buffer {
  const text = bytes.toString('latin1').replace('answer = "good"\n', marker)
  return Buffer.from(text, 'latin1')
}

async function signAll(folder: string, { environment }: PretendPypi): Promise<string> {
  const mirror = join(folder, 'mirror')
  const run = (...args: readonly string[]): Promise<Finished> =>
    runCommand(process.execPath, [main, ...args], { env: cleanEnvironment(environment) })
  await requireSuccess(run('mirror', 'init', mirror, '--projects', '10'))
  const projects = ['client-greeting', 'client-tool', 'client-victim'].flatMap((name) => [
    '--project',
    name,
  ])
  await requireSuccess(
    run('mirror', 'sync', mirror, '--index', 'https://pypi.org/simple/', ...projects),
  )
  const root = join(folder, '1.root.json')
  await writeFile(root, await readFile(join(mirror, 'public/metadata/1.root.json')))
  return root
}

function renderSettings(folder: string, root: string, state: string): string {
  return [
    `state-dir = ${JSON.stringify(state)}`,
    '[intercept]',
    'enabled = true',
    '[[index]]',
    'name = "pypi"',
    'url = "https://pypi.org/simple/"',
    `mirror = [${JSON.stringify(join(folder, 'mirror', 'public'))}]`,
    `root = ${JSON.stringify(root)}`,
    '',
  ].join('\n')
}

async function requireSuccess(running: Promise<Finished>): Promise<void> {
  const { code, stdout, stderr } = await running
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}${stdout}`)
}

async function makeEnvironment(
  home: string,
  { origin, bundle }: { readonly origin: string; readonly bundle?: string },
): Promise<NodeJS.ProcessEnv> {
  await mkdir(home, { recursive: true })
  const environment = cleanEnvironment({
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    PIP_CONFIG_FILE: '/dev/null',
    LANG: 'C.UTF-8',
    HTTPS_PROXY: origin,
    HTTP_PROXY: origin,
    NO_PROXY: '',
  })
  for (const name of Object.keys(environment)) {
    if (/^(?:SSL_CERT_|REQUESTS_CA|CURL_CA|PIP_CERT|NODE_EXTRA_CA)/.test(name))
      delete environment[name]
  }
  return { ...environment, ...(bundle !== undefined && buildTrustVariables(bundle)) }
}
