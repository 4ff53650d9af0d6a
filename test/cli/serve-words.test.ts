/** What `tufgate serve` and `tufgate audit` say to a person who made a mistake: input, output, exit code. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuditLog } from '../../src/audit/log.ts'
import { initMirror } from '../../src/mirror/init.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { runProgram, startServe, type Finished } from '../support/program.ts'

const indexUrl = 'http://127.0.0.1:9/simple/'

let folder = ''
let mirror = ''
let root = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-serve-words-'))
  mirror = join(folder, 'mirror')
  root = await makeMirror('mirror')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function makeMirror(name: string): Promise<string> {
  const directory = join(folder, name)
  const { rootPath } = await initMirror({
    directory,
    projects: 10,
    clock: Date.now,
    report: () => undefined,
  })
  const pinned = join(folder, `${name}.1.root.json`)
  await copyFile(rootPath, pinned)
  return pinned
}

function serve(...args: readonly string[]): Promise<Finished> {
  return runProgram(
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--state-dir',
    join(folder, 'state'),
    ...args,
  )
}

function serveWith(location: string): Promise<Finished> {
  return serve('--index', indexUrl, '--root', root, '--mirror', location)
}

/** A start that gets as far as its first check of the mirror. */
async function firstWordsOf(...args: readonly string[]): Promise<string> {
  const options = ['--index', indexUrl, '--state-dir', join(folder, 'state'), ...args]
  const proxy = await startServe(...options)
  await fetchStatus(`${proxy.origin}/-/ready`)
  const { stderr } = await proxy.stop()
  return stderr.replaceAll(/^\d\d:\d\d:\d\d /gm, '')
}

async function fetchStatus(url: string): Promise<number> {
  const response = await fetch(url)
  await response.arrayBuffer()
  return response.status
}

describe('serve', () => {
  test('names the flag that is missing', async () => {
    expect(await serve('--index', indexUrl, '--mirror', join(mirror, 'public'))).toMatchObject({
      code: 2,
      stderr:
        'tufgate: --root is missing: the 1.root.json of the mirror (tufgate mirror init said where it is).\n  A mirror needs all three: --index URL --mirror LOCATION --root FILE. The --help of this command describes them.\n',
    })
  })

  test('guesses what was meant by a mirror that cannot be one', async () => {
    expect(await serveWith('127.0.0.1:8700')).toMatchObject({
      code: 2,
      stderr:
        'tufgate: The mirror 127.0.0.1:8700 is neither an http(s) URL nor a folder that exists.\n  Did you mean http://127.0.0.1:8700/ ?\n',
    })
    expect(await serveWith(mirror)).toMatchObject({
      code: 2,
      stderr: `tufgate: ${mirror} has no metadata/ in it, so it is no mirror.\n  Give ${mirror}/public\n`,
    })
  })

  test('says that nothing can be served while no mirror answers, once', async () => {
    const said = await firstWordsOf('--root', root, '--mirror', 'http://127.0.0.1:9/')
    const [first = ''] = said.split('\n')
    expect(first).toBe(
      'warning default: mirror http://127.0.0.1:9/metadata/2.root.json: could not connect (connect ECONNREFUSED 127.0.0.1:9)',
    )
    expect(said).toContain(
      'warning default: NO SIGNED LIST: every page is refused until a mirror answers\n',
    )
    expect(said.match(/could not connect/g)).toHaveLength(1)
  })

  test('says that the root may be that of another mirror', async () => {
    const other = await makeMirror('other')
    const said = await firstWordsOf('--root', other, '--mirror', join(mirror, 'public'))
    expect(said).toMatch(
      /The mirror's list is not signed by the keys of \S+other\.1\.root\.json \(sha256 [0-9a-f]{12}\.\.\.\)\n {4}If this root is of another mirror, give the right one with --root\. Otherwise ask whoever runs the mirror, and use nothing of it until then\.\n/,
    )
    expect(said).not.toMatch(/expected|found/)
  })

  test('refuses a root that is none before it keeps anything for it', async () => {
    const wrong = join(folder, 'wrong.json')
    await writeFile(wrong, '{}')
    const found = await serve(
      '--index',
      indexUrl,
      '--root',
      wrong,
      '--mirror',
      join(mirror, 'public'),
    )
    expect(found.code).toBe(2)
    expect(found.stderr).toMatch(/^tufgate: \S+wrong\.json cannot be pinned: root is malformed/)
    expect((await audit('show')).stderr).toContain('There is no audit log in')
  })

  test('says how to listen elsewhere where the port is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const place = `127.0.0.1:${port}`
    const state = ['--state-dir', join(folder, 'taken')]
    const location = ['--root', root, '--mirror', join(mirror, 'public'), ...state]
    const found = await serve('--index', indexUrl, ...location, '--listen', place)
    await new Promise((resolve) => taken.close(resolve))
    expect(found).toMatchObject({
      code: 2,
      stderr: `tufgate: cannot listen on ${place}: it is in use already\n  stop the program that listens there, or listen elsewhere: --listen 127.0.0.1:PORT, or \`listen\` in the settings\n`,
    })
    // Its log has an end: nobody takes it for that of a process that was killed.
    const shown = await runProgram('audit', 'show', ...state)
    expect(shown.stdout).toContain(`did not start: cannot listen on ${place}`)
    const verified = await runProgram('audit', 'verify', ...state)
    expect(verified).toMatchObject({ code: 0, stderr: '' })
    expect(verified.stdout).not.toContain('killed')
  })

  test('tells of a project that is not signed', async () => {
    const options = ['--root', root, '--mirror', join(mirror, 'public')]
    const proxy = await startServe(
      '--index',
      indexUrl,
      '--state-dir',
      join(folder, 's'),
      ...options,
    )
    expect(await fetchStatus(`${proxy.origin}/simple/blinker/`)).toBe(404)
    expect(await fetchStatus(`${proxy.origin}/simple/blinker/`)).toBe(404)
    expect(await fetchStatus(`${proxy.origin}/simple/pip/`)).toBe(404)
    const { stderr } = await proxy.stop()
    expect(stderr.replaceAll(/^\d\d:\d\d:\d\d /gm, '')).toBe(
      'info    blinker is not in the signed list. On the mirror: tufgate mirror sync FOLDER --project blinker\ninfo    SIGTERM: stopping; requests under way have 10 s to end\n',
    )
  })
})

