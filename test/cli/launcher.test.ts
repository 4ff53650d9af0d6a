import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanEnvironment, collect, runCommand, runProgram } from '../support/program.ts'

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'tufgate.js')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-launcher-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function serveArguments(): Promise<string[]> {
  const mirror = join(folder, 'mirror')
  expect(await runProgram('mirror', 'init', mirror)).toMatchObject({ code: 0 })
  const root = join(mirror, 'public', 'metadata', '1.root.json')
  const index = ['--index', 'http://127.0.0.1:1/simple/', '--mirror', join(mirror, 'public')]
  const listen = ['--listen', '127.0.0.1:0', '--state-dir', join(folder, 'state')]
  return ['serve', ...index, '--root', root, ...listen]
}

describe('the launcher', () => {
  test('gives the exit code of the program', async () => {
    const { code, stderr } = await runCommand(process.execPath, [launcher, 'serve', '--nonsense'])
    expect(stderr).toContain("unknown option '--nonsense'")
    expect(code).toBe(2)
  })

  test('starts the proxy in the same process, with a small young generation', async ({ skip }) => {
    if (!existsSync('/proc/self/cmdline')) skip('there is no /proc here')
    const child = spawn(process.execPath, [launcher, ...(await serveArguments())], {
      env: cleanEnvironment(),
    })
    const finished = collect(child)
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text: string) => {
        if (text.includes('listening on')) resolve()
      })
      finished.then(({ stderr }) => reject(new Error(stderr)), reject)
    })
    const running = readFileSync(`/proc/${child.pid ?? 0}/cmdline`, 'utf8')
    child.kill('SIGTERM')
    expect(running.split('\0')).toContain('--max-semi-space-size=1')
    const { code, stdout, stderr } = await finished
    expect(stdout).toContain('audit log head')
    expect(stderr).not.toContain('ExperimentalWarning')
    expect(code).toBe(0)
  })
})

describe('an old Node.js', () => {
  const finder = join(import.meta.dirname, '../../bin/find-node.js')

  async function describeIn(root: string): Promise<string> {
    const code = `const { describeOldNode } = await import(${JSON.stringify(finder)})
      process.stdout.write(describeOldNode(${JSON.stringify(root)}, '20.1.0'))`
    const { stdout } = await runCommand(process.execPath, ['--input-type=module', '-e', code])
    return stdout
  }

  test('of an installed package is told where a newer one is, and of no checkout', async () => {
    const said = await describeIn(folder)
    expect(said).toContain('this is Node.js 20.1.0; tufgate needs 24.19 or newer')
    expect(said).toContain('Install a newer Node.js from https://nodejs.org')
    expect(said).not.toContain('npm ci')
  })

  test.runIf(process.platform === 'linux')(
    'of a checkout is told to run npm ci there',
    async () => {
      mkdirSync(join(folder, 'src'))
      writeFileSync(join(folder, 'src', 'main.ts'), '')
      expect(await describeIn(folder)).toContain(`run "npm ci" in ${folder}, or install\n`)
    },
  )
})
