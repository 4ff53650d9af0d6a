import { describe, expect, test } from 'vitest'
import { listLockAddresses } from '../../src/installers/lock-addresses.ts'
import { readPdmConfig } from '../../src/installers/pdm-settings.ts'
import { parsePipConf } from '../../src/installers/pip-conf.ts'
import { readPipSettings } from '../../src/installers/pip-references.ts'
import { readPipfile } from '../../src/installers/pipenv-files.ts'
import { readPoetryConfig } from '../../src/installers/poetry-settings.ts'
import { findProxyFor } from '../../src/installers/proxy-variables.ts'
import { findProjectInstallers, readPyproject } from '../../src/installers/pyproject.ts'
import { showAddress, type Reference } from '../../src/installers/reference.ts'
import { readSetupCfg } from '../../src/installers/setup-cfg.ts'
import { parseTomlFile } from '../../src/installers/toml-node.ts'
import { readUvSettings } from '../../src/installers/uv-settings.ts'
import { readVariables } from '../../src/installers/variable-references.ts'

function show(references: readonly Reference[]): string[] {
  return references.map(
    ({ installer, line, kind, name, value }) => `${installer} ${line} ${kind} ${name} ${value}`,
  )
}

describe('settings of pip', () => {
  test('are sources in every section, with all names that pip has for them', () => {
    const text = [
      '[global]',
      'Index_URL = https://a/',
      'extra-index-url =',
      '    https://b/',
      '    https://c/',
      'proxy = corp:3128',
      '[install]',
      'pypi-url = https://d/',
      'no-index = yes',
      'find-links = /w x',
      'trusted-host = h',
      'constraint = c.txt https://e/c.txt',
      '[search]',
      'index = https://f/',
    ]
    const { references, includes } = readPipSettings(parsePipConf(text.join('\n')))
    expect(show(references)).toEqual([
      'pip 2 index index-url in [global] https://a/',
      'pip 3 extra-index extra-index-url in [global] https://b/',
      'pip 3 extra-index extra-index-url in [global] https://c/',
      'pip 6 proxy proxy in [global] corp:3128',
      'pip 8 index pypi-url in [install] https://d/',
      'pip 9 no-index no-index in [install] true',
      'pip 10 find-links find-links in [install] /w',
      'pip 10 find-links find-links in [install] x',
      'pip 11 trusted-host trusted-host in [install] h',
      'pip 12 url constraint in [install] https://e/c.txt',
      'pip 14 index index in [search] https://f/',
    ])
    expect(includes).toEqual([{ line: 12, path: 'c.txt' }])
  })
})

describe('settings of uv', () => {
  test('are the same in uv.toml and in pyproject.toml', () => {
    const settings = [
      'extra-index-url = ["https://a/", "https://b/"]',
      'find-links = ["./w"]',
      '[[index]]',
      'url = "https://c/"',
      'default = true',
      '[[index]]',
      'name = "d"',
      'url = "https://d/"',
      'explicit = true',
      '[pip]',
      'index-url = "https://e/"',
      'torch-backend = "auto"',
    ]
    expect(show(readUvSettings(parseTomlFile(settings.join('\n')), ''))).toEqual([
      'uv 4 index index https://c/',
      'uv 8 extra-index index https://d/',
      'uv 1 extra-index extra-index-url https://a/',
      'uv 1 extra-index extra-index-url https://b/',
      'uv 2 find-links find-links ./w',
      'uv 11 index pip.index-url https://e/',
      'uv 12 extra-index pip.torch-backend https://download.pytorch.org/whl/',
    ])
  })

  test('name where single packages come from', () => {
    const text = [
      '[tool.uv.sources]',
      'a = { git = "https://github.com/a/a" }',
      'b = [{ url = "https://x/b.whl", marker = "m" }, { index = "i" }]',
      'c = { path = "../c" }',
      'd = { workspace = true }',
      '[tool.uv]',
      'dev-dependencies = ["e @ https://x/e.whl", "f"]',
    ]
    const root = parseTomlFile(text.join('\n'))
    expect(findProjectInstallers(root)).toEqual(['uv'])
    expect(show(readPyproject(root))).toEqual([
      'uv 2 repository sources.a in [tool.uv] https://github.com/a/a',
      'uv 3 url sources.b in [tool.uv] https://x/b.whl',
      'uv 4 path sources.c in [tool.uv] ../c',
      'uv 7 url e in dev-dependencies in [tool.uv] https://x/e.whl',
    ])
  })
})