describe('what an installer does not get', () => {
  const wheel = buildWheel({ name: 'foo', version: '1.0' })
  let index: ServedIndex
  beforeEach(async () => {
    await writeIndex(join(folder, 'index'), [{ name: 'foo', wheels: [wheel] }])
    index = await serveFolder(join(folder, 'index'))
    expect(await runProgram('mirror', 'sync', mirror, '--index', index.url, '--all')).toMatchObject(
      { code: 0 },
    )
  })
  afterEach(() => index.close())

  async function askFor(path: string, ...args: readonly string[]): Promise<[number, string]> {
    const location = ['--index', index.url, '--root', root, '--mirror', join(mirror, 'public')]
    const state = ['--state-dir', join(folder, 'state')]
    const proxy = await startServe(...location, ...state, ...args)
    const status = await fetchStatus(`${proxy.origin}${path}`)
    expect(await fetchStatus(`${proxy.origin}${path}`)).toBe(status)
    const { stderr } = await proxy.stop()
    return [status, stderr.replaceAll(/^\d\d:\d\d:\d\d /gm, '')]
  }

  test('because the file was replaced is told once, as it stands in the audit log', async () => {
    await writeFile(join(folder, 'index/files', wheel.filename), 'another content')
    const [status, stderr] = await askFor(await findLink())
    expect(status).toBe(403)
    expect(stderr.match(/^warning refused .*$/gm)).toEqual([
      expect.stringMatching(
        /^warning refused foo-1\.0-py3-none-any\.whl: .* is not the signed one .*\(r-[a-z2-7]{8}\)$/,
      ),
    ])
    const [, id = ''] = /\((r-[a-z2-7]{8})\)/.exec(stderr) ?? []
    const found = await audit('show', '--id', id)
    expect(found.stdout).toContain('DIGEST_MISMATCH')
  })

  test('because pins hide all of it is told with what to do', async () => {
    const pins = join(folder, 'pins.txt')
    await writeFile(pins, `# tufgate pins 1\n# index: ${index.url}\n`)
    const [status, stderr] = await askFor('/simple/foo/', '--pins', pins)
    expect(status).toBe(200)
    expect(stderr.split('\n')[0]).toBe(
      `warning foo: its 1 file is not in ${pins}; add them with tufgate pins export, or take --pins away`,
    )
    expect(stderr).not.toContain('another index')
  })

  test('because the pins are those of another index is told at the start', async () => {
    const pins = join(folder, 'pins.txt')
    await writeFile(pins, '# tufgate pins 1\n# index: https://pypi.org/simple/\n')
    const [, stderr] = await askFor('/-/ready', '--pins', pins)
    expect(stderr).toContain(
      `warning ${pins} has the pins of another index, https://pypi.org/simple/, and not of ${index.url}: names that are on both may have other files there.\n`,
    )
  })

  async function findLink(): Promise<string> {
    const location = ['--index', index.url, '--root', root, '--mirror', join(mirror, 'public')]
    const proxy = await startServe(...location, '--state-dir', join(folder, 'state'))
    const page = await (await fetch(`${proxy.origin}/simple/foo/`)).text()
    await proxy.stop()
    const [, href = ''] = /href="([^"#]+)/.exec(page) ?? []
    return new URL(href, `${proxy.origin}/simple/foo/`).pathname
  }
})

