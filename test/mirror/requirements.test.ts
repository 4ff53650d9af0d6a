import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  parseLine,
  readRequirements,
  type RequirementsPort,
} from '../../src/mirror/requirements.ts'

function portOf(files: Record<string, string>) {
  const reads: string[] = []
  return {
    reads,
    read(path: string): Promise<string> {
      reads.push(path)
      const content = files[path]
      return content === undefined
        ? Promise.reject(new Error(`no ${path}`))
        : Promise.resolve(content)
    },
    resolve: (from: string, nested: string) => posix.join(posix.dirname(from), nested),
  }
}

async function read(content: string) {
  const { projects, uncovered } = await readRequirements(['r.txt'], portOf({ 'r.txt': content }))
  return { projects: [...projects], uncovered }
}

describe('a requirements file', () => {
  test.each([
    ['requests', 'requests'],
    ['Foo.Bar_baz==1.0', 'foo-bar-baz'],
    ['requests>=2,<3', 'requests'],
    ['requests (>=2)', 'requests'],
    ['requests[socks, security] ~= 2.8', 'requests'],
    ['requests ; python_version < "3.8"', 'requests'],
    ['requests!=1 # a comment', 'requests'],
    ['requests==1.0 --hash=sha256:abc', 'requests'],
    ['requests --hash=sha256:abc', 'requests'],
  ])('names a project in "%s"', async (line, name) => {
    expect(await read(line)).toEqual({ projects: [name], uncovered: [] })
  })

  test.each([
    '-e .',
    '--editable=git+https://example.org/a.git',
    './local/foo',
    'local/foo',
    'foo-1.0-py3-none-any.whl',
    'foo-1.0.tar.gz',
    'https://example.org/foo-1.0.tar.gz',
    'git+https://example.org/foo.git#egg=foo',
    'foo @ https://example.org/foo-1.0.tar.gz',
    '-r https://example.org/requirements.txt',
    'foo bar',
  ])('reports what no index serves: "%s"', async (line) => {
    expect(await read(`\n${line}`)).toEqual({
      projects: [],
      uncovered: [{ place: 'r.txt:2', line }],
    })
  })

  test.each([
    '',
    '   ',
    '# a comment',
    '--index-url https://example.org/simple',
    '-i https://example.org/simple',
    '--no-binary :all:',
    '--pre',
    '--require-hashes',
  ])('has lines that name nothing: "%s"', async (line) => {
    expect(await read(line)).toEqual({ projects: [], uncovered: [] })
  })

  test('goes on over a backslash, with hashes on lines of their own', async () => {
    const content =
      'one==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\r\ntwo\\\n>=1\nthree'
    expect((await read(content)).projects).toEqual(['one', 'two', 'three'])
  })

  test('ends a continuation at a comment line, as pip does', async () => {
    expect((await read('one \\\n# why\ntwo')).projects).toEqual(['one', 'two'])
  })

  test('may end in a backslash and begin with a byte order mark', async () => {
    expect((await read('\uFEFFone\ntwo\\')).projects).toEqual(['one', 'two'])
  })

  test('includes others, relative to itself, each once even in a circle', async () => {
    const port = portOf({
      'a/r.txt': '-r sub/s.txt\n--constraint=c.txt\n-rd.txt\none',
      'a/sub/s.txt': '-r ../r.txt\ntwo',
      'a/c.txt': 'three<2',
      'a/d.txt': 'four',
    })
    const { projects } = await readRequirements(['a/r.txt'], port)
    expect([...projects].toSorted()).toEqual(['four', 'one', 'three', 'two'])
    expect(port.reads).toEqual(['a/r.txt', 'a/sub/s.txt', 'a/c.txt', 'a/d.txt'])
  })

  test('that includes without end is cut off at a hundred files', async () => {
    let reads = 0
    await readRequirements(['0'], {
      read: () => Promise.resolve(`-r ${(reads += 1)}\nproject-${reads}`),
      resolve: (_from, nested) => nested,
    })
    expect(reads).toBe(100)
  })

  test('with a very long line is read in linear time', () => {
    const long = `requests ${' '.repeat(200_000)}x`
    expect(parseLine(long)).toEqual({ kind: 'uncovered' })
    expect(parseLine(`${long}\u2028x`)).toEqual({ kind: 'uncovered' })
  })

  test('with a very long run of spaces is searched for a comment in linear time', async () => {
    const text = `foo${' '.repeat(500_000)}\\\n==1.0  # why\nbar # ${' '.repeat(500_000)}#\n`
    const port = { read: async () => text, resolve: (_from: string, nested: string) => nested }
    const { projects } = await readRequirements(['a'], port)
    expect([...projects]).toEqual(['foo', 'bar'])
  })
})

describe('a file that cannot be read', () => {
  const missing = Object.assign(new Error('ENOENT: no such file or directory, open'), {
    errno: -2,
    code: 'ENOENT',
  })
  const brokenPort = (files: Readonly<Record<string, string>>): RequirementsPort => ({
    read: (path) => {
      const text = files[path]
      return text === undefined ? Promise.reject(missing) : Promise.resolve(text)
    },
    resolve: (_from, nested) => nested,
  })

  test('is named', async () => {
    await expect(readRequirements(['nope.txt'], brokenPort({}))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'nope.txt cannot be read: there is no such file',
      cause: missing,
    })
  })

  test('is named with the line that includes it', async () => {
    const port = brokenPort({ 'r2.txt': 'foo\n-r nope.txt\n' })
    await expect(readRequirements(['r2.txt'], port)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'nope.txt cannot be read (named in r2.txt, line 2): there is no such file',
    })
  })

  test('is a fault of ours where the operating system did not say so', async () => {
    const bug = new TypeError('bug')
    const port: RequirementsPort = { ...brokenPort({}), read: () => Promise.reject(bug) }
    await expect(readRequirements(['r.txt'], port)).rejects.toBe(bug)
  })
})