describe('pyproject.toml', () => {
  test('has addresses in dependencies, groups and what a build requires', () => {
    const text = [
      '[build-system]',
      'requires = ["setuptools", "x @ https://h/x.whl"]',
      '[project]',
      'dependencies = [',
      '  "a",',
      '  "b @ git+https://h/b",',
      ']',
      '[project.optional-dependencies]',
      'more = ["c @ https://h/c.whl"]',
      '[dependency-groups]',
      'dev = [{ include-group = "more" }, "d @ file:///d.whl"]',
      '[tool.hatch.envs.test]',
      'dependencies = ["e @ https://h/e.whl"]',
    ]
    expect(show(readPyproject(parseTomlFile(text.join('\n'))))).toEqual([
      'pip 2 url x in [build-system] requires https://h/x.whl',
      'pip 6 repository b in [project] dependencies git+https://h/b',
      'pip 9 url c in optional-dependencies.more https://h/c.whl',
      'pip 11 path d in dependency-groups.dev file:///d.whl',
      'pip 13 url e in tool.hatch.envs.test https://h/e.whl',
    ])
  })
})

function readPoetry(...lines: string[]): string[] {
  return show(readPyproject(parseTomlFile(['[tool.poetry]', 'name = "p"', ...lines].join('\n'))))
}

describe('sources of poetry', () => {
  test('are PyPI where there are none', () => {
    expect(readPoetry()).toEqual(['poetry 1 pypi [tool.poetry] '])
  })

  test.each([
    ['no priority', ''],
    ['a primary one', 'priority = "primary"'],
    ['a default one', 'default = true'],
  ])('have one in place of PyPI: %s', (_, line) => {
    expect(readPoetry('[[tool.poetry.source]]', 'name = "s"', 'url = "http://s/"', line)).toEqual([
      'poetry 5 index source s http://s/',
      ...(line === '' ? ['poetry 5 old-default source s http://s/'] : []),
    ])
  })

  test.each(['priority = "supplemental"', 'priority = "explicit"', 'secondary = true'])(
    'have PyPI besides: %s',
    (line) => {
      expect(readPoetry('[[tool.poetry.source]]', 'name = "s"', 'url = "http://s/"', line)).toEqual(
        ['poetry 5 extra-index source s http://s/', 'poetry 1 pypi [tool.poetry] '],
      )
    },
  )

  test('may name PyPI itself', () => {
    expect(readPoetry('[[tool.poetry.source]]', 'name = "PyPI"', 'priority = "primary"')).toEqual([
      'poetry 3 index source PyPI https://pypi.org/simple/',
    ])
  })

  test('do not matter to single packages', () => {
    const lines = [
      '[tool.poetry.dependencies]',
      'python = "^3.8"',
      'a = { git = "https://h/a" }',
      'b = { url = "https://h/b.whl" }',
      'c = [{ path = "../c" }]',
      '[tool.poetry.group.dev.dependencies]',
      'd = { git = "https://h/d" }',
    ]
    expect(readPoetry(...lines).slice(1)).toEqual([
      'poetry 5 repository a in dependencies https://h/a',
      'poetry 6 url b in dependencies https://h/b.whl',
      'poetry 7 path c in dependencies ../c',
      'poetry 9 repository d in group.dev https://h/d',
    ])
  })

  test('are not where poetry publishes to', () => {
    const config =
      '[repositories.acme]\nurl = "https://acme/"\n[plugins.pypi_mirror]\nurl = "http://m/"'
    expect(show(readPoetryConfig(parseTomlFile(config)))).toEqual([
      'poetry 2 publish repositories.acme https://acme/',
      'poetry 4 index plugins.pypi_mirror.url http://m/',
    ])
  })
})

