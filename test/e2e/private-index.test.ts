/** A private index beside a public one: real pip, the program as processes, credentials, dependency confusion. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import {
  cleanEnvironment,
  collect,
  runCommand,
  spawnProgram,
  startServeIn,
  type Finished,
  type RunningProxy,
} from '../support/program.ts'
import { startWheelIndex, type WheelIndex } from '../support/wheel-index.ts'

warnWithoutPip()

const secret = 'ann:correct horse:bättery'
const encoded = Buffer.from(secret).toString('base64')
const needles = ['correct horse', 'bättery', encoded]

/** What an attacker uploads to the public index under the names of a company. */
const foreign = [
  buildWheel({ name: 'acme-tool', version: '99.0' }),
  buildWheel({ name: 'acme-secret', version: '99.0' }),
  buildWheel({ name: 'plain', version: '1.0' }),
  buildWheel({ name: 'wants-secret', version: '1.0', requires: ['acme-secret'] }),
]

/** Lies on the private index, and the public one claims to have it. */
const borrowed = buildWheel({ name: 'borrowed', version: '1.0' })

let folder: string
let acme: WheelIndex
let open: WheelIndex
let environment: PipEnvironment
let proxy: RunningProxy | undefined
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-private-'))
  acme = await startWheelIndex(
    [buildWheel({ name: 'acme-tool', version: '1.0' }), borrowed],
    secret,
  )
  open = await startWheelIndex(foreign)
  if (hasPip) environment = await createPipEnvironment(join(folder, 'venv'))
}, 120_000)

afterEach(async () => {
  await proxy?.stop('SIGKILL')
  proxy = undefined
  acme.secret = secret
})

