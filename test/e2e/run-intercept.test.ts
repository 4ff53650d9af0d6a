/** `tufgate run --intercept`: a command that names https://pypi.org itself, behind a proxy of the network. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { collect, spawnProgram, type Finished } from '../support/program.ts'
import { startInterceptTrial, type InterceptTrial } from './intercept-trial.ts'
import { node } from './run-fixture.ts'

warnWithoutPip()

let trial: InterceptTrial
let config: string
let python: string
let count = 0
let state: string

beforeAll(async () => {
  trial = await startInterceptTrial()
  config = join(trial.folder, 'run.toml')
  const text = await readFile(trial.config, 'utf8')
  await writeFile(config, text.replace('enabled = true', 'enabled = false'))
  if (hasPip) ({ python } = await createPipEnvironment(join(trial.folder, 'run-venv')))
}, 120_000)

afterAll(() => trial.close())

beforeEach(async () => {
  count += 1
  state = join(trial.folder, `run-state-${count}`)
  await mkdir(join(state, 'tmp'), { recursive: true })
})

function run(flags: readonly string[], command: readonly string[]): Promise<Finished> {
  const environment = {
    ...trial.pypi.environment,
    HOME: join(state, 'home'),
    TMPDIR: join(state, 'tmp'),
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_CACHE_DIR: '1',
    NO_PROXY: 'pypi.org',
  }
  const settings = ['--config', config, '--state-dir', state]
  return collect(spawnProgram(environment, 'run', ...settings, ...flags, '--', ...command))
}

function install(...args: readonly string[]): string[] {
  const index = ['--index-url', 'https://pypi.org/simple/']
  return [python, '-m', 'pip', 'install', '--target', join(state, 'installed'), ...index, ...args]
}

/** Says the status of a CONNECT. */
function connect(target: string, password: string): string {
  return `
  const { port, username, password } = new URL(process.env.HTTPS_PROXY)
  const secret = Buffer.from(${password}).toString('base64')
  const headers = { host: '${target}', 'proxy-authorization': 'Basic ' + secret }
  const asked = require('node:http').request({ port, host: '127.0.0.1', method: 'CONNECT', path: '${target}', headers })
  const tell = (answer) => { console.log(answer.statusCode); process.exit(0) }
  asked.on('connect', tell).on('response', tell).end()`
}

describe.runIf(hasPip)('pip that is told to ask https://pypi.org', () => {
  test('installs what is verified, and nothing is left', async () => {
    const { code, stdout, stderr } = await run(['--intercept'], install('client-tool'))
    expect(stderr).toContain('2 files verified')
    expect(stdout).toContain('Successfully installed client-greeting-1.1 client-tool-2.0')
    expect(code).toBe(0)
    expect(await readdir(join(state, 'tmp'))).toEqual([])
    const kept = await readdir(state, { recursive: true })
    expect(kept.filter((name) => /authority|\.pem$|\.key$/.test(name))).toEqual([])
  })

  test('does not see a version that nobody has signed, whatever NO_PROXY says', async () => {
    const { code, stderr } = await run(['--intercept'], install('client-greeting==9.0'))
    expect(stderr).toContain('(from versions: 1.0, 1.1)')
    expect(stderr).toContain(
      'left out of the environment, so that nothing goes past the proxy: NO_PROXY',
    )
    expect(code).toBe(1)
  })

  test('is refused a file that was changed, and told why', async () => {
    const { code, stderr } = await run(['--intercept'], install('client-victim'))
    expect(stderr).toContain('Refused by tufgate: sha256 of client_victim-1.0-py3-none-any.whl')
    expect(stderr).toContain('1 refused')
    expect(code).toBe(1)
  })
})

describe('a command', () => {
  const show = node(`
    const { readFileSync, statSync } = require('node:fs')
    const bundle = process.env.PIP_CERT
    const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY', 'no_proxy']
    console.log(JSON.stringify({
      ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
      mode: statSync(bundle).mode & 0o777,
      certificates: readFileSync(bundle, 'utf8').split('BEGIN CERTIFICATE').length - 1,
      isOne: ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'].every((name) => process.env[name] === bundle),
    }))`)

  test('has the proxy with its password, and roots of its own', async () => {
    const { stdout, code } = await run(['--intercept'], show)
    const found = JSON.parse(stdout) as Record<string, unknown>
    const proxy = found['HTTPS_PROXY']
    expect(proxy).toMatch(/^http:\/\/tufgate:[0-9a-f]{40}@127\.0\.0\.1:\d+$/)
    expect(found).toMatchObject({
      https_proxy: proxy,
      HTTP_PROXY: proxy,
      ALL_PROXY: proxy,
      NO_PROXY: 'localhost,127.0.0.1,::1',
      no_proxy: 'localhost,127.0.0.1,::1',
      mode: 0o600,
      isOne: true,
    })
    expect(found['certificates']).toBeGreaterThan(10)
    expect(code).toBe(0)
  })

  test('has neither without the flag', async () => {
    const { stdout } = await run(
      [],
      node('console.log(process.env.HTTPS_PROXY, process.env.PIP_CERT)'),
    )
    expect(stdout).toBe(`${trial.pypi.environment['HTTPS_PROXY']} undefined\n`)
  })

  test.each([
    ['pypi.org:443', `username + ':' + password`, '200'],
    ['pypi.org:443', `username + ':' + 'f'.repeat(40)`, '407'],
    ['evil.example:443', `username + ':' + password`, '403'],
  ])('that asks for %s as %s: %s', async (target, password, status) => {
    const { stdout, code } = await run(['--intercept'], node(connect(target, password)))
    expect(stdout).toBe(`${status}\n`)
    // What was refused was asked for on purpose, and the command is content.
    expect(code).toBe(status === '403' ? 3 : 0)
    expect(trial.pypi.connects).not.toContain('evil.example:443')
  })
})