describe('sources of pdm and pipenv', () => {
  test('of pdm: the one that is called pypi is the index', () => {
    const text = [
      '[[tool.pdm.source]]',
      'name = "pypi"',
      'url = "https://a/"',
      '[[tool.pdm.source]]',
      'name = "b"',
      'url = "https://b/"',
      '[tool.pdm.dev-dependencies]',
      'dev = ["-e git+https://h/c#egg=c"]',
    ]
    expect(show(readPyproject(parseTomlFile(text.join('\n'))))).toEqual([
      'pdm 3 index source pypi in [tool.pdm] https://a/',
      'pdm 6 extra-index source b in [tool.pdm] https://b/',
      'pdm 8 repository dev-dependencies.dev git+https://h/c#egg=c',
    ])
    const config = '[pypi]\nurl = "https://a/"\n[pypi.more]\nurl = "https://b/"'
    expect(show(readPdmConfig(parseTomlFile(config)))).toEqual([
      'pdm 2 index pypi.url https://a/',
      'pdm 4 extra-index pypi.more.url https://b/',
    ])
  })

  test('of pipenv: the first is the index, and packages may come from elsewhere', () => {
    const text = [
      '[[source]]',
      'name = "pypi"',
      'url = "https://pypi.org/simple"',
      '[[source]]',
      'name = "acme"',
      'url = "https://acme/"',
      '[packages]',
      'a = { git = "https://h/a" }',
      'b = "*"',
      '[dev-packages]',
      'c = { file = "https://h/c.whl" }',
    ]
    expect(show(readPipfile(parseTomlFile(text.join('\n'))))).toEqual([
      'pipenv 3 index source pypi https://pypi.org/simple',
      'pipenv 6 extra-index source acme https://acme/',
      'pipenv 8 repository a in [packages] https://h/a',
      'pipenv 11 url c in [dev-packages] https://h/c.whl',
    ])
    expect(show(readPipfile(parseTomlFile('[packages]\n')))).toEqual([
      'pipenv 0 pypi no [[source]] ',
    ])
  })
})

describe('setup.cfg', () => {
  test('has addresses in its requirements', () => {
    const text = [
      '[options]',
      'install_requires =',
      '    a',
      '    b @ https://h/b.whl',
      '    # c @ https://h/c.whl',
      'dependency_links = https://h/links',
      '[options.extras_require]',
      'x = d @ git+https://h/d',
      '[easy_install]',
      'index_url = https://i/',
    ]
    expect(show(readSetupCfg(text.join('\n')))).toEqual([
      'pip 4 url b in install_requires in [options] https://h/b.whl',
      'pip 6 find-links dependency_links in [options] https://h/links',
      'pip 8 repository d in x in [options.extras_require] git+https://h/d',
      'pip 10 index index_url in [easy_install] https://i/',
    ])
  })
})

describe('variables', () => {
  test('of all installers are sources; empty ones are none', () => {
    const { references, includes } = readVariables({
      PIP_INDEX_URL: 'https://a/',
      PIP_EXTRA_INDEX_URL: 'https://b/ https://c/',
      PIP_FIND_LINKS: '',
      PIP_NO_INDEX: '0',
      PIP_PROXY: 'http://p:1',
      PIP_TRUSTED_HOST: 'h',
      'PIP_Pypi-Url': 'https://x/',
      PIP_CONSTRAINT: 'c.txt',
      UV_DEFAULT_INDEX: 'https://d/',
      UV_INDEX: 'acme=https://e/',
      UV_FIND_LINKS: './w,https://f/',
      UV_NO_INDEX: '1',
      UV_TORCH_BACKEND: 'auto',
      PDM_PYPI_URL: 'https://g/',
      PIPENV_PYPI_MIRROR: 'https://h/',
      PIPENV_EXTRA_PIP_ARGS: '--extra-index-url https://i/',
      POETRY_REPOSITORIES_ACME_URL: 'https://j/',
      HTTP_PROXY: 'http://k/',
    })
    expect(
      references.map(({ installer, kind, name, value }) => `${installer} ${kind} ${name} ${value}`),
    ).toEqual([
      'pdm index PDM_PYPI_URL https://g/',
      'pipenv extra-index PIPENV_EXTRA_PIP_ARGS https://i/',
      'pipenv index PIPENV_PYPI_MIRROR https://h/',
      'pip extra-index PIP_EXTRA_INDEX_URL https://b/',
      'pip extra-index PIP_EXTRA_INDEX_URL https://c/',
      'pip index PIP_INDEX_URL https://a/',
      'pip proxy PIP_PROXY http://p:1',
      'pip index PIP_Pypi-Url https://x/',
      'pip trusted-host PIP_TRUSTED_HOST h',
      'poetry publish POETRY_REPOSITORIES_ACME_URL https://j/',
      'uv index UV_DEFAULT_INDEX https://d/',
      'uv find-links UV_FIND_LINKS ./w',
      'uv find-links UV_FIND_LINKS https://f/',
      'uv extra-index UV_INDEX https://e/',
      'uv no-index UV_NO_INDEX true',
      'uv extra-index UV_TORCH_BACKEND https://download.pytorch.org/whl/',
    ])
    expect(includes).toEqual([{ line: 0, path: 'c.txt' }])
  })
})

