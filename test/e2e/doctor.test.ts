/**
 * The doctor beside a real pip: what it calls a way past the proxy is one, and what it says mends it does.
 * A second index, which nobody has signed, has a newer version, and remembers who asks.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { examine } from '../../src/cli/doctor/doctor-examination.ts'
import { readSettings } from '../../src/cli/read-settings.ts'
import { countFindings, isClean, type Finding } from '../../src/doctor/finding.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serve, startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { cleanEnvironment, type Finished, main, runCommand } from '../support/program.ts'
import { waysOut, type Setup } from './doctor-ways.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

const genuine = buildWheel({ name: 'e2e-greeting', version: '1.0' })
const foreign = buildWheel({ name: 'e2e-greeting', version: '9.9' })
interface Report {
  readonly result: string
  readonly findings: readonly Finding[]
}

describe.runIf(hasPip)('what the doctor calls a way past the proxy', () => {
  let trial: Trial
  let proxy: TrialProxy
  let other: HostileServer
  let python: string
  let config: string

  beforeAll(async () => {
    trial = await Trial.create()
    trial.publish('e2e-greeting', [genuine])
    await trial.sync()
    proxy = await trial.startProxy()
    const listen = `listen = ["127.0.0.1:${proxy.port}"]`
    ;({ config } = await trial.writeSettings({ settings: listen, state: proxy.state }))
    ;({ python } = await createPipEnvironment(join(trial.folder, 'venv')))
    other = await startHostileServer()
    const link = `<a href="/files/${foreign.filename}">${foreign.filename}</a>`
    const page = serve(Buffer.from(`<html><body>${link}</body></html>`), {
      'content-type': 'text/html',
    })
    for (const path of ['/simple/e2e-greeting/', '/links/']) other.on(path, page)
    other.on(`/files/${foreign.filename}`, serve(foreign.bytes))
  }, 60_000)

  afterAll(async () => {
    await other.close()
    await trial.close()
  })

  beforeEach(async () => {
    for (const name of ['home', 'project', 'out']) {
      await rm(join(trial.folder, name), { recursive: true, force: true })
      await mkdir(join(trial.folder, name))
    }
  })

  /** Without the settings of this machine, but where pip is to read files of its user. */
  function environmentOf({ variables, files = {} }: Setup): NodeJS.ProcessEnv {
    const isConfigured = Object.keys(files).some((name) => name.endsWith('pip.conf'))
    return cleanEnvironment({
      ...(!isConfigured && { PIP_CONFIG_FILE: '/dev/null' }),
      HOME: join(trial.folder, 'home'),
      PATH: dirname(python),
      PIP_INDEX_URL: `${proxy.origin}/simple/`,
      ...variables,
    })
  }

  async function writeFiles({ files = {} }: Setup): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const path = join(trial.folder, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, content)
    }
  }

  function runDoctor(setup: Setup, ...flags: readonly string[]): Promise<Finished> {
    const parameters = [main, 'doctor', '--config', config, ...flags, join(trial.folder, 'project')]
    return runCommand(process.execPath, parameters, { env: environmentOf(setup) })
  }

  /** The same without a process of its own: there are many. */
  async function examineHere(setup: Setup): Promise<Report> {
    const { findings } = await examine({
      folder: join(trial.folder, 'project'),
      settings: readSettings(config, {}),
      stateHome: proxy.state,
      environment: environmentOf(setup),
      isOnline: true,
      now: Date.now(),
      config,
    })
    const ours = findings.filter(({ place }) => !place.startsWith('/etc/'))
    return { result: isClean(countFindings(ours)) ? 'ok' : 'not-ok', findings: ours }
  }

  async function download(setup: Setup, ...wanted: readonly string[]): Promise<string> {
    const parameters = ['-m', 'pip', '--no-input', '--disable-pip-version-check', 'download']
    const folder = ['--no-deps', '--retries', '0', '-d', join(trial.folder, 'out')]
    const { stdout, stderr } = await runCommand(python, [...parameters, ...folder, ...wanted], {
      env: environmentOf(setup),
      cwd: join(trial.folder, 'project'),
    })
    return stdout + stderr
  }

  test('is nothing where pip asks the proxy alone: one line, exit code 0', async () => {
    const { code, stdout, stderr } = await runDoctor({})
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `clean: nothing goes past the proxy at ${proxy.origin}/simple/\n`,
      stderr: '',
    })
    expect(await download({}, 'e2e-greeting')).toContain('Successfully downloaded e2e-greeting')
  })

  test.each(waysOut)('is one, until it is mended: $name', async (way) => {
    const fill = (text: string): string =>
      text
        .replaceAll('{other}', other.origin)
        .replaceAll('{ours}', proxy.origin)
        .replaceAll('{file}', foreign.filename)
    const fillAll = (setup: Setup): Setup => JSON.parse(fill(JSON.stringify(setup))) as Setup
    const wanted = way.wanted ?? ['e2e-greeting']
    const setup = fillAll(way.setup)
    await writeFiles(setup)
    const earlier = other.requests.length
    await download(setup, ...wanted)
    expect(other.requests.length).toBeGreaterThan(earlier)

    const before = await examineHere(setup)
    const place = /^(?:home|project)\//.test(way.place) ? join(trial.folder, way.place) : way.place
    const found = before.findings.find(({ code }) => code === way.code)
    expect(before.result).toBe('not-ok')
    expect(found).toMatchObject({ place, ...(way.line !== undefined && { line: way.line }) })
    expect(found?.mend).toContain(fill(way.mend))

    const mended = fillAll(way.mended)
    await writeFiles(mended)
    expect(await examineHere(mended)).toEqual({ result: 'ok', findings: [] })
    const seen = other.requests.length
    const said = await download(mended, ...wanted)
    expect(other.requests.slice(seen)).toEqual([])
    expect(said).toContain(genuine.filename)
  })

  test('is a lock file that goes to the index itself, until it is rewritten', async () => {
    const lock = join(trial.folder, 'project', 'uv.lock')
    const file = `${trial.index.origin}/files/${genuine.filename}`
    const text = [
      'version = 1',
      '[[package]]',
      'name = "e2e-greeting"',
      'version = "1.0"',
      `source = { registry = "${trial.indexUrl}" }`,
      `wheels = [{ url = "${file}", hash = "sha256:${genuine.sha256}" }]`,
      '',
    ]
    const setup = { variables: { UV_DEFAULT_INDEX: `${proxy.origin}/simple/` } }
    await writeFiles({ files: { 'project/uv.lock': text.join('\n') } })
    const { findings } = await examineHere(setup)
    const mend = `tufgate lock rewrite --config ${config} --to proxy --proxy ${proxy.origin}/simple/ ${lock}`
    expect(findings).toMatchObject([
      {
        code: 'locked-past-proxy',
        place: lock,
        line: 5,
        what: `2 addresses lead to ${trial.index.origin}; this is the first`,
        mend,
      },
    ])
    const [, ...words] = mend.split(' ')
    const rewritten = await runCommand(process.execPath, [main, ...words])
    expect(rewritten).toMatchObject({ code: 0 })
    expect(await examineHere(setup)).toEqual({ result: 'ok', findings: [] })
  })

  test('is not asked of by a request to wherever a project says', async () => {
    await writeFiles({ files: { 'project/uv.toml': `index-url = "${other.origin}/simple/"\n` } })
    const seen = other.requests.length
    expect((await examineHere({})).findings).toMatchObject([{ code: 'other-local-address' }])
    expect(other.requests.length).toBe(seen)
  })

  test('is not the proxy of tufgate run, for the command that it is started for', async () => {
    const doctor = [process.execPath, main, 'doctor', '--config', config, '--no-network']
    const run = [main, 'run', '--config', config, '--', ...doctor, join(trial.folder, 'project')]
    const { code, stdout } = await runCommand(process.execPath, run, { env: environmentOf({}) })
    expect(stdout).toMatch(
      /clean: nothing goes past the proxy at http:\/\/127\.0\.0\.1:\d+\/\.\.\.\/simple\/ \(2 notes\)/,
    )
    expect(code).toBe(0)
  })

  test('stands in each file that pip itself names', async () => {
    const files = {
      'home/.pip/pip.conf': '[global]\nextra-index-url = https://x.example/1/\n',
      'home/.config/pip/pip.conf': '[global]\nextra-index-url = https://x.example/2/\n',
      'venv/pip.conf': '[global]\nextra-index-url = https://x.example/3/\n',
    }
    try {
      await writeFiles({ files })
      const { stdout } = await runCommand(python, ['-m', 'pip', 'config', 'debug'], {
        env: environmentOf({ files }),
      })
      const named = Array.from(
        stdout.matchAll(/^ {2}(\S.*), exists: True$/gm),
        ([, path]) => path ?? '',
      )
      const { findings } = await examineHere({ files })
      const ours = findings.filter(({ code }) => code === 'extra-index').map(({ place }) => place)
      expect(ours.toSorted()).toEqual(
        named.filter((path) => path.startsWith(trial.folder)).toSorted(),
      )
    } finally {
      await rm(join(trial.folder, 'venv/pip.conf'), { force: true })
    }
  })

  test('is told with its reason and its mend once, where they are the same', async () => {
    const lines = ['a', 'b', 'c'].map((name) => `--extra-index-url https://${name}.example/simple`)
    await writeFiles({ files: { 'project/requirements.txt': `${lines.join('\n')}\n` } })
    const { stdout } = await runDoctor({})
    expect(stdout.match(/problem {2}line \d: --extra-index-url/g)).toHaveLength(3)
    expect(stdout.match(/mend: take it out/g)).toHaveLength(1)
  })

  test('is told to a person with nothing of it that could move the cursor', async () => {
    const files = {
      'project/requirements.txt':
        '--extra-index-url https://user:secret@x.example/\u001b[2J\u202e/simple/\n',
      'project/sub\u001b[31m/requirements.txt': '-i https://y.example/\n',
    }
    await writeFiles({ files })
    // An option of a file goes before what a variable says.
    const { code, stdout } = await runDoctor({})
    expect(code).toBe(3)
    expect(stdout).not.toMatch(/[^\n\x20-\x7e]/)
    expect(stdout).not.toContain('secret')
    expect(stdout).toContain('project/sub?[31m/requirements.txt')
    expect(stdout).toMatch(/\n2 problems\n$/)
    const json = await runDoctor({}, '--json')
    expect(json.stdout).not.toMatch(/[^\n\x20-\x7e]/)
    expect(json.stdout).not.toContain('secret')
  })

  test('is not asked of a folder that is none, or of settings that are wrong', async () => {
    const env = environmentOf({})
    const run = (...parameters: readonly string[]): Promise<Finished> =>
      runCommand(process.execPath, [main, 'doctor', ...parameters], { env })
    const folder = await run(join(trial.folder, 'gone'))
    expect(folder).toMatchObject({ code: 2 })
    expect(folder.stderr).toContain('gone does not exist.')
    expect(await run('--config', join(trial.folder, 'gone.toml'))).toMatchObject({ code: 2 })
    expect(await run('--what')).toMatchObject({ code: 2 })
  })
})
