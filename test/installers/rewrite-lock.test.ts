import * as fc from 'fast-check'
import { parse as parseToml } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { findLockFormat, rewriteLock, type LockFormat } from '../../src/installers/rewrite-lock.ts'
import type { LockIndex, LockMap } from '../../src/installers/rewrite-lock-url.ts'

const pypi: LockIndex = {
  url: 'https://pypi.org/simple/',
  hosts: ['pypi.org', 'files.pythonhosted.org'],
  owns: () => true,
}
const acme: LockIndex = {
  url: 'http://acme.example:8080/root/+simple/',
  hosts: ['acme.example:8080', '[::1]:9000'],
  owns: (project) => project.startsWith('acme-'),
}

function mapTo(to: LockMap['to'], proxy = 'http://127.0.0.1:8642'): LockMap {
  return { to, proxy, indexes: [acme, pypi], usual: pypi, proxyHosts: new Set(['proxy.example']) }
}

const token = '0123456789abcdef0123456789abcdef'

const uvLock = (index: string, files: string): string => `version = 1
requires-python = ">=3.9"

[[package]]
name = "idna"
version = "3.10"
source = { registry = "${index}" }
sdist = { url = "${files}/packages/f1/70/idna-3.10.tar.gz", hash = "sha256:12", size = 190490 }
wheels = [
    { url = "${files}/packages/76/c6/idna-3.10-py3-none-any.whl", hash = "sha256:94", size = 70442 }, # kept
]

[package.metadata]
requires-dist = [{ name = "b" }]
`

describe('the name of a lock file', () => {
  test.each([
    ['uv.lock', 'uv'],
    ['poetry.lock', 'poetry'],
    ['pdm.lock', 'pdm'],
    ['pylock.toml', 'pylock'],
    ['pylock.dev.toml', 'pylock'],
    ['Pipfile.lock', 'pipenv'],
    ['requirements.txt', 'requirements'],
    ['dev.in', 'requirements'],
    ['package-lock.json', undefined],
  ])('%s is of the format %s', (name, format) => {
    expect(findLockFormat(name)).toBe(format)
  })
})

