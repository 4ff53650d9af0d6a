import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** A terminal of its own for the program; types each answer when it is asked for. */
const terminal = `
import os, pty, sys, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:3])
seen = b""
answers = [answer.encode().decode("unicode_escape").encode("latin1") for answer in sys.argv[3:]]
asked = 0
while True:
    try:
        chunk = os.read(fd, 1024)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if seen.count(b": ") > asked and asked < len(answers):
        os.write(fd, answers[asked])
        asked += 1
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.WTERMSIG(status) + 128 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-terminal-'))
  const place = resolve('src/signing/terminal-passphrase.ts')
  await writeFile(
    join(folder, 'ask.ts'),
    `import { askOnTerminal } from ${JSON.stringify(place)}
const first = await askOnTerminal({ place: 'keys/root-1.pem', isRetry: false })
process.stdout.write('<' + JSON.stringify(first ?? null) + '>')`,
  )
  await writeFile(
    join(folder, 'make.ts'),
    `import { askNewPassphrase } from ${JSON.stringify(place)}
try {
  process.stdout.write('<' + JSON.stringify(await askNewPassphrase('a.pem')) + '>')
} catch (error) {
  process.stdout.write('<' + error.code + ' ' + error.message + '>')
}`,
  )
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

function runAtTerminal(program: string, ...answers: readonly string[]) {
  const script = join(folder, program)
  const parameters = ['-c', terminal, process.execPath, script, ...answers]
  return spawnSync('python3', parameters, { encoding: 'utf8', timeout: 20_000 })
}

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

  test.each([
    ['an empty line', '\\r'],
    ['Ctrl-D', 'ses\\x04'],
  ])('is none after %s', (_what, typed) => {
    expect(runAtTerminal('ask.ts', typed).stdout).toContain('<null>')
  })

  test('can be refused with Ctrl-C, which ends the program as everywhere', () => {
    const { stdout, status } = runAtTerminal('ask.ts', 'ses\\x03')
    expect(status).toBe(130)
    expect(stdout).not.toContain('"ses')
  })

  test('for a new key is asked for twice', () => {
    expect(runAtTerminal('make.ts', 'sesame\\r', 'sesame\\r').stdout).toContain('<"sesame">')
    expect(runAtTerminal('make.ts', 'sesame\\r', 'sesami\\r').stdout).toContain(
      '<KEY_INVALID The two passphrases are not the same>',
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
    const parameters = ['-c', terminal, 'sh', shell, typed]
    const { stdout } = spawnSync('python3', parameters, { encoding: 'utf8', timeout: 20_000 })
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