function audit(...args: readonly string[]): Promise<Finished> {
  return runProgram('audit', ...args, '--state-dir', join(folder, 'state'))
}

async function writeLog(name: string): Promise<string> {
  const path = join(folder, 'state', name, 'audit')
  await mkdir(path, { recursive: true })
  const log = await AuditLog.open(path, {
    maxFileBytes: 1_000_000,
    maxTotalBytes: 2_000_000,
    clock: () => Date.parse('2026-03-01T12:00:00Z'),
    owner: { id: '1.1.n1', isAlive: () => false },
  })
  await log.close()
  return path
}

describe('audit', () => {
  test('says how to find a log that is not where it looks', async () => {
    expect(await audit('show')).toMatchObject({
      code: 2,
      stderr: `tufgate: There is no audit log in ${folder}/state.\n  Say where it is: --state-dir FOLDER as it was given to serve, with --root FILE where it has several; or --log FOLDER, the "audit" folder in the state that serve names when it starts.\n`,
    })
    expect(await audit('verify', '--root', join(folder, 'nope.json'))).toMatchObject({
      code: 2,
      stderr: `tufgate: ${folder}/nope.json cannot be used: there is no such file\n`,
    })
  })

  test('lists several logs with their dates, and counts no empty one', async () => {
    const one = await writeLog('a')
    await mkdir(join(folder, 'state/b/audit'), { recursive: true })
    expect(await audit('verify')).toMatchObject({ code: 0 })
    const two = await writeLog('c')
    const { code, stderr } = await audit('show')
    expect(code).toBe(2)
    expect(
      stderr
        .replaceAll(/\d{4}-[^\s)]+Z/g, '<time>')
        .split('\n')
        .toSorted(),
    ).toEqual(
      [
        '',
        `  --log ${one}   (newest line <time>)`,
        `  --log ${two}   (newest line <time>)`,
        '  Say which one, as above; or, where serve was given a pinned root, with --root and that file.',
        `tufgate: There are several audit logs in ${folder}/state:`,
      ].toSorted(),
    )
  })

  test('verify names chains by their beginning, and says in words what it cannot know', async () => {
    await writeLog('a')
    const { stdout, code } = await audit('verify')
    expect(code).toBe(0)
    const [chain, head, unproven] = stdout.split('\n')
    expect(chain).toBe('chain 20260301T120000000Z_...: lines 1 to 2')
    expect(head).toMatch(/^ {2}head 20260301T120000000Z_1\.1\.n1_[0-9a-f]+:2:[0-9a-f]{64}$/)
    expect(unproven).toBe(
      'not proven: chain 20260301T120000000Z_: lines after line 2 may have been cut off, or the whole chain written anew; only a head that was kept elsewhere (--head) can tell',
    )
  })
})

test('an error of a sub-command sends to its own help', async () => {
  const found = await runProgram('mirror', 'sync', 'folder', '--nonsense')
  expect(found.code).toBe(2)
  expect(found.stderr).toContain('(tufgate mirror sync --help shows what there is)')
})