afterAll(async () => {
  await acme.server.close()
  await open.server.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(
  acmeLines: readonly string[],
  variables = {},
  openLines: readonly string[] = [],
): Promise<RunningProxy> {
  const config = await writeSettings(acmeLines, openLines)
  const all = { ACME_INDEX: secret, ...variables }
  proxy = await startServeIn(all, '--config', config, '--log-level', 'debug')
  return proxy
}

/** The private index, which claims acme-*, and the public one for the rest. */
async function writeSettings(
  acmeLines: readonly string[],
  openLines: readonly string[] = [],
): Promise<string> {
  count += 1
  const config = join(folder, `tufgate-${count}.toml`)
  const text = [
    `state-dir = ${JSON.stringify(stateFolder())}`,
    '[[index]]\nname = "acme"',
    `url = "${acme.url}"`,
    'projects = ["acme-*", "acme"]',
    ...acmeLines,
    `[[index]]\nname = "open"\nurl = "${open.url}"`,
    ...openLines,
    '',
  ]
  await writeFile(config, text.join('\n'))
  return config
}

function stateFolder(): string {
  return join(folder, `state-${count}`)
}

function install(...what: readonly string[]): Promise<Finished> {
  const options = ['--force-reinstall', '--index-url', `${proxy!.origin}/simple/`]
  return environment.pip('install', ...options, ...what)
}

function askedOf(index: WheelIndex, part: string): string[] {
  return index.server.requests.map(({ path }) => path).filter((path) => path.includes(part))
}

/** In all that the proxy wrote to disk, and in what is handed in. */
async function expectNoSecret(...texts: readonly string[]): Promise<void> {
  const found = await readdir(stateFolder(), { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(0)
  const written = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  )
  for (const text of [...texts, ...written]) {
    for (const needle of needles) {
      expect(text).not.toContain(needle)
      expect(text).not.toContain(Buffer.from(needle).toString('latin1'))
    }
  }
}

const fromVariable = ['credentials = "env:ACME_INDEX"']

describe.runIf(hasPip)('a private index', () => {
  test('installs with credentials that stand nowhere afterwards; the public index gets none', async () => {
    await start(fromVariable)
    expect(await install('acme-tool', 'plain')).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await environment.pip('list')
    expect(stdout).toMatch(/acme-tool +1\.0/)
    const { stdout: said, stderr } = await proxy!.stop()
    await expectNoSecret(said, stderr)
    const sent = open.server.requests.map(({ headers }) => headers.authorization)
    expect(new Set(sent)).toEqual(new Set([undefined]))
  }, 60_000)

  test('is used by run, whose command does not get the variable with the password', async () => {
    const config = await writeSettings(fromVariable)
    const script = `import os, sys, subprocess
assert "correct horse" not in repr(dict(os.environ)), "the password is in the environment"
pip = [sys.executable, "-m", "pip", "install", "--quiet", "--force-reinstall", "acme-tool"]
sys.exit(subprocess.run(pip).returncode)`
    const command = ['--', environment.python, '-c', script]
    const variables = { ACME_INDEX: secret, OTHER: 'kept', HOME: folder }
    const finished = await collect(spawnProgram(variables, 'run', '--config', config, ...command))
    expect(finished).toMatchObject({ code: 0 })
    await expectNoSecret(finished.stdout, finished.stderr)
  }, 60_000)

  test('that denies is told by the name of the setting; pip is not asked for a password', async () => {
    acme.secret = 'ann:changed'
    await start(fromVariable)
    const failed = await install('acme-tool')
    expect(failed.code).toBe(1)
    const page = await fetch(`${proxy!.origin}/simple/acme-tool/`)
    expect(page.status).toBe(451)
    expect(page.headers.get('www-authenticate')).toBeNull()
    const body = await page.text()
    expect(body).toContain('answered 401 to the credentials of \\"env:ACME_INDEX\\"')
    const { stdout, stderr } = await proxy!.stop()
    expect(stderr).toContain('answered 401 to the credentials of "env:ACME_INDEX"')
    await expectNoSecret(stdout, stderr, body, failed.stdout, failed.stderr)
  }, 60_000)

  test('without the setting is told which one is missing', async () => {
    await start([])
    const page = await fetch(`${proxy!.origin}/simple/acme-tool/`)
    expect(page.status).toBe(451)
    expect(await page.text()).toMatch(
      /answered 401[^]*give its \[\[index\]\] the setting credentials/,
    )
  })

  test('is signed by a mirror that has the credentials too', async () => {
    const mirror = join(folder, 'mirror')
    const env = cleanEnvironment({ ACME_INDEX: secret })
    const run = (...args: readonly string[]): Promise<Finished> =>
      runCommand(process.execPath, ['src/main.ts', 'mirror', ...args], { env })
    expect(await run('init', mirror, '--projects', '10')).toMatchObject({ code: 0 })
    const sync = ['sync', mirror, '--index', acme.url, '--all']
    const without = await run(...sync)
    expect(without.code).not.toBe(0)
    expect(without.stderr + without.stdout).toContain('answered 401')
    expect(await run(...sync, '--credentials', 'env:ACME_INDEX')).toMatchObject({ code: 0 })
    await writeFile(join(mirror, 'mirror.toml'), 'credentials = "env:ACME_INDEX"\n')
    expect(await run(...sync)).toMatchObject({ code: 0 })
    const secretFlag = await run(...sync, '--credentials', secret)
    expect(secretFlag).toMatchObject({ code: 2 })
    expect(secretFlag.stderr).not.toContain('correct horse')

    const root = join(folder, '1.root.json')
    await writeFile(root, await readFile(join(mirror, 'public/metadata/1.root.json')))
    const published = JSON.stringify(join(mirror, 'public'))
    await start([`mirror = [${published}]`, `root = ${JSON.stringify(root)}`, ...fromVariable])
    expect(await install('acme-tool')).toMatchObject({ code: 0, stderr: '' })
    expect((await install('acme-secret')).code).toBe(1)
    expect(askedOf(open, 'acme')).toEqual([])
  }, 60_000)
})

describe.runIf(hasPip)('dependency confusion: a name that the private index claims', () => {
  test('never comes from the public one, however high its version is there', async () => {
    await start(fromVariable)
    expect(await install('acme-tool>=2')).toMatchObject({ code: 1 })
    expect(await install('ACME.Tool')).toMatchObject({ code: 0 })
    expect((await environment.pip('show', 'acme-tool')).stdout).toContain('Version: 1.0')
    expect(askedOf(open, 'acme')).toEqual([])
  }, 60_000)

  test('is not asked of the public one where the private one has it not, or denies', async () => {
    await start(fromVariable)
    const absent = await install('acme-secret')
    expect(absent.code).toBe(1)
    expect(absent.stderr).toContain('No matching distribution found for acme-secret')
    expect((await install('wants-secret')).code).toBe(1)
    acme.secret = 'other:one'
    expect((await install('acme-brand-new')).code).toBe(1)
    const again = await fetch(`${proxy!.origin}/simple/acme-secret/`)
    expect(again.status).not.toBe(404)
    expect(askedOf(open, 'acme')).toEqual([])
    expect((await environment.pip('list')).stdout).not.toMatch(/acme-secret|wants-secret/)
  }, 90_000)

  test('does not come by a file URL of the public one either', async () => {
    await start(fromVariable)
    const host = new URL(open.url).host
    const url = `${proxy!.origin}/files/acme-secret/${host}/files/acme_secret-99.0-py3-none-any.whl`
    expect((await fetch(url)).status).toBeGreaterThanOrEqual(400)
    expect((await install(url)).code).toBe(1)
    expect(askedOf(open, 'acme')).toEqual([])
  }, 60_000)
})

describe('another index', () => {
  test('does not get a file of the private one with its credentials, where it lists one', async () => {
    const link = `${acme.server.origin}/files/${borrowed.filename}#sha256=${borrowed.sha256}`
    const page = `<!DOCTYPE html><html><body><a href="${link}">${borrowed.filename}</a></body></html>`
    open.server.on('/simple/borrowed/', serve(Buffer.from(page), { 'content-type': 'text/html' }))
    const { host } = new URL(acme.url)
    await start(fromVariable, {}, [`file-hosts = ["${host}"]`])
    const before = acme.server.requests.length
    const url = `${proxy!.origin}/files/borrowed/${host}/files/${borrowed.filename}`
    expect((await fetch(url)).status).toBe(403)
    const asked = acme.server.requests.slice(before)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })
})

describe('a private index that is set up wrongly', () => {
  test.each([
    [
      fromVariable,
      { ACME_INDEX: '' },
      'The variable ACME_INDEX, which credentials of index acme names, is empty',
    ],
    [
      ['credentials = "correct horse"'],
      {},
      'expected "netrc", "netrc:FILE", "env:NAME" or "file:FILE"',
    ],
  ])('does not start with %j', async (lines, variables, message) => {
    const error: unknown = await start(lines, variables).catch((cause: unknown) => cause)
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('correct horse')
  })
})