describe('the proxy of a request', () => {
  const own = new URL('http://127.0.0.1:8642/simple/')

  test.each([
    [{ HTTP_PROXY: 'http://p' }, 'HTTP_PROXY'],
    [{ http_proxy: 'http://p', HTTP_PROXY: 'http://q' }, 'http_proxy'],
    [{ ALL_PROXY: 'socks5://p' }, 'ALL_PROXY'],
    [{ HTTPS_PROXY: 'http://p' }, undefined],
    [{ HTTP_PROXY: 'http://p', NO_PROXY: '127.0.0.1' }, undefined],
    [{ HTTP_PROXY: 'http://p', NO_PROXY: 'localhost' }, 'HTTP_PROXY'],
    [{ HTTP_PROXY: 'http://p', no_proxy: 'x, 127.0.0.1:8642' }, undefined],
    [{ HTTP_PROXY: 'http://p', no_proxy: '127.0.0.1:1' }, 'HTTP_PROXY'],
    [{ HTTP_PROXY: 'http://p', NO_PROXY: '127.0.0.0/8' }, undefined],
    [{ HTTP_PROXY: 'http://p', NO_PROXY: '*' }, undefined],
    [{ HTTP_PROXY: 'http://p', NO_PROXY: '0.0.1' }, undefined],
    [{ HTTP_PROXY: '' }, undefined],
  ])('is that of %j', (environment, expected) => {
    expect(findProxyFor(own, environment)?.variable).toBe(expected)
  })

  test('is none for names and IPv6 addresses that are exempt', () => {
    const environment = { HTTP_PROXY: 'http://p', NO_PROXY: '.corp.example,::1' }
    expect(findProxyFor(new URL('http://a.corp.example/'), environment)).toBeUndefined()
    expect(findProxyFor(new URL('http://[::1]:8642/'), environment)).toBeUndefined()
    expect(findProxyFor(new URL('http://corp.example.evil/'), environment)).toBeDefined()
  })
})

describe('lock files', () => {
  test('have the addresses of files and registries, not those of descriptions', () => {
    const text = [
      '[[package]]',
      'name = "a"',
      'description = "url = see https://not.example/"',
      'source = { registry = "https://pypi.org/simple" }',
      'sdist = { url = "https://files.example/a.tar.gz", hash = "sha256:0" }',
      'wheels = [',
      '    { url = "https://files.example/a.whl", hash = "sha256:0" },',
      ']',
      '[package.source]',
      'type = "git"',
      'url = "https://github.com/a/b"',
      '[[package]]',
      'source = { git = "https://github.com/c/d?rev=1#2" }',
      'source = { editable = "." }',
    ]
    expect(show(listLockAddresses(text.join('\n'), 'uv.lock'))).toEqual([
      'uv 4 locked registry https://pypi.org/simple',
      'uv 5 locked url https://files.example/a.tar.gz',
      'uv 7 locked url https://files.example/a.whl',
      'uv 11 repository url https://github.com/a/b',
      'uv 13 repository git https://github.com/c/d?rev=1#2',
    ])
  })

  test('of pipenv are JSON', () => {
    const text = JSON.stringify(
      {
        _meta: { sources: [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }] },
        default: { a: { git: 'https://github.com/a/b' }, b: { file: 'https://h/b.whl' } },
      },
      null,
      4,
    )
    expect(show(listLockAddresses(text, 'Pipfile.lock'))).toEqual([
      'pipenv 6 locked url https://pypi.org/simple',
      'pipenv 13 repository git https://github.com/a/b',
      'pipenv 16 locked file https://h/b.whl',
    ])
  })
})

describe('an address in a message', () => {
  test.each([
    ['https://user:secret@h/p?token=secret#secret', 'https://h/p'],
    ['https://user:se/cret@h/p', 'https://h/p'],
    ['http://secret@h', 'http://h/'],
    ['git+https://user:secret@h/p@v1', 'git+https://h/p@v1'],
    ['socks5://u:secret@p:1', 'socks5://p:1'],
    ['https://${USER}:secret@h/', 'https://h/'],
    ['https://h/\u001b[31m\nx', 'https://h/%1B[31mx'],
    ['./a\u001b[31m', './a?[31m'],
  ])('has no password and nothing that moves a cursor: %s', (raw, expected) => {
    expect(showAddress(raw)).toBe(expected)
  })
})
