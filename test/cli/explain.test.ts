import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AuditLog } from '../../src/audit/log.ts'
import { runProgram } from '../support/program.ts'

const trust = { root: 1, timestamp: 41, snapshot: 40, role: 'bins-0a', record: 'd'.repeat(64) }
const digest = `sha256:${'c'.repeat(64)}`

let home = ''
let log = ''

async function writeLog(name: string, write: (log: AuditLog) => Promise<void>): Promise<string> {
  const folder = join(home, name, 'audit')
  mkdirSync(folder, { recursive: true })
  const opened = await AuditLog.open(folder, {
    maxFileBytes: 1_000_000,
    maxTotalBytes: 2_000_000,
    clock: Date.now,
    owner: { id: '1.1.n1', isAlive: () => false },
  })
  await write(opened)
  await opened.close()
  return folder
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'tufgate-explain-'))
  log = await writeLog('first', async (opened) => {
    const about = { project: 'foo', client: '127.0.0.1', trust }
    await opened.append({
      ...about,
      kind: 'refused',
      id: 'r-aaaaaaaa',
      code: 'DIGEST_MISMATCH',
      file: 'foo-1.1.tar.gz',
      message: 'sha256 of foo-1.1.tar.gz is not the signed one',
      expected: 'a'.repeat(64),
      found: 'b'.repeat(64),
    })
    const file = { file: 'foo-1.0.tar.gz', expected: digest, found: digest, bytes: 7 }
    await opened.append({ ...about, ...file, kind: 'released', id: 'r-bbbbbbbb' })
    await opened.append({ ...about, kind: 'hidden', id: 'r-cccccccc', code: 'TOO_YOUNG' })
    await opened.append({ ...about, kind: 'page', id: 'r-cccccccc' })
    for (let at = 0; at < 16; at += 1) {
      const id = `r-dddddd${'abcdefghijklmnop'[at]!}a`
      await opened.append({ kind: 'refused', id, code: 'DENIED', project: 'bar' })
    }
  })
  await writeLog('second', async (opened) => {
    await opened.append({ kind: 'refused', id: 'r-ssssssss', code: 'EXPIRED', project: 'baz' })
  })
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('tufgate explain', () => {
  test('says why a file was refused, and what to do', async () => {
    const { code, stdout, stderr } = await runProgram('explain', 'r-aaaaaaaa', '--log', log)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Refused: foo-1.1.tar.gz')
    expect(stdout).toContain(`expected ${'a'.repeat(64)}`)
    expect(stdout).toContain(`found    ${'b'.repeat(64)}`)
    expect(stdout).toContain('If you ran the installer')
    expect(stdout).toContain('tufgate mirror verify-files MIRROR --project foo')
  })

  test('says why a file was delivered', async () => {
    const { code, stdout } = await runProgram('explain', 'r-bbbbbbbb', '--log', log)
    expect(code).toBe(0)
    expect(stdout).toContain('Delivered: foo-1.0.tar.gz')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('listed in its part "bins-0a"')
    expect(stdout).toContain(`tufgate audit verify --log ${log}`)
  })

  test('takes a line as pip prints it, quoted or not', async () => {
    const line =
      'ERROR: 403 Client Error: Refused by tufgate: sha256 of foo-1.1.tar.gz is not the signed one (r-aaaaaaaa) for url: http://127.0.0.1:8642/x'
    const quoted = await runProgram('explain', line, '--log', log)
    expect(quoted.stdout).toContain('Refused: foo-1.1.tar.gz')
    expect((await runProgram('explain', ...line.split(' '), '--log', log)).stdout).toBe(
      quoted.stdout,
    )
  })

  test('tells one request once, whatever it left in the log', async () => {
    const { stdout } = await runProgram('explain', 'r-cccccccc', '--log', log)
    expect(stdout).toContain('Hidden by policy: foo')
    expect(stdout).toMatch(/Also in the log\n {2}- .* page/)
    expect(stdout.match(/^Rule$/gm)).toHaveLength(1)
  })

  test('finds a refusal that was only counted', async () => {
    const { code, stdout } = await runProgram('explain', 'r-ddddddma', '--log', log)
    expect(code).toBe(0)
    expect(stdout).toContain('id       r-ddddddma')
    expect(stdout).toContain('times    6')
  })

  test('is JSON for a program, a line for each', async () => {
    const ids = ['r-aaaaaaaa', 'r-bbbbbbbb']
    const { code, stdout } = await runProgram('explain', ...ids, '--json', '--log', log)
    expect(code).toBe(0)
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { id: 'r-aaaaaaaa', outcome: 'refused', code: 'DIGEST_MISMATCH', trust },
      { id: 'r-bbbbbbbb', outcome: 'delivered', expected: digest },
    ])
  })

  test('looks into every log of the state where nobody says which', async () => {
    const { code, stdout } = await runProgram('explain', 'r-ssssssss', '--state-dir', home)
    expect(code).toBe(0)
    expect(stdout).toContain('Refused: baz')
  })

  test('says where it looked for an id that is not there, with exit code 2', async () => {
    const { code, stdout, stderr } = await runProgram('explain', 'r-zzzzzzzz', '--state-dir', home)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('No line has the id r-zzzzzzzz. Looked in:')
    expect(stderr).toContain(join(home, 'first', 'audit'))
    expect(stderr).toContain(join(home, 'second', 'audit'))
  })

  test('explains what it finds although another id is missing, with exit code 2', async () => {
    const ids = ['r-zzzzzzzz', 'r-aaaaaaaa']
    const { code, stdout, stderr } = await runProgram('explain', ...ids, '--log', log)
    expect(code).toBe(2)
    expect(stdout).toContain('Refused: foo-1.1.tar.gz')
    expect(stderr).toContain('r-zzzzzzzz')
  })

  test('says what an id looks like where there is none', async () => {
    const { code, stderr } = await runProgram('explain', 'ERROR: no id', '--log', log)
    expect(code).toBe(2)
    expect(stderr).toContain('There is no request id in that.')
    expect(stderr).toContain('such as r-eo64k2m5')
  })

  test('says that there is no log, where there is none', async () => {
    const { code, stderr } = await runProgram(
      'explain',
      'r-aaaaaaaa',
      '--state-dir',
      join(home, 'x'),
    )
    expect(code).toBe(2)
    expect(stderr).toContain('There is no audit log in')
  })
})
