/** The output of the program where nobody reads it, or where it cannot be written. */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuditLog } from '../../src/audit/log.ts'
import { cleanEnvironment, main, runCommand, runProgram } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-output-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a reader that has seen enough ends `audit show` without a crash', async () => {
  const log = await AuditLog.open(folder, {
    maxFileBytes: 10_000_000,
    maxTotalBytes: 20_000_000,
    clock: Date.now,
    owner: { id: '1.1.n1', isAlive: () => false },
  })
  const lines = Array.from({ length: 5000 }, (_, at) => log.append({ kind: 'page', id: `r-${at}` }))
  await Promise.all(lines)
  await log.close()
  const child = spawn(process.execPath, [main, 'audit', 'show', '--json', '--log', folder], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => void child.on('close', resolve))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.each(['1', '2'])(
  'a full disk behind descriptor %s ends neither the command nor its work',
  async (descriptor) => {
    const mirror = join(folder, 'mirror')
    const command = `exec "$0" "$1" mirror init "$2" --projects 10 ${descriptor}>/dev/full`
    const finished = await runCommand('sh', ['-c', command, process.execPath, main, mirror])
    expect(finished.code).toBe(0)
    expect(await runProgram('mirror', 'status', mirror)).toMatchObject({ code: 0 })
  },
)

test('serve goes on when nobody reads what it says any more', async () => {
  const mirror = join(folder, 'mirror')
  expect(await runProgram('mirror', 'init', mirror, '--projects', '10')).toMatchObject({ code: 0 })
  const root = join(mirror, 'public/metadata/1.root.json')
  const options = ['--index', 'http://127.0.0.1:9/simple/', '--mirror', join(mirror, 'public')]
  const state = ['--root', root, '--state-dir', join(folder, 'state'), '--log-level', 'debug']
  const child = spawn(
    process.execPath,
    [main, 'serve', '--listen', '127.0.0.1:0', ...options, ...state],
    { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const closed = new Promise(
    (resolve) => void child.on('close', (code, signal) => resolve(code ?? signal)),
  )
  const origin = await new Promise<string>((resolve) => {
    let seen = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text
      const found = /listening on (\S+)/.exec(seen)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  child.stdout.destroy()
  child.stderr.destroy()
  for (let at = 0; at < 3; at += 1) {
    const client = await RawClient.open(Number(new URL(origin).port))
    client.ask('/-/health')
    expect((await client.response()).status).toBe(200)
    client.close()
  }
  child.kill('SIGTERM')
  expect(await closed).toBe(0)
})
