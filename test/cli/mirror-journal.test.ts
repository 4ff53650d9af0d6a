/** What `tufgate mirror log|held|approve|reject` say to a person: input, output and exit code. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { initMirror } from '../../src/mirror/init.ts'
import { openDatabase } from '../../src/store/database.ts'
import { runProgram, type Finished } from '../support/program.ts'

let folder = ''
let mirror = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-journal-'))
  mirror = join(folder, 'mirror')
  await mkdir(join(folder, 'index/simple/foo'), { recursive: true })
  await initMirror({ directory: mirror, bins: 2, clock: Date.now, report: () => undefined })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function run(command: string, ...args: readonly string[]): Promise<Finished> {
  return runProgram('mirror', command, mirror, ...args)
}

async function putPage(...filenames: readonly string[]): Promise<void> {
  const files = filenames.map((filename) => ({
    filename,
    url: `../../files/${filename}`,
    hashes: { sha256: sha256Hex(Buffer.from(filename)) },
    'upload-time': '2024-01-01T00:00:00Z',
  }))
  const page = { meta: { 'api-version': '1.4' }, name: 'foo', versions: [], files }
  await writeFile(join(folder, 'index/simple/foo/index.json'), JSON.stringify(page))
}

/** A late wheel waits. */
async function holdWheel(): Promise<Finished> {
  await putPage('foo-1.0.tar.gz')
  const index = ['--index', join(folder, 'index'), '--base-url', 'https://files.test/']
  expect(await run('sync', ...index, '--project', 'foo')).toMatchObject({ code: 0 })
  await putPage('foo-1.0.tar.gz', 'foo-1.0-py3-none-any.whl')
  return run('sync')
}

const late =
  'a file was added to a release that is older than 14 days: foo-1.0-py3-none-any.whl (since 2024-01-01T00:00:00Z)'

test('a person sees what waits and why, signs it, and finds it in the journal', async () => {
  const sync = await holdWheel()
  expect(sync).toMatchObject({ code: 1, stderr: `warning: foo: held for a person: ${late}\n` })
  expect(sync.stdout).toContain('1 held')
  expect(sync.stdout).toContain(`tufgate mirror held ${mirror} shows`)

  const list = await run('held')
  expect(list.stdout).toContain(`: ${late}\n`)
  expect(list.stdout).toMatch(/approve \S+ --all --as-of \d{4}-\d\d-\d\dT[\d:.]+Z\n/)

  const one = await run('held', 'Foo')
  expect(one.stdout).toContain('\n+ foo-1.0-py3-none-any.whl\n')
  expect(one.stdout).toMatch(/\n {4}first seen: \d{4}-\d\d-\d\dT[\d:]+Z\n/)
  expect(one.stdout).not.toMatch(/ _[a-z]/)
  const [, exact = ''] = /approve \S+ (foo@[0-9a-f]{12})\n/.exec(one.stdout) ?? []
  const approved = await run('approve', exact)
  expect(approved).toMatchObject({
    code: 0,
    stdout: '1 project signed as looked at and published\n',
    stderr: '',
  })
  expect((await run('held')).stdout).toBe('Nothing waits for a person.\n')

  const log = await run('log')
  const told = log.stdout.trimEnd().split('\n')
  expect(
    told.map((line) => line.replace(/^\S+ \S+ +/, '').replaceAll(/since \S+Z/g, 'since T')),
  ).toEqual([
    '1  new-project  foo: a new project with 1 file [signed]',
    '2  late-file  foo: a file was added to a release that is older than 14 days: foo-1.0-py3-none-any.whl (since T) [held]',
    '3  approved  foo: what was held since T is signed: late-file',
  ])
  const json = await run('log', 'foo', '--kind', 'late-file', '--since', '1h', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ sequence: 2, act: 'held', count: 1 })
  expect((await run('log', 'bar')).stdout).toBe('')
}, 60_000)

test('reject keeps what is signed, and the next sync is content', async () => {
  await holdWheel()
  const rejected = await run('reject', 'foo')
  expect(rejected.stdout).toBe(
    '1 project refused: what is signed stays until the index shows something else\n',
  )
  expect((await run('held')).stdout).toContain('foo (refused), since')
  expect(await run('sync')).toMatchObject({ code: 0, stderr: '' })
}, 60_000)

test('log --verify names the head, and says what was changed', async () => {
  await holdWheel()
  const whole = await run('log', '--verify')
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(whole.stdout).toMatch(
    /^head 2:[0-9a-f]{64}\ntimestamp\.json signs all of it\n\S+: 2 entries, none was changed\n$/,
  )
  const [, head = ''] = /^head (\S+)$/m.exec(whole.stdout) ?? []
  expect(await run('log', '--head', head)).toMatchObject({ code: 0 })
  expect(await run('log', '--head', '1:abc')).toMatchObject({
    code: 2,
    stderr:
      'tufgate: "1:abc" is not a head of a journal.\n  expected: SEQUENCE:SHA256, as --verify prints it\n',
  })
  const database = openDatabase(join(mirror, 'mirror.db'), { schema: '', version: 2 })
  database.run("UPDATE journal SET kind = 'file-added' WHERE sequence = 2")
  database.close()
  const changed = await run('log', '--verify')
  expect(changed).toMatchObject({ code: 3 })
  expect(changed.stderr).toMatch(/^warning: entry 2 was changed\n {4}expected [0-9a-f]{64}\n/)
  expect(changed.stdout).toContain('2 entries, 1 finding\n')
}, 60_000)

test('settings of the mirror decide at the next sync; a mistake in them is named', async () => {
  await holdWheel()
  await writeFile(join(mirror, 'mirror.toml'), '[changes]\nlate-fil = "sign"\n')
  expect(await run('sync')).toMatchObject({
    code: 2,
    stderr: `tufgate: ${mirror}/mirror.toml, line 2: changes.late-fil is not a setting.\n  Did you mean "late-file"?\n`,
  })
  await writeFile(join(mirror, 'mirror.toml'), '[changes]\nlate-file = "warn"\n')
  expect(await run('sync')).toMatchObject({ code: 0, stderr: `warning: foo: ${late}\n` })
}, 60_000)

test.each([
  [['approve'], 'Nothing was chosen'],
  [['approve', 'foo', '--all'], 'Projects and --all were given together.'],
  [['held', 'bar'], 'Nothing of bar waits for a person'],
  [['log', '--kind', 'yankd'], '"yankd" is not a kind of change.'],
  [['log', '--since', 'soon'], '"soon" is not a time.'],
  [['log', 'foo', '--verify'], 'A journal is verified as a whole.'],
])('%j is refused', async ([command = '', ...args], message) => {
  const refused = await run(command, ...args)
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr.split('\n')[0]).toBe(`tufgate: ${message}`)
})
