import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  findSidecar,
  findSidecarPlace,
  forgetSidecar,
  writeSidecar,
  type SidecarPlace,
} from '../../src/cli/session/sidecar-file.ts'
import { currentOwner } from '../../src/store/process-owner.ts'
import { cleanEnvironment, type Finished, main, runCommand } from '../support/program.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-sidecar-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function run(stateDir: string, ...args: readonly string[]): Promise<Finished> {
  const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null' })
  return runCommand(process.execPath, [main, ...args, '--state-dir', stateDir], { env })
}

const sidecar = {
  owner: currentOwner().id,
  origin: 'http://127.0.0.1:4321',
  token: 'secret',
  audit: { folder: '/x/audit', chain: 'chain' },
  head: 'chain:1:digest',
  startedAt: 1000,
  secrets: ['ACME_INDEX'],
  indexHosts: ['pypi.org'],
}

async function leave(stateDir: string, owner: string): Promise<SidecarPlace> {
  const place = findSidecarPlace({ stateDir })
  await writeSidecar(place, { ...sidecar, owner })
  return place
}

test('what is kept of a sidecar is for its user alone', async () => {
  const place = findSidecarPlace({ stateDir: makeFolder(), name: 'job.1' })
  expect(findSidecar(place)).toBeUndefined()
  await writeSidecar(place, sidecar)
  expect(findSidecar(place)).toEqual(sidecar)
  expect(statSync(place.file).mode & 0o777).toBe(0o600)
  expect(statSync(place.folder).mode & 0o777).toBe(0o700)
  forgetSidecar(place)
  expect(findSidecar(place)).toBeUndefined()
})

test.each(['../x', 'a/b', '', '.', '-x', 'a b', 'x'.repeat(65), 'ä'])(
  'the name %j leads nowhere',
  (name) => {
    expect(() => findSidecarPlace({ stateDir: makeFolder(), name })).toThrow(
      'is not a name for a proxy',
    )
  },
)

test('the flags that find it again are quoted', () => {
  const stateDir = join(makeFolder(), "it's; touch owned")
  expect(findSidecarPlace({ stateDir, name: 'x' }).flags).toBe(
    ` --name x --state-dir '${stateDir.replaceAll("'", String.raw`'\''`)}'`,
  )
})

test('a damaged file is told of, not taken for none', async () => {
  const stateDir = makeFolder()
  const place = await leave(stateDir, sidecar.owner)
  writeFileSync(place.file, '{"owner": 1}')
  for (const command of ['start', 'env', 'stop']) {
    const { code, stderr } = await run(stateDir, command)
    expect(code).toBe(2)
    expect(stderr).toContain(`${place.file} is damaged`)
    expect(stderr).toContain(`rm ${place.file}`)
  }
})

test('a process number that another process has now is not stopped', async () => {
  const stateDir = makeFolder()
  const [pid = '', start = '', where = ''] = sidecar.owner.split('.')
  await leave(stateDir, `${pid}.${Number(start) + 1}.${where}`)
  const { code, stderr } = await run(stateDir, 'stop')
  // This very process would have been ended.
  expect(code).toBe(1)
  expect(stderr).toContain('the proxy DIED while it was in use')
})

test('one of another container is neither stopped, used nor replaced', async () => {
  const stateDir = makeFolder()
  const [, , where = ''] = sidecar.owner.split('.')
  const place = await leave(stateDir, `1.1.n1${where.slice(where.indexOf('b'))}`)
  const stopped = await run(stateDir, 'stop')
  expect(stopped).toMatchObject({ code: 2 })
  expect(stopped.stderr).toContain(
    'was started in another container: it cannot be stopped from here',
  )
  const started = await run(stateDir, 'start')
  expect(started).toMatchObject({ code: 2 })
  expect(started.stderr).toContain(`If it is gone: rm ${place.file}`)
  const env = await run(stateDir, 'env')
  expect(env).toMatchObject({ code: 2 })
  expect(env.stderr).toContain('was started in another container: it cannot be used from here')
  expect(env.stdout).toMatch(/\nfalse\n$/)
  expect(findSidecar(place)).toBeDefined()
})

test('there is nothing to use and nothing to stop where nothing was started', async () => {
  const stateDir = makeFolder()
  const stopped = await run(stateDir, 'stop')
  expect(stopped).toMatchObject({ code: 2, stdout: '' })
  expect(stopped.stderr).toContain('No proxy "default" runs')
  const env = await run(stateDir, 'env', '--format', 'github')
  expect(env).toMatchObject({ code: 2, stdout: '' })
  expect(env.stderr).toContain('No proxy "default" was started')
  expect(env.stderr).toContain(`Start one: tufgate start --state-dir ${stateDir}`)
  expect(readdirSync(stateDir)).toEqual([])
})

