/** What `tufgate mirror` says to a person: input, output and exit code. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requireIndexLocation } from '../../src/cli/mirror/mirror-index.ts'
import { describeStatus } from '../../src/cli/mirror/mirror-report.ts'
import { initMirror } from '../../src/mirror/init.ts'
import { mirrorStatus } from '../../src/mirror/status.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { caught } from '../support/caught.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { runProgram, type Finished } from '../support/program.ts'

let folder = ''
let mirror = ''
let index: ServedIndex
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-words-'))
  mirror = join(folder, 'mirror')
  await writeIndex(join(folder, 'index'), [
    { name: 'foo', wheels: [buildWheel({ name: 'foo', version: '1.0' })] },
    { name: 'bar', wheels: [buildWheel({ name: 'bar', version: '1.0' })] },
  ])
  index = await serveFolder(join(folder, 'index'))
  await initMirror({ directory: mirror, projects: 10, clock: Date.now, report: () => undefined })
})
afterEach(async () => {
  await index.close()
  await rm(folder, { recursive: true, force: true })
})

function sync(...args: readonly string[]): Promise<Finished> {
  return runProgram('mirror', 'sync', mirror, ...args)
}

const dependencies =
  'Only the projects that were named are signed, not their dependencies: name those too, or use --all.\n'

describe('mirror sync', () => {
  test('says that dependencies of what was named are not signed', async () => {
    const named = await sync('--index', index.url, '--project', 'foo')
    expect(named).toMatchObject({
      code: 0,
      stdout: `1 project looked at, 1 changed; signed and published\n${dependencies}`,
      stderr: '',
    })
    const all = await sync('--all')
    expect(all.stdout).toBe('2 projects looked at, 1 changed; signed and published\n')
    const json = await sync('--json', '--project', 'foo', 'bar')
    expect(JSON.parse(json.stdout)).toMatchObject({ lookedAt: 2, exitCode: 0 })
  })

  test('says which URL an unknown project was asked for at, and no code', async () => {
    const found = await sync('--index', index.url, '--project', 'flask')
    expect(found).toMatchObject({ code: 1 })
    expect(found.stderr).toBe(
      `warning: flask: not looked at: The index has no project flask: ${index.url}flask/ gave 404\n`,
    )
    const wrong = await sync('--index', `${index.origin}/`, '--project', 'foo')
    expect(wrong.stderr).toBe(
      `warning: foo: not looked at: The index has no project foo: ${index.origin}/foo/ gave 404; should --index end in /simple/ ?\n`,
    )
    // What failed is not remembered: the right one needs no --accept-index.
    expect(await sync('--index', index.url, '--project', 'foo')).toMatchObject({ code: 0 })
  })

  test.each([
    ['pypi.org/simple', 'Did you mean https://pypi.org/simple/ ?'],
    ['127.0.0.1:3141/root/pypi', 'Did you mean http://127.0.0.1:3141/root/pypi/ ?'],
    ['localhost', 'Did you mean http://localhost/ ?'],
    ['ftp://pypi.org/simple/', 'Give the URL of an index, such as https://pypi.org/simple/'],
    ['no/such/folder', 'Give the URL of an index, such as https://pypi.org/simple/'],
  ])('refuses the index %s', (location, next) => {
    expect(caught(() => requireIndexLocation(location))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${location} is neither an http(s) URL nor a folder that exists.`,
      facts: { next: expect.stringContaining(next) as string },
    })
  })

  test('refuses what cannot be an index before it looks at the mirror', async () => {
    const nowhere = join(folder, 'no-mirror')
    expect(await runProgram('mirror', 'sync', nowhere, '--index', 'pypi.org/simple')).toMatchObject(
      {
        code: 2,
        stdout: '',
        stderr:
          'tufgate: pypi.org/simple is neither an http(s) URL nor a folder that exists.\n  Did you mean https://pypi.org/simple/ ?\n',
      },
    )
  })

  test('names a requirements file that is not there, and the line that includes it', async () => {
    const options = ['--index', index.url, '--requirements']
    const missing = await sync(...options, 'nope.txt')
    expect(missing).toMatchObject({
      code: 2,
      stderr: 'tufgate: nope.txt cannot be read: there is no such file\n',
    })
    const outer = join(folder, 'r2.txt')
    await writeFile(outer, 'foo\n-r nope.txt\n')
    const nested = await sync(...options, outer)
    expect(nested).toMatchObject({
      code: 2,
      stderr: `tufgate: ${folder}/nope.txt cannot be read (named in ${outer}, line 2): there is no such file\n`,
    })
    expect(await sync(...options, folder)).toMatchObject({
      code: 2,
      stderr: `tufgate: ${folder} cannot be read: it is a folder\n`,
    })
  })
})

async function replaceFile(): Promise<void> {
  const page = join(folder, 'index/simple/foo/index.html')
  const html = await readFile(page, 'utf8')
  await writeFile(page, html.replace(/sha256=[0-9a-f]{64}"/, `sha256=${'0'.repeat(64)}"`))
}

test('a conflict reaches whoever watches the mirror, until somebody has looked into it', async () => {
  await sync('--index', index.url, '--all')
  expect(await runProgram('mirror', 'health', mirror)).toMatchObject({ code: 0 })
  await replaceFile()
  const found = await sync()
  expect(found).toMatchObject({
    code: 0,
    stdout: `2 projects looked at, 1 changed, 1 in conflict; signed and published\ntufgate mirror health ${mirror} says what is in conflict; what was signed stays.\n`,
  })
  const health = await runProgram('mirror', 'health', mirror)
  expect(health.code).toBe(3)
  expect(health.stdout).toContain(
    `warning\n  conflict: the index shows something else than what is signed of foo; what is signed stays\n    Find out why: tufgate mirror log ${mirror} foo. It is said for 7 days, or until: tufgate mirror acknowledge ${mirror} foo\n`,
  )
  const json = await runProgram('mirror', 'health', mirror, '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ state: 'warning', conflicts: 1 })
  const nothing = await runProgram('mirror', 'acknowledge', mirror)
  expect(nothing).toMatchObject({
    code: 2,
    stderr: `tufgate: Give either the names of projects or --all.\n  tufgate mirror health ${mirror} says which projects are in conflict.\n`,
  })
  expect(await runProgram('mirror', 'acknowledge', mirror, 'Foo')).toMatchObject({
    code: 0,
    stdout:
      'foo: looked into; what is signed stays, and health says no more of it until the index shows something else\n',
  })
  expect(await runProgram('mirror', 'health', mirror)).toMatchObject({ code: 0 })
  const log = await runProgram('mirror', 'log', mirror, 'foo', '--kind', 'acknowledged')
  expect(log.stdout).toMatch(/ foo: what the index showed at \S+ was looked into\n$/)
})

describe('mirror status', () => {
  test('names the files in conflict, and says what that means and what to do', async () => {
    await sync('--index', index.url, '--all')
    await replaceFile()
    expect(await sync()).toMatchObject({ code: 0 })
    const { stdout, code } = await runProgram('mirror', 'status', mirror)
    expect(code).toBe(0)
    expect(stdout).toContain('\nsigned            2 projects, in 8 parts (bins)\n')
    const columns = stdout.split('\n').filter((line) => /^[a-z]/.test(line))
    expect(columns.map((line) => line.search(/(?<= {2})\S/))).toEqual(columns.map(() => 18))
    expect(stdout).toMatch(
      /\nconflict {10}foo: foo-1\.0-py3-none-any\.whl\n {2}Either the index was /,
    )
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Either the index was tampered with or the file was replaced. Clients keep getting what was signed, if the index still has it, and a refusal otherwise. Find out which; if the new one is right it needs a new file name.',
    )
  })

  test('counts one project as one, and has no advice on bins for so few', async () => {
    await sync('--index', index.url, '--project', 'foo')
    const { stdout } = await runProgram('mirror', 'status', mirror)
    expect(stdout).toContain('\nsigned            1 project, in 8 parts (bins)\n')
  })

  test.each([
    [400, 64, ''],
    [2000, 64, ''],
    [
      2000,
      1024,
      '; best for so many: 64 (tufgate mirror root new /srv/mirror --bins 64 -o bins.json)',
    ],
    [
      2000,
      8,
      '; best for so many: 64 (tufgate mirror root new /srv/mirror --bins 64 -o bins.json)',
    ],
  ])('of %i projects in %i bins gives the advice "%s"', async (projects, bins, advice) => {
    const context = { clock: Date.now, report: () => undefined }
    const status = await mirrorStatus({ directory: mirror, ...context })
    const words = describeStatus(
      { ...status, projects, bins, recommendedBins: 64 },
      { directory: '/srv/mirror', now: Date.now() },
    )
    expect(words).toContain(`${projects} projects, in ${bins} parts (bins)${advice}\n`)
  })
})

test('the advice of mirror init --json is no warning', async () => {
  const found = await runProgram(
    'mirror',
    'init',
    join(folder, 'other'),
    '--json',
    '--root-keys',
    '3',
  )
  expect(found.code).toBe(0)
  expect(JSON.parse(found.stdout)).toMatchObject({ bins: 64 })
  expect(found.stderr).toMatch(/^Clients pin .*\nServe .*\nMove .*\n$/)
})
