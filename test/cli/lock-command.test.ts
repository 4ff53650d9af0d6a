import { chmod, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand, runProgram, type Finished } from '../support/program.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-lock-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const proxied = [
  '# http://127.0.0.1:8642/simple',
  '--index-url http://127.0.0.1:8642/simple/',
  'idna==3.10 --hash=sha256:00',
  '',
].join('\r\n')

async function keep(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

function rewrite(...args: readonly string[]): Promise<Finished> {
  return runProgram('lock', 'rewrite', ...args)
}

/** A poetry.lock of one package, from a source of its own where there is an address. */
function renderLock(url?: string): string {
  const source = `[package.source]\ntype = "legacy"\nurl = "${url ?? ''}"\nreference = "tufgate"\n\n`
  const own = url === undefined ? '' : source
  return `[[package]]\nname = "idna"\nversion = "3.10"\n\n${own}[metadata]\n`
}

describe('lock rewrite', () => {
  test('turns addresses into those of PyPI by default, keeps the mode, and is done the second time', async () => {
    const path = await keep('requirements.txt', proxied)
    await chmod(path, 0o640)
    const done = await rewrite(path)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toBe(`${path}: 1 address turned into the index's own\n`)
    expect(await readFile(path, 'utf8')).toBe(
      proxied.replace('--index-url http://127.0.0.1:8642', '--index-url https://pypi.org'),
    )
    expect((await stat(path)).mode & 0o777).toBe(0o640)
    expect((await rewrite(path)).stdout).toBe(`${path}: nothing to rewrite\n`)
  })

  test('with --check changes nothing, and ends with 3 where something would change', async () => {
    const path = await keep('requirements.txt', proxied)
    expect(await rewrite('--check', path)).toMatchObject({
      code: 3,
      stdout: `${path}: 1 address would be turned into the index's own\n`,
    })
    expect(await readFile(path, 'utf8')).toBe(proxied)
  })

  test('of poetry.lock takes a source out that left pyproject.toml only after the first run', async () => {
    const path = await keep('poetry.lock', renderLock('http://127.0.0.1:8642/simple'))
    const settings = '[tool.poetry]\nname = "demo"\n'
    const named =
      '[[tool.poetry.source]]\nname = "tufgate"\nurl = "http://127.0.0.1:8642/simple/"\n'
    await keep('pyproject.toml', settings + named)
    expect(await rewrite(path)).toMatchObject({ code: 0 })
    expect(await readFile(path, 'utf8')).toBe(renderLock('https://pypi.org/simple'))
    await keep('pyproject.toml', settings)
    const { code, stdout } = await rewrite(path)
    expect(stdout).toContain(', 1 source table of poetry is gone')
    expect(await readFile(path, 'utf8')).toBe(renderLock())
    expect(code).toBe(0)
  })

  test('tells a program what it did', async () => {
    const path = await keep('requirements.txt', proxied)
    const { stdout } = await rewrite('--json', path)
    expect(JSON.parse(stdout)).toEqual({
      to: 'origin',
      files: [
        {
          file: path,
          format: 'requirements',
          changes: [{ before: 'http://127.0.0.1:8642/simple/', after: 'https://pypi.org/simple/' }],
          leftLines: [],
          droppedSources: 0,
        },
      ],
    })
  })

  test('writes what a link leads to, and leaves the link', async () => {
    const path = await keep('requirements.txt', proxied)
    const link = join(folder, 'link.txt')
    await symlink(path, link)
    expect(await rewrite(link)).toMatchObject({ code: 0 })
    expect((await lstat(link)).isSymbolicLink()).toBe(true)
    expect(await readFile(path, 'utf8')).toContain('https://pypi.org')
  })

  test('names the lines whose addresses of a proxy it cannot turn, and ends with 3', async () => {
    const path = await keep(
      'requirements.txt',
      'a\nhttp://127.0.0.1:8642/files/Idna/x.example/idna-1.0.tar.gz\n',
    )
    const done = await rewrite(path)
    expect(done).toMatchObject({ code: 3 })
    expect(done.stderr).toContain('in line 2')
  })

  test('names so many lines in time that grows with the file', async () => {
    const line = 'a @ http://127.0.0.1:8642/files/A/evil.example/a-1.0.zip\n'
    const path = await keep('requirements.txt', line.repeat(60_000))
    const done = await rewrite(path)
    expect(done).toMatchObject({ code: 3 })
    expect(done.stderr).toContain('in line 1, 2, 3,')
  })

  test('keeps a byte order mark, mixed line ends, and every hash', async () => {
    const hashes = 'idna==3.10 \\\r\n  --hash=sha256:00 --hash=sha256:127.0.0.1:8642\n\r'
    const path = await keep('requirements.txt', `\uFEFF-i http://127.0.0.1:8642/simple\r${hashes}`)
    expect(await rewrite(path)).toMatchObject({ code: 0 })
    expect(await readFile(path, 'utf8')).toBe(`\uFEFF-i https://pypi.org/simple\r${hashes}`)
  })

  test('goes by the indexes of the settings, each with its names', async () => {
    const config = await keep(
      'tufgate.toml',
      '[[index]]\nname = "acme"\nurl = "https://acme.example/simple/"\nprojects = ["acme-*"]\n[[index]]\nname = "pypi"\nurl = "https://pypi.org/simple/"\n',
    )
    const path = await keep(
      'uv.lock',
      ['acme-a', 'idna']
        .map(
          (name) =>
            `[[package]]\nname = "${name}"\nsource = { registry = "http://127.0.0.1:1/simple" }\n`,
        )
        .join(''),
    )
    expect(await rewrite('--config', config, path)).toMatchObject({ code: 0 })
    expect(await readFile(path, 'utf8')).toMatch(/acme\.example\/simple[^]*pypi\.org\/simple/)
  })

  test.each([
    ['package-lock.json', '{}', 'is no lock file by its name'],
    ['uv.lock', 'a = "', 'uv.lock'],
    ['Pipfile.lock', '{', 'it is not JSON'],
    ['pylock.toml', Buffer.from([0xff, 0xfe]), 'it is not UTF-8'],
  ])('refuses %s with %j before anything is written', async (name, text, message) => {
    const good = await keep('requirements.txt', proxied)
    const bad = await keep(name, text)
    const done = await rewrite(good, bad)
    expect(done).toMatchObject({ code: 2, stdout: '' })
    expect(done.stderr).toContain(message)
    expect(await readFile(good, 'utf8')).toBe(proxied)
  })

  test('refuses what is not there, and a proxy that is none', async () => {
    expect(await rewrite(join(folder, 'uv.lock'))).toMatchObject({ code: 2 })
    const path = await keep('requirements.txt', proxied)
    const done = await rewrite('--proxy', 'ftp://x', path)
    expect(done.stderr).toContain('--proxy is not the address of a proxy')
  })

  test('cannot print what moves the cursor', async () => {
    const path = await keep('\u001b[2Jx.txt', proxied)
    const done = await runCommand(process.execPath, ['src/main.ts', 'lock', 'rewrite', path])
    expect(done.stdout).not.toContain('\u001b')
  })
})