describe('towards the origin', () => {
  const origin = uvLock('https://pypi.org/simple', 'https://files.pythonhosted.org')

  test.each([
    'http://127.0.0.1:8642',
    'http://localhost:41234',
    'http://[::1]:8642',
    `http://127.0.0.1:9999/${token}`,
    'https://proxy.example',
  ])('turns the addresses of the proxy %s in a uv.lock', (proxy) => {
    const text = uvLock(`${proxy}/simple`, `${proxy}/files/idna/files.pythonhosted.org`)
    const result = rewriteLock(text, 'uv', mapTo('origin'))
    expect(result.text).toBe(origin)
    expect(result.edits).toHaveLength(3)
    expect(result.left).toEqual([])
  })

  test('makes no address of a host that the index has no files at, as the proxy would refuse it', () => {
    const text = uvLock('https://pypi.org/simple', 'http://127.0.0.1:8642/files/idna/evil.example')
    const result = rewriteLock(text, 'uv', mapTo('origin'))
    expect(result.text).toBe(text)
    expect(result.left).toHaveLength(2)
  })

  test('does not take the path of a proxy at a host of somebody else for one', () => {
    const text = uvLock(
      'https://evil.example/simple',
      'https://evil.example/files/idna/files.pythonhosted.org',
    )
    expect(rewriteLock(text, 'uv', mapTo('origin'))).toMatchObject({ text, edits: [], left: [] })
  })

  test.each([
    [
      'one line full of addresses',
      'a @ http://127.0.0.1:8642/files/a/pypi.org/a-1.zip '.repeat(50_000),
    ],
    ['a name far from its address', `a${' '.repeat(300_000)}http://127.0.0.1:8642/simple/`],
    ['brackets that are never closed', `${' a['.repeat(100_000)}http://127.0.0.1:8642/simple/`],
  ])('comes to an end with %s', (_, text) => {
    expect(rewriteLock(text, 'requirements', mapTo('origin')).text.length).toBeGreaterThan(0)
  })

  test('changes nothing the second time', () => {
    expect(rewriteLock(origin, 'uv', mapTo('origin'))).toEqual({
      text: origin,
      edits: [],
      left: [],
    })
  })

  test('keeps line ends, quotes, spaces and a slash at the end', () => {
    const text =
      "[[package]]\r\nname='idna'\r\nsource = {  registry='http://localhost:1/simple/'}\r\n"
    expect(rewriteLock(text, 'uv', mapTo('origin')).text).toBe(
      "[[package]]\r\nname='idna'\r\nsource = {  registry='https://pypi.org/simple/'}\r\n",
    )
  })

  test('takes the index that has the name, with its scheme and port', () => {
    const text = [
      '[[package]]',
      'name = "acme-tool"',
      'source = { registry = "http://127.0.0.1:8642/simple" }',
      'wheels = [{ url = "http://127.0.0.1:8642/files/acme-tool/acme.example:8080/f/acme_tool-1.0-py3-none-any.whl" }]',
      'sdist = { url = "http://127.0.0.1:8642/files/acme-tool/%5B::1%5D:9000/acme-tool-1.0.tar.gz" }',
    ].join('\n')
    const { text: found } = rewriteLock(text, 'uv', mapTo('origin'))
    expect(found).toContain('registry = "http://acme.example:8080/root/+simple"')
    expect(found).toContain('"http://acme.example:8080/f/acme_tool-1.0-py3-none-any.whl"')
    expect(found).toContain('"https://[::1]:9000/acme-tool-1.0.tar.gz"')
  })

  test('leaves comments, multi-line texts, keys and other addresses alone', () => {
    const text = [
      '# registry = "http://127.0.0.1:8642/simple"',
      'note = """',
      'registry = "http://127.0.0.1:8642/simple" \\""" still inside',
      '"""',
      "other = '''",
      'url = "http://127.0.0.1:8642/simple" \\',
      "'''",
      '"http://127.0.0.1:8642/simple" = 1',
      'homepage = "http://127.0.0.1:8642/simple"',
      '[[package]]',
      'name = "idna"',
      'source = { git = "http://127.0.0.1:8642/simple" }',
      'wheels = [{ url = "https://example.org/idna-3.10-py3-none-any.whl" }]',
    ].join('\n')
    expect(() => parseToml(text)).not.toThrow()
    expect(rewriteLock(text, 'uv', mapTo('origin'))).toEqual({ text, edits: [], left: [] })
  })

  test.each([
    ['another name', '/files/idna/files.pythonhosted.org/evil-1.0-py3-none-any.whl'],
    ['a path that leads up', '/files/idna/files.pythonhosted.org/../idna-3.10.tar.gz'],
    ['an encoded slash', '/files/idna/files.pythonhosted.org/a%2Fidna-3.10.tar.gz'],
    ['a host that is none', '/files/idna/user@host/idna-3.10.tar.gz'],
    ['a project that is not normalized', '/files/Idna/files.pythonhosted.org/idna-3.10.tar.gz'],
    ['no file', '/files/idna/files.pythonhosted.org'],
  ])('does not turn an address of the proxy with %s, and says so', (_, path) => {
    const text = `[[package]]\nname = "idna"\nwheels = [{ url = "http://127.0.0.1:8642${path}" }]\n`
    const result = rewriteLock(text, 'uv', mapTo('origin'))
    expect(result.text).toBe(text)
    expect(result.left).toHaveLength(1)
  })

  test('does not take an index on this machine for a proxy', () => {
    const local: LockIndex = {
      url: 'http://localhost:3141/simple/',
      hosts: ['localhost:3141'],
      owns: () => true,
    }
    const map = { ...mapTo('origin'), indexes: [local], usual: local }
    const text =
      '[[package]]\nname = "idna"\nsource = { registry = "http://localhost:3141/simple" }\n'
    expect(rewriteLock(text, 'uv', map)).toEqual({ text, edits: [], left: [] })
  })

  test('does not let a dependency called "name" change whose file it is', () => {
    const text = [
      '[[package]]',
      'name = "acme-tool"',
      '[package.dependencies]',
      'name = ">=1"',
      '[package.source]',
      'type = "legacy"',
      'url = "http://127.0.0.1:8642/simple"',
      'reference = "acme"',
    ].join('\n')
    expect(rewriteLock(text, 'poetry', mapTo('origin')).text).toContain(
      'url = "http://acme.example:8080/root/+simple"',
    )
  })
})

