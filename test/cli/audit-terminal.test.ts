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
  const log = await openLog()
  await log.append({ kind: 'refused', code: 'HOST_NOT_ALLOWED', found: evil, message: evil })
  await log.append({ kind: 'page' })
  await log.close()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function openLog(): Promise<AuditLog> {
  return AuditLog.open(folder, {
    maxFileBytes: 1_000_000,
    maxTotalBytes: 2_000_000,
    clock: Date.now,
    owner: { id: '1.1.n1', isAlive: () => false },
  })
}

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

describe('audit show', () => {
  test('says that nothing was found, and where, beside its output', async () => {
    const place = ['--log', folder] as const
    expect(await runProgram('audit', 'show', '--id', 'r-zzzzzzzz', ...place)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `No line has this id: looked in ${folder}\n`,
    })
    expect(await runProgram('audit', 'show', '--project', 'six', ...place)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: `No line fits: looked in ${folder}\n`,
    })
  })

  test('names the units where a span has none of them', async () => {
    const found = await runProgram('audit', 'show', '--since', '5m', '--log', folder)
    expect(found).toMatchObject({
      code: 2,
      stderr:
        'tufgate: "5m" is not a time.\n  expected: a number with a unit: ms, s, min, h or d, such as "5min", "24h" or "7d"; or a date such as 2026-05-01T12:00:00Z\n',
    })
  })

  test('says of pages and files that rest on first use that they do', async () => {
    const log = await openLog()
    const trust = { kind: 'first-use', root: 1 } as const
    await log.append({ kind: 'page', project: 'six', request: 'GET /simple/six/', trust })
    await log.append({ kind: 'released', project: 'six', file: 'six-1.17.0.tar.gz', trust })
    await log.append({ kind: 'page', project: 'foo', request: 'GET /simple/foo/' })
    await log.close()
    const { stdout } = await runProgram('audit', 'show', '--project', 'six', '--log', folder)
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines.every((line) => line.endsWith('first-use'))).toBe(true)
    const other = await runProgram('audit', 'show', '--project', 'foo', '--log', folder)
    expect(other.stdout).not.toContain('first-use')
  })
})
