/** Signals that reach a wrapper alone, as from a supervisor: the program behind it must get them. */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { initMirror } from '../../src/mirror/init.ts'
import { cleanEnvironment, collect } from '../support/program.ts'

const checkout = join(import.meta.dirname, '../..')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-wrapper-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Sends the signal once the program has said that it is ready. */
async function interrupt(
  command: readonly [string, ...string[]],
  ready: string,
  signal: NodeJS.Signals,
) {
  const [file, ...args] = command
  const child = spawn(file, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let seen = ''
  child.stdout.on('data', (text: string) => {
    const wasReady = seen.includes(ready)
    seen += text
    if (!wasReady && seen.includes(ready)) child.kill(signal)
  })
  return collect(child)
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('run.js hands on %s', async (signal) => {
  const script = join(folder, 'wait.js')
  await writeFile(
    script,
    `process.on('${signal}', () => { console.log('got it'); process.exit(7) })
    setInterval(() => undefined, 1000)
    console.log('ready')`,
  )
  const wrapper = join(checkout, 'scripts/run.js')
  const found = await interrupt([process.execPath, wrapper, script], 'ready', signal)
  expect(found).toMatchObject({ code: 7, stdout: 'ready\ngot it\n' })
})

/** One that is too old to run the program itself. */
function findOldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    if (!existsSync(path)) return false
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return /^v(?:18|20|22)\./.test(stdout)
  })
}

const oldNode = findOldNode()

test.runIf(oldNode !== undefined)(
  'the launcher on an old Node.js hands on SIGINT, and serve stops in order',
  async () => {
    const directory = join(folder, 'mirror')
    const { rootPath } = await initMirror({
      directory,
      projects: 10,
      clock: Date.now,
      report: () => undefined,
    })
    const launcher = join(checkout, 'bin/tufgate.js')
    const index = ['--index', 'http://127.0.0.1:9/simple/', '--mirror', join(directory, 'public')]
    const state = ['--root', rootPath, '--state-dir', join(folder, 'state')]
    const found = await interrupt(
      [oldNode ?? '', launcher, 'serve', '--listen', '127.0.0.1:0', ...index, ...state],
      'pip install',
      'SIGINT',
    )
    expect(found.code).toBe(0)
    expect(found.stderr).toContain('SIGINT: stopping')
    expect(found.stdout).toContain('audit log head ')
  },
)

test.runIf(oldNode !== undefined)(
  'the launcher on an old Node.js hands on SIGTERM once, through run to its command',
  async () => {
    const { rootPath } = await initMirror({
      directory: join(folder, 'mirror'),
      projects: 10,
      clock: Date.now,
      report: () => undefined,
    })
    const waiting = `
      process.on('SIGTERM', () => { console.log('got it'); setTimeout(() => process.exit(9), 200) })
      setInterval(() => undefined, 1000)
      console.log('ready')`
    const mirror = ['--mirror', join(folder, 'mirror/public'), '--root', rootPath]
    const index = ['--index', 'http://127.0.0.1:9/simple/', '--state-dir', join(folder, 'state')]
    const launcher = join(checkout, 'bin/tufgate.js')
    const command = [process.execPath, '-e', waiting]
    const found = await interrupt(
      [oldNode ?? '', launcher, 'run', ...index, ...mirror, '--', ...command],
      'ready',
      'SIGTERM',
    )
    expect(found.stdout).toBe('ready\ngot it\n')
    expect(found.stderr).toContain('audit log head ')
    expect(found.code).toBe(9)
  },
)