test('variables are appended for GitHub alone', async () => {
  const stateDir = makeFolder()
  await leave(stateDir, sidecar.owner)
  const { code, stderr } = await run(stateDir, 'env', '--write')
  expect(code).toBe(2)
  expect(stderr).toContain('--write is for a step of GitHub Actions')
})

test('the settings of the user stay in force, but for what leads past the proxy', async () => {
  const stateDir = makeFolder()
  const home = makeFolder()
  mkdirSync(join(home, '.config', 'pip'), { recursive: true })
  const conf = '[global]\ntimeout = 7\nextra-index-url = https://evil.example/simple/\n'
  writeFileSync(join(home, '.config', 'pip', 'pip.conf'), conf)
  const place = await leave(stateDir, sidecar.owner)
  const env = cleanEnvironment({
    HOME: home,
    PIP_EXTRA_INDEX_URL: 'https://evil.example/simple/',
    NO_PROXY: 'corp.example',
    ACME_INDEX: 'user:password',
  })
  const args = [main, 'env', '--format', 'json', '--state-dir', stateDir]
  const { code, stdout, stderr } = await runCommand(process.execPath, args, { env })
  expect(code).toBe(0)
  const variables = JSON.parse(stdout) as Record<string, string>
  expect(variables).toMatchObject({
    PIP_INDEX_URL: 'http://127.0.0.1:4321/secret/simple/',
    UV_DEFAULT_INDEX: 'http://127.0.0.1:4321/secret/simple/',
    PIP_CONFIG_FILE: join(place.folder, 'pip.conf'),
    PIP_EXTRA_INDEX_URL: '',
    // What an installer runs has no need of it.
    ACME_INDEX: '',
    NO_PROXY: 'corp.example,localhost,127.0.0.1,::1',
  })
  expect(stderr).toContain(
    'left out of the environment, so that nothing goes past the proxy: PIP_EXTRA_INDEX_URL',
  )
  expect(stderr).toContain('so that nothing goes past the proxy: extra-index-url (line ')
  const shown = await runCommand('cat', [variables['PIP_CONFIG_FILE'] ?? ''])
  expect(shown.stdout).toContain('timeout = 7')
  expect(shown.stdout).not.toContain('evil.example')
  // The second time its own settings are not taken for the user's.
  const again = await runCommand(process.execPath, args, { env: { ...env, ...variables } })
  expect(again.stdout).toContain('"PIP_INDEX_URL":"http://127.0.0.1:4321/secret/simple/"')
  expect(again.stderr).not.toContain(place.folder)
})

test('what others can write is not believed: it would say which process to end', async () => {
  const stateDir = makeFolder()
  const place = await leave(stateDir, sidecar.owner)
  for (const folder of [place.folder, join(stateDir, 'sidecars'), stateDir]) {
    chmodSync(folder, 0o777)
    for (const command of ['start', 'env', 'stop']) {
      const { code, stderr } = await run(stateDir, command)
      expect(code).toBe(2)
      expect(stderr).toContain(`the state folder ${folder} can be written by other users`)
    }
    chmodSync(folder, 0o700)
  }
})

test('is for this machine alone', async () => {
  const { code, stderr } = await run(makeFolder(), 'start', '--listen', '0.0.0.0:0')
  expect(code).toBe(2)
  expect(stderr).toContain('0.0.0.0:0 can be reached from other machines')
})

test('a report that cannot be written fails the stop, and the others are written', async () => {
  const stateDir = makeFolder()
  const [pid = '', start = '', where = ''] = sidecar.owner.split('.')
  await leave(stateDir, `${pid}.${Number(start) + 1}.${where}`)
  const junit = join(stateDir, 'report.xml')
  const missing = join(stateDir, 'missing', 'report.md')
  const { code, stderr } = await run(stateDir, 'stop', '--summary', missing, '--junit', junit)
  expect(code).toBe(1)
  expect(stderr).toContain(missing)
  expect(readFileSync(junit, 'utf8')).toContain('DIED')
})

test.runIf(existsSync('/dev/full'))(
  'a full disk under the summary of a job is told in words',
  async () => {
    const stateDir = makeFolder()
    await leave(stateDir, sidecar.owner.replace(/^\d+/, '1'))
    const env = cleanEnvironment({ GITHUB_STEP_SUMMARY: '/dev/full' })
    const args = [main, 'stop', '--state-dir', stateDir]
    const { code, stderr } = await runCommand(process.execPath, args, { env })
    expect(code).toBe(1)
    expect(stderr).toContain('cannot write /dev/full: ENOSPC')
    expect(stderr).not.toContain('    at ')
  },
)
