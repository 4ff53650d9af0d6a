/** `tufgate run`: the exit code for every path, the environment of the command, its signals. */

import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { node, useRun } from '../e2e/run-fixture.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { cleanEnvironment, collect, runCommand, spawnProgram } from '../support/program.ts'
import { atTerminal } from '../support/terminal.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const fixture = useRun({ 'run-good': [buildWheel({ name: 'run-good', version: '1.0' })] })

/** Asks the proxy for a page, and is content with whatever comes. */
const ask =
  "fetch(process.env.PIP_INDEX_URL + 'run-good/').then((answer) => console.log(answer.status))"

async function writeScript(name: string, code: string): Promise<string> {
  const path = join(fixture.state, name)
  await writeFile(path, `#!/bin/sh\n${code}\n`)
  await chmod(path, 0o755)
  return path
}

async function createVirtualEnvironment(): Promise<string> {
  const folder = join(fixture.state, 'venv')
  await mkdir(join(folder, 'bin'), { recursive: true })
  await writeFile(join(folder, 'pyvenv.cfg'), '')
  await writeFile(join(folder, 'pip.conf'), '[install]\nconstraint = https://a.example/c.txt\n')
  return folder
}

describe('the exit code', () => {
  test.each([0, 1, 7, 255])('%i of the command is that of run', async (wanted) => {
    expect(await fixture.run(node(`process.exit(${wanted})`))).toMatchObject({
      code: wanted,
      signal: null,
    })
  })

  test.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
    ['SIGSEGV', 139],
  ])('a command that dies of %s: %i', async (signal, wanted) => {
    const { code } = await fixture.run(node(`process.kill(process.pid, '${signal}')`))
    expect(code).toBe(wanted)
  })

  test('a command that is not there: 127, and says so', async () => {
    const { code, stderr } = await fixture.run(['no-such-command-at-all'])
    expect(stderr).toContain(
      'tufgate: no-such-command-at-all was not started: it is in no folder of PATH',
    )
    expect(code).toBe(127)
  })

  test.each([
    ['', 'tufgate: nothing was started: the command is empty'],
    ['./no-such-file', './no-such-file was not started: it is not there'],
  ])('a file that is not there (%j): 127', async (command, wanted) => {
    const { code, stderr } = await fixture.run([command])
    expect(stderr).toContain(wanted)
    expect(code).toBe(127)
  })

  test('a file that may not be executed: 126', async () => {
    const path = join(fixture.state, 'plain.txt')
    await writeFile(path, 'no program\n')
    const { code, stderr } = await fixture.run([path])
    expect(stderr).toContain('was not started: it is no file that this user may execute')
    expect(code).toBe(126)
  })

  test('no command: 2, and an example', async () => {
    const { code, stderr } = await collect(
      spawnProgram(fixture.variables(), 'run', '--config', fixture.config),
    )
    expect(stderr).toContain("missing required argument 'command'")
    expect(code).toBe(2)
  })

  test('settings that are wrong: 2, and the command is not started', async () => {
    await writeFile(fixture.config, 'nonsense = 1\n')
    const marker = join(fixture.state, 'marker')
    const { code, stderr } = await fixture.run(['touch', marker])
    expect(stderr).toContain('nonsense')
    expect(code).toBe(2)
    expect(existsSync(marker)).toBe(false)
  })

  test('an audit log that cannot be written: 1, and the command is not started', async () => {
    await fixture.run(['true'])
    const [root = ''] = (await readdir(fixture.state)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    const audit = join(fixture.state, root, 'audit')
    await rm(audit, { recursive: true })
    await writeFile(audit, 'a file where the folder of the log should be\n')
    const marker = join(fixture.state, 'marker')
    const { code, stderr } = await fixture.run(['touch', marker])
    expect(stderr).toContain('audit')
    expect(code).toBe(1)
    expect(existsSync(marker)).toBe(false)
  })

  test('a bug of the proxy: the command is ended, and what it says then does not count', async () => {
    const preload = join(fixture.state, 'bug.mjs')
    await writeFile(
      preload,
      `if (/main\\.[jt]s$/.test(process.argv[1]))
        process.on('SIGWINCH', () => { throw new Error('a bug of ours') })`,
    )
    const code = `
      process.on('SIGTERM', () => { console.log('ended'); process.exit(0) })
      setInterval(() => undefined, 1000)
      process.kill(process.ppid, 'SIGWINCH')`
    const more = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` }
    const { code: found, stdout, stderr } = await fixture.run(node(code), more)
    expect(stdout).toBe('ended\n')
    expect(stderr).toContain('tufgate: Error: a bug of ours')
    expect(stderr).toContain('audit log head ')
    expect(found).toBe(1)
  })

  test('an audit log that the command has shortened: 1, whatever the command says', async () => {
    const code = `
      const { readdirSync, readFileSync, truncateSync } = require('node:fs')
      const { join } = require('node:path')
      const state = process.argv[1]
      const [root] = readdirSync(state).filter((name) => name.length === 64)
      const [log] = readdirSync(join(state, root, 'audit')).filter((name) => name.endsWith('.jsonl'))
      const path = join(state, root, 'audit', log)
      const text = readFileSync(path, 'latin1')
      truncateSync(path, text.indexOf('\\n') + 1)`
    const { code: found, stderr } = await fixture.run(node(code, fixture.state))
    expect(stderr).toContain('tufgate: the audit log of this session is not whole')
    expect(stderr).toContain('tufgate audit verify --log ')
    expect(found).toBe(1)
  })

  test('an audit log that the command has taken away: 1, whatever the command says', async () => {
    const { code, stderr } = await fixture.run(['sh', '-c', `rm -r ${fixture.state}/*/audit`])
    expect(stderr).toContain('tufgate: the audit log of this session ')
    expect(code).toBe(1)
  })

  test('a summary that cannot be written: 1, and the others are', async () => {
    const json = join(fixture.state, 'summary.json')
    const missing = join(fixture.state, 'none', 'summary.md')
    const flags = ['--summary', missing, '--json', json, '--junit', join(fixture.state, 'j.xml')]
    const args = ['run', '--config', fixture.config, ...flags, '--', ...node(ask)]
    const { code } = await collect(spawnProgram(fixture.variables(), ...args))
    expect(code).toBe(1)
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      isStopped: true,
      refused: { items: [], more: 0 },
      problems: [],
    })
  })

  test('a temporary folder that is not there: not 0, and the command is not started', async () => {
    const marker = join(fixture.state, 'marker')
    const { code, stderr } = await fixture.run(['touch', marker], {
      TMPDIR: join(fixture.state, 'none'),
    })
    expect(stderr).toContain('cannot be used: there is no such file')
    expect(code).toBe(1)
    expect(existsSync(marker)).toBe(false)
  })

  test('a list that has expired, of which the command makes nothing: 3', async () => {
    await fixture.run(node(ask))
    const clock = join(fixture.state, 'clock')
    await writeFile(clock, String(400 * 86_400_000))
    const preload = pathToFileURL(join(import.meta.dirname, '../e2e/shifted-clock.ts')).href
    const more = { TUFGATE_TEST_CLOCK: clock, NODE_OPTIONS: `--import ${preload}` }
    const { code, stdout, stderr } = await fixture.run(node(ask), more)
    expect(stdout).toBe('451\n')
    expect(stderr).toContain('code     EXPIRED')
    expect(code).toBe(3)
  })

  test('no mirror that answers: nothing is handed out, and the exit code is that of the command', async () => {
    const { state } = fixture
    const mirror = 'http://127.0.0.1:9/'
    Object.assign(fixture, await fixture.trial.writeSettings({ mirror, state }))
    const { code, stdout, stderr } = await fixture.run(node(ask))
    expect(stdout).toBe('503\n')
    expect(stderr).toContain('NO SIGNED LIST')
    expect(stderr).toContain('could not be had')
    expect(code).toBe(0)
  })
})

describe('the command', () => {
  const show = node('console.log(JSON.stringify(process.env))')

  test('has the variables, its own process nothing but them', async () => {
    const { stdout } = await fixture.run(show, { UV_INDEX: 'https://a.example/' })
    const environment = JSON.parse(stdout) as Record<string, string>
    const url = environment['PIP_INDEX_URL'] ?? ''
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{40}\/simple\/$/)
    expect(environment).toMatchObject({
      UV_DEFAULT_INDEX: url,
      PDM_PYPI_URL: url,
      PIPENV_PYPI_MIRROR: url,
      NO_PROXY: 'localhost,127.0.0.1,::1',
    })
    expect(environment).not.toHaveProperty('UV_INDEX')
  })

  test('has settings files that nobody else can read, and that are gone afterwards', async () => {
    const code = `
      const { statSync } = require('node:fs')
      const { dirname } = require('node:path')
      for (const name of ['PIP_CONFIG_FILE', 'UV_CONFIG_FILE', 'PDM_CONFIG_FILE']) {
        const path = process.env[name]
        console.log((statSync(path).mode & 0o777).toString(8), (statSync(dirname(path)).mode & 0o777).toString(8))
      }`
    const { stdout } = await fixture.run(node(code))
    expect(stdout).toBe('600 700\n600 700\n600 700\n')
    expect(await readdir(fixture.temporary)).toEqual([])
  })

  test('gets an answer under the secret path only, and the secret stands in no log', async () => {
    const code = `
      const own = new URL(process.env.PIP_INDEX_URL)
      const [, token] = own.pathname.split('/')
      const ask = async (path) => console.log((await fetch(own.origin + path)).status)
      console.log(token)
      const all = async () => {
        await ask('/simple/run-good/')
        await ask('/' + 'f'.repeat(40) + '/simple/run-good/')
        await ask('/' + token + '/simple/run-good/')
      }
      all()`
    const { stdout, stderr } = await fixture.run(node(code))
    const [token = '', ...statuses] = stdout.trim().split('\n')
    expect(statuses).toEqual(['404', '404', '200'])
    expect(stderr).not.toContain(token)
    const files = await readdir(fixture.state, { recursive: true, withFileTypes: true })
    const logs = files.filter((file) => file.isFile() && file.parentPath.endsWith('audit'))
    expect(logs.length).toBeGreaterThan(0)
    for (const { parentPath, name } of logs) {
      expect(await readFile(join(parentPath, name), 'utf8')).not.toContain(token)
    }
  })

  test('reads what is written to us, and writes where we do', async () => {
    const { stdout, stderr } = await fixture.run(['sh', '-c', 'echo out; echo err >&2'])
    expect(stdout).toBe('out\n')
    expect(stderr).toMatch(/^err\n/)
  })

  test('may have options of its own', async () => {
    const { stdout } = await fixture.run(
      node('console.log(process.argv.slice(1).join())', '--', '--index', 'x'),
    )
    expect(stdout).toBe('--index,x\n')
  })

  test('that leaves the address of its proxy in files of the project is told so', async () => {
    const code = `
      const { writeFileSync } = require('node:fs')
      const url = process.env.PIP_INDEX_URL
      for (const name of ['uv.lock', 'Pipfile', 'notes.md']) writeFileSync(name, url)
      writeFileSync('poetry.lock', 'nothing')`
    const args = [main, 'run', '--config', fixture.config, '--', ...node(code)]
    const env = cleanEnvironment(fixture.variables())
    const { stderr } = await runCommand(process.execPath, args, { env, cwd: fixture.state })
    const mend = `tufgate lock rewrite --config ${fixture.config} uv.lock`
    expect(stderr).toContain(
      `tufgate: uv.lock holds the address of the proxy, which ends now; put in the index's own: ${mend}\n`,
    )
    expect(stderr).toContain('Pipfile holds the address of the proxy, which ends now; take it out')
    expect(stderr).not.toContain('poetry.lock')
    expect(stderr).not.toContain('notes.md')
  })

  test('pipenv does not find the address where it would write it into the Pipfile', async () => {
    const { stdout } = await fixture.run([await writeScript('pipenv', 'env')])
    expect(stdout).toContain('\nPIPENV_PYPI_MIRROR=http://127.0.0.1:')
    expect(stdout).not.toContain('PIP_INDEX_URL')
  })

  test('poetry is said to go past the proxy', async () => {
    const { stderr } = await fixture.run([await writeScript('poetry', 'exit 0')])
    expect(stderr).toContain('tufgate: poetry has no variable for its index')
  })

  test.each(['sudo', 'docker'])('%s is said to drop the variables', async (name) => {
    const { stderr } = await fixture.run([await writeScript(name, 'exit 0'), 'pip'])
    expect(stderr).toContain(
      `tufgate: ${name} does not hand the variables on: what it starts goes past this proxy`,
    )
  })
})

describe('a pip.conf of a virtual environment that is not activated', () => {
  const list = ['-c', 'cat "$PIP_CONFIG_FILE"']

  test('is not followed past the proxy by a command that stands in it', async () => {
    const folder = await createVirtualEnvironment()
    await symlink('/bin/sh', join(folder, 'bin', 'pip'))
    const { stdout, stderr } = await fixture.run([join(folder, 'bin', 'pip'), ...list])
    expect(stderr).toContain(`left out of ${folder}/pip.conf, so that`)
    expect(stdout).toContain('\nconstraint = \n')
  })

  test('is not followed past the proxy by the Python that stands first in PATH', async () => {
    const folder = await createVirtualEnvironment()
    await symlink('/bin/sh', join(folder, 'bin', 'python'))
    const more = { PATH: `${folder}/bin:${process.env['PATH'] ?? ''}` }
    const { stdout } = await fixture.run(['sh', ...list], more)
    expect(stdout).toContain('\nconstraint = \n')
  })
})

describe('signals', () => {
  const waiting = `
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) {
      process.on(signal, () => { console.log('got', signal); setTimeout(() => process.exit(9), 200) })
    }
    setInterval(() => undefined, 1000)
    console.log('ready')`

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s that is sent to tufgate alone reaches the command once',
    async (signal) => {
      const child = fixture.start(node(waiting))
      child.stdout.once('data', () => child.kill(signal))
      const { code, stdout, stderr } = await collect(child)
      expect(stdout).toBe(`ready\ngot ${signal}\n`)
      expect(stderr).toContain('audit log head')
      expect(code).toBe(9)
    },
  )

  test('one that a wrapper passes on when the command has ended by it already keeps nothing back', async () => {
    const child = fixture.start(['sh', '-c', 'echo ready; exec sleep 60'])
    child.stdout.once('data', () => child.kill('SIGTERM'))
    child.stderr.once('data', () => child.kill('SIGINT'))
    const { code, signal, stderr } = await collect(child)
    expect(stderr).toContain('audit log head ')
    // In the last moment of a process Node.js has let go of its handlers: all has been said by then.
    expect([143, 'SIGINT']).toContain(code ?? signal)
  })

  test('one that comes before the command was started keeps it from being started: 128+n', async () => {
    const preload = join(fixture.state, 'early.mjs')
    await writeFile(
      preload,
      `if (/main\\.[jt]s$/.test(process.argv[1])) {
        const on = process.on.bind(process)
        process.on = (name, listener) => {
          on(name, listener)
          if (name === 'SIGUSR2') process.kill(process.pid, 'SIGINT')
          return process
        }
      }`,
    )
    const marker = join(fixture.state, 'marker')
    const more = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` }
    const { code, stderr } = await fixture.run(['touch', marker], more)
    expect(stderr).toContain('audit log head ')
    expect(code).toBe(130)
    expect(existsSync(marker)).toBe(false)
  })

  test('a command that ends by the signal: 128+n', async () => {
    const child = fixture.start(['sh', '-c', 'echo ready; exec sleep 60'])
    child.stdout.once('data', () => child.kill('SIGTERM'))
    expect((await collect(child)).code).toBe(143)
  })
})

const hasTerminal = atTerminal(['true']).status === 0

test.runIf(hasTerminal)('Ctrl-C at a terminal reaches the command once', () => {
  // "ready: " is a question to the helper, which answers with Ctrl-C.
  const waiting = `
    process.on('SIGINT', () => { console.log('got it'); setTimeout(() => process.exit(9), 500) })
    setInterval(() => undefined, 1000)
    process.stdout.write('ready: ')`
  const assignments = Object.entries(fixture.variables()).map(([name, value]) => `${name}=${value}`)
  const program = [
    process.execPath,
    main,
    'run',
    '--config',
    fixture.config,
    '--',
    ...node(waiting),
  ]
  const { stdout, status } = atTerminal(['env', ...assignments, ...program], '\\x03')
  expect(stdout.split('got it')).toHaveLength(2)
  expect(stdout).toContain('audit log head')
  expect(status).toBe(9)
})
