/** `tufgate run`: what a command leads past the proxy is said before it starts, and `--strict` starts nothing. */

import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { useRun } from '../e2e/run-fixture.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { collect, spawnProgram, type Finished } from '../support/program.ts'

const fixture = useRun({ 'run-good': [buildWheel({ name: 'run-good', version: '1.0' })] })
const evil = 'http://evil.example/simple/'

/** Something that is called as an installer is, and leaves a mark. */
let marker: string

async function writeInstaller(name: string): Promise<string> {
  const path = join(fixture.state, 'bin', name)
  await mkdir(join(fixture.state, 'bin'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho it runs >&2; echo > ${marker}\n`)
  await chmod(path, 0o755)
  return path
}

beforeEach(() => {
  marker = join(fixture.state, 'marker')
})

function runWith(flags: readonly string[], command: readonly string[]): Promise<Finished> {
  const args = ['run', '--config', fixture.config, ...flags, '--', ...command]
  return collect(fixture.trial.watch(spawnProgram(fixture.variables(), ...args)))
}

describe('another index on the command line', () => {
  test('is said before the command starts, with the way out, and again at the end; it runs', async () => {
    const pip = await writeInstaller('pip')
    const { code, stderr } = await fixture.run([pip, 'install', '--extra-index-url', evil, 'foo'])
    expect(stderr).toContain(
      `tufgate: --extra-index-url: ${evil}: pip asks this index too, and takes from it what it likes better: nothing that comes from there is checked; take it out; packages that only this index has can come through tufgate`,
    )
    expect(stderr).toContain('  1 way past the proxy on the command line, told before it started')
    expect(stderr.indexOf('tufgate: --extra')).toBeLessThan(stderr.indexOf('it runs'))
    expect(existsSync(marker)).toBe(true)
    expect(code).toBe(0)
  })

  test('--strict starts nothing: 2', async () => {
    const pip = await writeInstaller('pip')
    const json = join(fixture.state, 'out.json')
    const flags = ['--strict', '--json', json]
    const { code, stderr } = await runWith(flags, [pip, 'install', `-i${evil}`, 'foo'])
    expect(stderr).toContain(`tufgate: -i: ${evil}: `)
    expect(stderr).toContain('; leave it out\n')
    expect(stderr).toContain(
      'tufgate: nothing was started: --strict refuses a command that goes past the proxy.',
    )
    expect(existsSync(marker)).toBe(false)
    expect(code).toBe(2)
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      pastProxy: [{ code: 'other-index', place: 'the command line', what: `-i: ${evil}` }],
    })
  })

  test('a password in it is not printed', async () => {
    const pip = await writeInstaller('pip')
    const address = 'https://me:secret@evil.example/simple/?token=secret'
    const { stderr } = await fixture.run([pip, 'install', '-i', address, 'foo'])
    expect(stderr).toContain('-i: https://evil.example/simple/')
    expect(stderr).not.toContain('secret')
  })

  test('with --intercept comes to the proxy: nothing is said', async () => {
    const pip = await writeInstaller('pip')
    const flags = ['--strict', '--intercept']
    const { code, stderr } = await runWith(flags, [pip, 'install', '-i', evil, 'foo'])
    expect(stderr).not.toContain('evil.example')
    expect(existsSync(marker)).toBe(true)
    expect(code).toBe(0)
  })
})

describe('files that the command line names', () => {
  test('are followed, nested ones too, and named by file and line', async () => {
    const pip = await writeInstaller('pip')
    const first = join(fixture.state, 'requirements.txt')
    const second = join(fixture.state, 'more.txt')
    await writeFile(first, 'foo\n-r more.txt\n')
    await writeFile(second, `# a comment\nbar @ https://evil.example/bar.whl\n-i ${evil}\n`)
    const { code, stderr } = await runWith(['--strict'], [pip, 'install', '-r', first])
    expect(stderr).toContain(`tufgate: ${second}, line 2: bar: https://evil.example/bar.whl: `)
    expect(stderr).toMatch(/line 3: --?i[^\n]*: [^\n]*; take this line out\n/)
    expect(code).toBe(2)
  })

  test.each([
    ['--config-file', 'own.toml', `[[index]]\nurl = "${evil}"\n`],
    ['-r', 'pyproject.toml', `[project]\ndependencies = ["foo @ https://evil.example/foo.whl"]\n`],
    ['-r', 'pylock.toml', `[[packages.wheels]]\nurl = "https://evil.example/foo.whl"\n`],
  ])('uv %s %s is read for what it is', async (option, name, text) => {
    const uv = await writeInstaller('uv')
    const path = join(fixture.state, name)
    await writeFile(path, text)
    const { code, stderr } = await runWith(['--strict'], [uv, 'pip', 'install', option, path])
    expect(stderr).toContain(`tufgate: ${path}, line 2: `)
    expect(stderr).toContain('evil.example')
    expect(code).toBe(2)
  })

  test('--strict starts nothing where a file could not be looked at', async () => {
    const pip = await writeInstaller('pip')
    const { code, stderr } = await runWith(['--strict'], [pip, 'install', '-r', fixture.state])
    expect(stderr).toContain('this was not checked: it is not a file')
    expect(code).toBe(2)
  })
})

describe('what a strict command may do', () => {
  test.each([
    ['pip', 'install', 'foo', '--no-cache-dir', '--isolated'],
    ['pip', 'install', '.'],
    ['pip', 'install', './dist/foo-1.0-py3-none-any.whl'],
    ['uv', 'sync', '--frozen'],
  ])('%s %s %s', async (name, ...args) => {
    const installer = await writeInstaller(name)
    const { code, stderr } = await runWith(['--strict'], [installer, ...args])
    expect(stderr).not.toContain('past the proxy on')
    expect(existsSync(marker)).toBe(true)
    expect(code).toBe(0)
  })

  test.each(['sudo', 'poetry'])('%s is not started: it does not use the proxy', async (name) => {
    const program = await writeInstaller(name)
    const { code } = await runWith(['--strict'], [program, 'install', 'foo'])
    expect(existsSync(marker)).toBe(false)
    expect(code).toBe(2)
  })
})

describe('settings of the folder', () => {
  const pipfile = `[[source]]\nurl = "${evil}"\nverify_ssl = true\nname = "evil"\n`

  test.each([
    ['pipenv', true],
    ['make', true],
    ['pip', false],
    ['pdm', false],
  ])('are counted for %s: %s, and do not keep it from being started', async (name, isSaid) => {
    const program = await writeInstaller(name)
    const folder = join(fixture.state, 'project')
    await mkdir(folder)
    await writeFile(join(folder, 'Pipfile'), pipfile)
    const main = join(import.meta.dirname, '../../src/main.ts')
    const inner = [process.execPath, main, 'run', '--strict', '--config', fixture.config, '--']
    const line = [...inner, program, 'install'].map((word) => `'${word}'`).join(' ')
    const { code, stderr } = await fixture.run(['sh', '-c', `cd ${folder} && ${line}`])
    expect(
      stderr.includes('tufgate: 1 way past the proxy in this folder: tufgate doctor tells them'),
    ).toBe(isSaid)
    expect(existsSync(marker)).toBe(true)
    expect(code).toBe(0)
  })
})