describe('each format', () => {
  const formats: readonly (readonly [LockFormat, string, number])[] = [
    [
      'pdm',
      '[[package]]\nname = "idna"\n\n[metadata.files]\n"idna 3.10" = [\n    {url = "FILES/packages/1/idna-3.10.tar.gz", hash = "sha256:1"},\n]\n',
      1,
    ],
    [
      'pdm',
      '[metadata.files]\n"a-b[extra] 1.0" = [\n    {url = "FILEAB/packages/1/a-b-1.0.tar.gz", hash = "sha256:1"},\n]\n',
      1,
    ],
    [
      'pylock',
      '[[packages]]\nname = "idna"\nindex = "INDEX/"\n\n[[packages.wheels]]\nname = "idna-3.10-py3-none-any.whl"\nurl = "FILES/packages/1/idna-3.10-py3-none-any.whl"\n',
      2,
    ],
    [
      'poetry',
      '[[package]]\nname = "idna"\n\n[package.source]\ntype = "legacy"\nurl = "INDEX"\n',
      1,
    ],
    [
      'pipenv',
      '{\n    "_meta": {"sources": [{"name": "pypi", "url": "INDEX", "verify_ssl": true}], "url": "INDEX"},\n    "default": {"idna": {"file": "FILES/p/idna-3.10.tar.gz", "note": "INDEX"}}\n}\n',
      2,
    ],
    [
      'requirements',
      '# --index-url INDEX\n--index-url INDEX/ # INDEX\n-i "INDEX"\n--extra-index-url=INDEX\nidna @ FILES/p/idna-3.10.tar.gz#sha256=00 ; python_version > "3"\nFILES/p/idna-3.10-py3-none-any.whl --hash=sha256:00\ngit+INDEX/idna\n--find-links INDEX\n',
      5,
    ],
  ]

  test.each(formats)('%s goes there and back', (format, template, count) => {
    const fill = (index: string, files: string): string =>
      template
        .replaceAll('INDEX', index)
        .replaceAll('FILES', files)
        .replaceAll('FILEAB', files.replace('/files/idna/', '/files/a-b/'))
    const proxy = `http://127.0.0.1:8642/${token}`
    const origin = fill('https://pypi.org/simple', 'https://files.pythonhosted.org')
    const there = rewriteLock(origin, format, mapTo('proxy', proxy))
    expect(there.edits).toHaveLength(count)
    expect(there.edits.every(({ after }) => after.startsWith(proxy))).toBe(true)
    const back = rewriteLock(there.text, format, mapTo('origin'))
    expect(back.text).toBe(origin)
    expect(back.edits).toHaveLength(count)
  })

  test('an sdist whose name two projects could own stays, where nothing says whose it is', () => {
    const text = 'https://files.pythonhosted.org/p/a-b-1.0-2.tar.gz\n'
    expect(rewriteLock(text, 'requirements', mapTo('proxy')).text).toBe(text)
    const named = `a-b @ ${text}`
    expect(rewriteLock(named, 'requirements', mapTo('proxy')).text).toBe(
      'a-b @ http://127.0.0.1:8642/files/a-b/files.pythonhosted.org/p/a-b-1.0-2.tar.gz\n',
    )
  })

  test('an address with credentials or a query is left alone', () => {
    const text =
      '--index-url https://u:p@pypi.org/simple\nhttps://files.pythonhosted.org/p/idna-3.10.tar.gz?x=1\n'
    expect(rewriteLock(text, 'requirements', mapTo('proxy')).text).toBe(text)
  })
})

describe('any uv.lock', () => {
  const segment = fc.stringMatching(/^[a-z0-9+!%~'.]{1,8}$/).filter((text) => {
    try {
      return encodeURI(decodeURIComponent(text)) !== '' && !/^\.+$/.test(text)
    } catch {
      return false
    }
  })
  const host = fc.constantFrom(
    'files.pythonhosted.org',
    'pypi.org',
    'elsewhere.example',
    'acme.example:8080',
  )
  const url = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('http', 'https'),
        host,
        fc.array(segment, { maxLength: 3 }),
        fc.constantFrom('idna', 'acme_x'),
      )
      .map(
        ([scheme, place, path, name]) =>
          `${scheme}://${[place, ...path, `${name}-1.0-py3-none-any.whl`].join('/')}`,
      ),
    fc.constantFrom(
      'https://pypi.org/simple',
      'http://acme.example:8080/root/+simple/',
      'https://example.org/',
    ),
  )
  const other = fc.stringMatching(/^[ -~]{0,20}$/).map((text) => `# ${text}`)
  const line = fc.oneof(
    other,
    fc
      .tuple(fc.constantFrom('url', 'registry', 'other'), url, fc.constantFrom('"', "'"))
      .map(([key, value, quote]) =>
        quote === "'" && value.includes("'") ? '' : `${key} = ${quote}${value}${quote}`,
      ),
    fc.constantFrom(
      '[[package]]',
      'name = "idna"',
      'name = "acme-x"',
      'x = """\nurl = "https://pypi.org/simple"\n"""',
    ),
  )

  test('is the same again after it went to the proxy and back', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        (lines, end) => {
          const text = lines.join(end)
          const there = rewriteLock(text, 'uv', mapTo('proxy'))
          expect(rewriteLock(there.text, 'uv', mapTo('origin')).text).toBe(text)
          // And once more: nothing is left to do.
          expect(rewriteLock(there.text, 'uv', mapTo('proxy')).text).toBe(there.text)
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('a Pipfile.lock of 100,000 lists within lists is left as it is, in linear time', () => {
  const file = 'https://pypi.org/simple/'
  const depth = 100_000
  const deep = `${'["a",'.repeat(depth)}"${file}"${']'.repeat(depth)}`
  const text = `{"_meta":{"sources":[{"name":"pypi","url":"${file}"}]},"x":${deep}}`
  expect(rewriteLock(text, 'pipenv', mapTo('origin')).text).toBe(text)
  expect(rewriteLock(text, 'pipenv', mapTo('proxy')).edits).toHaveLength(1)
})
