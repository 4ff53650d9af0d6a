import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { atTerminal, type AtTerminal } from '../support/terminal.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-terminal-'))
  const place = resolve('src/signing/terminal-passphrase.ts')
  await writeFile(
    join(folder, 'ask.ts'),
    `import { askOnTerminal } from ${JSON.stringify(place)}
try {
  const first = await askOnTerminal({ place: 'keys/root-1.pem', isRetry: false })
  process.stdout.write('<' + JSON.stringify(first ?? null) + '>')
} catch (error) {
  process.stdout.write('<' + error.code + ' ' + error.message + '. ' + error.facts.next + '>')
}`,
  )
  await writeFile(
    join(folder, 'make.ts'),
    `import { askNewPassphrase } from ${JSON.stringify(place)}
try {
  process.stdout.write('<' + JSON.stringify(await askNewPassphrase('a.pem')) + '>')
} catch (error) {
  process.stdout.write('<' + error.code + ' ' + error.message + '. ' + error.facts.next + '>')
}`,
  )
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const runAtTerminal = (program: string, ...answers: readonly string[]): AtTerminal =>
  atTerminal([process.execPath, join(folder, program)], ...answers)

describe('a passphrase at a terminal', () => {
  test('is asked for by the name of the key, and is not shown', () => {
    const { stdout, status } = runAtTerminal('ask.ts', 'sesame\\r')
    expect(stdout).toContain('Passphrase of keys/root-1.pem: ')
    expect(stdout).toContain('<"sesame">')
    expect(stdout.match(/sesame/g)).toHaveLength(1)
    expect(status).toBe(0)
  })

  test('can be corrected with backspace and Ctrl-U', () => {
    expect(runAtTerminal('ask.ts', 'wrong\\x15sesami\\x7fe\\n').stdout).toContain('<"sesame">')
  })

  test('is none after Ctrl-D', () => {
    expect(runAtTerminal('ask.ts', 'ses\\x04').stdout).toContain('<null>')
  })

  test('that is empty is said to be so', () => {
    expect(runAtTerminal('ask.ts', '\\r').stdout).toContain(
      '<KEY_INVALID The passphrase is empty. Run the command again, and type the passphrase of keys/root-1.pem.>',
    )
    expect(runAtTerminal('make.ts', '\\r').stdout).toContain(
      '<KEY_INVALID The passphrase is empty. Run the command again and type one, or say --no-passphrase; no key was made.>',
    )
  })

  test('can be refused with Ctrl-C, which ends the program as everywhere', () => {
    const { stdout, status } = runAtTerminal('ask.ts', 'ses\\x03')
    expect(status).toBe(130)
    expect(stdout).not.toContain('"ses')
  })

  test('for a new key is asked for twice', () => {
    expect(runAtTerminal('make.ts', 'sesame\\r', 'sesame\\r').stdout).toContain('<"sesame">')
    expect(runAtTerminal('make.ts', 'sesame\\r', 'sesami\\r').stdout).toContain(
      '<KEY_INVALID The two passphrases are not the same. ',
    )
  })

  test.each([
    ['by two letters', 'sesame\\r\\nsesame\\r\\n'],
    ['by Enter', 'sesame\\rsesame\\r'],
    ['as in a file', 'sesame\\nsesame\\n'],
  ])('for a new key may come in one breath, its lines ended %s', (_how, both) => {
    expect(runAtTerminal('make.ts', both).stdout).toContain('<"sesame">')
  })

  test('that does not fit what was typed ahead is asked for again', () => {
    const { stdout } = runAtTerminal('make.ts', 'sesame\\rses', 'ame\\r')
    expect(stdout).toContain('<"sesame">')
  })

  test.each([
    ['Enter', 'sesame\\r'],
    ['Ctrl-C', 'ses\\x03'],
  ])('leaves a terminal that shows what is typed, after %s', (_how, typed) => {
    const shell = join(folder, 'then-stty.sh')
    const run = `${process.execPath} ${join(folder, 'ask.ts')}`
    writeFileSync(shell, `trap : INT\n${run}\nstty -a </dev/tty\n`)
    const { stdout } = atTerminal(['sh', shell], typed)
    expect(stdout).toMatch(/[ ;\n]icanon/)
    expect(stdout).toMatch(/[ ;\n]echo[ ;\n]/)
  })

  test('is not waited for where there is no terminal', () => {
    const script = join(folder, 'ask.ts')
    const { stdout } = spawnSync('setsid', ['-w', process.execPath, script], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(stdout).toBe('<null>')
  })
})
