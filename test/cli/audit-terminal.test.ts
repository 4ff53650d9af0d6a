import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuditLog } from '../../src/audit/log.ts'
import { runProgram } from '../support/program.ts'

// What a client can put into a Host header: U+009B begins a control sequence like ESC [ does.
const evil = '\u009b2J\u009b31m\u202egnp.exe\u007f'
/** Control and format characters, but for the ends of lines. */
const dangerous = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-terminal-'))
  const log = await AuditLog.open(folder, {
    maxFileBytes: 1_000_000,
    maxTotalBytes: 2_000_000,
    clock: Date.now,
    owner: { id: '1.1.n1', isAlive: () => false },
  })
  await log.append({ kind: 'refused', code: 'HOST_NOT_ALLOWED', found: evil, message: evil })
  await log.append({ kind: 'page' })
  await log.close()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('what a client wrote into the audit log', () => {
  test.each([['show'], ['show', '--json']])(
    'does not control the terminal of whoever reads it: %s %s',
    async (...args) => {
      const { code, stdout } = await runProgram('audit', ...args, '--log', folder)
      expect(code).toBe(0)
      expect(stdout).toContain('31m')
      expect(stdout).not.toMatch(dangerous)
    },
  )

  test('is in JSON what it was', async () => {
    const { stdout } = await runProgram('audit', 'show', '--json', '--log', folder)
    expect(JSON.parse(stdout.split('\n')[1] ?? '')).toMatchObject({ found: evil })
  })

  test.each([['verify'], ['verify', '--json']])(
    'does not control the terminal when somebody changed the log, and %s %s finds it',
    async (...args) => {
      const [file = ''] = await readdir(folder)
      const lines = (await readFile(join(folder, file), 'utf8')).split('\n')
      lines[2] = (lines[2] ?? '').replace(/"prev":"[^"]*"/, () => `"prev":"${evil}"`)
      await writeFile(join(folder, file), lines.join('\n'))
      const { code, stdout, stderr } = await runProgram('audit', ...args, '--log', folder)
      expect(code).toBe(3)
      expect(stdout + stderr).toContain('31m')
      expect(stdout + stderr).not.toMatch(dangerous)
    },
  )
})
