/** `pip install NAME` with no index in sight: HTTPS_PROXY and the exported certificates are all that is set. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Wheel } from '../support/build-wheel.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { findFileUrl } from '../support/pretend-pypi.ts'
import { runCommand, runProgram, type Finished } from '../support/program.ts'
import {
  evil,
  greetings,
  startInterceptTrial,
  tool,
  victim,
  type InterceptTrial,
} from './intercept-trial.ts'

warnWithoutPip()

describe.runIf(hasPip)('pip that asks https://pypi.org/simple/', () => {
  let trial: InterceptTrial
  let environment: PipEnvironment

  beforeAll(async () => {
    trial = await startInterceptTrial()
    environment = await createPipEnvironment(join(trial.folder, 'venv'))
  }, 120_000)

  afterAll(async () => {
    await trial.close()
  })

  async function pip(isTold: boolean, ...args: readonly string[]): Promise<Finished> {
    const home = join(trial.folder, 'home')
    const env = await trial.makeEnvironment(home, isTold)
    const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check']
    return runCommand(environment.python, ['-m', 'pip', ...settings, ...args], { env })
  }

  async function download(...args: readonly string[]): Promise<{ pip: Finished; files: string[] }> {
    const target = join(trial.folder, 'downloads')
    await mkdir(target, { recursive: true })
    const finished = await pip(true, 'download', '-d', target, ...args)
    return { pip: finished, files: await readdir(target) }
  }

  test('gets a program and its dependency, of which PyPI shows an unsigned version too', async () => {
    const { code, stderr } = await pip(true, 'install', 'client-tool')

    expect(stderr).toBe('')
    expect(code).toBe(0)
    const script = await runCommand(join(trial.folder, 'venv', 'bin', 'client-tool'), [])
    expect(script.stdout).toBe('hello from 1.1\n')
  })

  test('cannot be led to a version that is on the page of PyPI alone', async () => {
    const { code, stderr } = await pip(true, 'install', 'client-greeting==9.0')

    expect(code).toBe(1)
    expect(stderr).toContain('No matching distribution found for client-greeting==9.0')
    expect(stderr).toContain('(from versions: 1.0, 1.1)')
  })

  test('is refused a file that was changed, and is shown why', async () => {
    const { pip: finished, files } = await download('client-victim')

    expect(finished.code).toBe(1)
    expect(finished.stderr).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of client_victim-1.0-py3-none-any.whl is not the signed one/,
    )
    expect(files).toEqual([])
  })

  test.each([
    ['was changed', victim, 'is not the signed one'],
    ['no signed list has', evil, 'lists no such file'],
  ])('is refused a file by its URL, as in a lock file, that %s', async (_what, wheel, reason) => {
    const { pip: finished, files } = await download('--no-deps', locked(wheel))

    expect(finished.code).toBe(1)
    expect(finished.stderr).toContain(reason)
    expect(files).toEqual([])
  })

  test('gets the files that a lock file names by their URLs', async () => {
    const lock = join(trial.folder, 'requirements.txt')
    const [, newest] = greetings
    await writeFile(lock, `${locked(tool)}\n${newest === undefined ? '' : locked(newest)}\n`)

    const { pip: finished, files } = await download('--no-deps', '-r', lock)

    expect(finished.stderr).toBe('')
    expect(files.toSorted()).toEqual([newest?.filename, tool.filename])
    expect(await readFile(join(trial.folder, 'downloads', tool.filename))).toEqual(tool.bytes)
  })

  test('delivers nothing to a client that was not told of the authority', async () => {
    const asked = trial.pypi.server.count()

    const { code, stdout, stderr } = await pip(false, 'install', '--retries', '0', 'client-victim')

    expect(code).toBe(1)
    // Old versions warn on standard output.
    expect(stdout + stderr).toMatch(/certificate verify failed|SSLCertVerificationError/)
    expect(trial.pypi.server.count()).toBe(asked)
    const log = await runProgram('audit', 'show', '--state-dir', trial.state)
    expect(log.stdout).toContain(
      'the client does not trust the local authority, which vouched for pypi.org',
    )
  })

  test('every connection of the client led to the proxy: it has no other way to these names', async () => {
    expect(new Set(trial.pypi.connects)).toEqual(
      new Set(['pypi.org:443', 'files.pythonhosted.org:443']),
    )
  })
})

/** As `pip freeze` and lock files write it. */
function locked(wheel: Wheel): string {
  const [name = ''] = wheel.filename.split('-')
  return `${name.replaceAll('_', '-')} @ ${findFileUrl(wheel)}#sha256=${wheel.sha256}`
}
