/** Settings of installers: pip.conf, netrc, TOML of all kinds, setup.cfg, requirements, variables. */

import { parseNetrc, findNetrcEntry } from '../../../src/installers/netrc.ts'
import { buildOwnPipConf } from '../../../src/installers/own-pip-conf.ts'
import { buildOwnPdmToml, buildOwnUvToml } from '../../../src/installers/own-toml.ts'
import { readPdmConfig } from '../../../src/installers/pdm-settings.ts'
import { parsePipConf } from '../../../src/installers/pip-conf.ts'
import { readPipSettings } from '../../../src/installers/pip-references.ts'
import { readPipfile } from '../../../src/installers/pipenv-files.ts'
import { readPoetryConfig } from '../../../src/installers/poetry-settings.ts'
import { findProxyFor } from '../../../src/installers/proxy-variables.ts'
import { findProjectInstallers, readPyproject } from '../../../src/installers/pyproject.ts'
import { showAddress, type Reference } from '../../../src/installers/reference.ts'
import { parseRequirementsFile } from '../../../src/installers/requirements-file.ts'
import { readSetupCfg } from '../../../src/installers/setup-cfg.ts'
import { parseTomlFile } from '../../../src/installers/toml-node.ts'
import { readUvSettings } from '../../../src/installers/uv-settings.ts'
import { readVariables } from '../../../src/installers/variable-references.ts'
import { findProxy } from '../../../src/upstream/proxy-variables.ts'
import { readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

function requirePlaces(references: readonly Reference[], text: string): void {
  const lines = text.split(/\r\n|\r|\n/).length
  for (const { line, value } of references) {
    requireRule(line >= 0 && line <= lines, 'a line that the file does not have')
    showAddress(value)
  }
}

const otherIndexKeys: ReadonlySet<string> = new Set([
  'index-url',
  'pypi-url',
  'extra-index-url',
  'find-links',
])

const pipConf: FuzzTarget = {
  name: 'pip-conf',
  rule: 'pip.conf is read or refused, and what is left of it says no other index',
  seeds: () => [
    '[global]\nindex-url = https://a.test/simple/\nextra-index-url =\n  https://b.test/\n  https://c.test/ ; x\n[install]\nno-index = yes\n',
    '# c\n[GLOBAL]\nTrusted_Host: x\nindex_url=%(x)s\n',
  ],
  words: [
    '[install]\n',
    '\n  ',
    '=',
    ':',
    '%(',
    '; ',
    '#',
    '\t',
    '\r',
    'find-links = /x\n',
    'index-url=',
  ],
  run: (input) => {
    const text = readText(input)
    const settings = parsePipConf(text)
    requirePlaces(readPipSettings(settings).references, text)
    const file = { kind: 'user' as const, path: '/x/pip.conf', text }
    const own = buildOwnPipConf([file], 'http://127.0.0.1:1/simple/')
    const indexes = parsePipConf(own.text).filter(({ key }) => otherIndexKeys.has(key))
    for (const { key, value } of indexes) {
      requireSame(value, key === 'index-url' ? 'http://127.0.0.1:1/simple/' : '', 'another index')
    }
  },
}

const netrc: FuzzTarget = {
  name: 'netrc',
  rule: 'netrc is read or refused',
  seeds: () => [
    'machine a.test\nlogin me password "s e c"\n# c\nmacdef x\necho\n\ndefault login you account z password p\n',
  ],
  words: ['machine ', 'macdef ', '"', '\\', '#', 'default', '\n\n', 'password '],
  run: (input) => {
    findNetrcEntry(parseNetrc(readText(input)), 'a.test')
  },
}

const tomls: FuzzTarget = {
  name: 'installer-toml',
  rule: 'settings of uv, poetry, pdm and pipenv are read or refused, each reference with its line',
  seeds: () => [
    '[build-system]\nrequires = ["a @ https://x.test/a.zip"]\n[project]\ndependencies = ["b"]\n[tool.uv]\nindex-url = "https://a.test"\n[[tool.uv.index]]\nurl = "https://b.test"\ndefault = true\n[tool.uv.sources]\nfoo = { git = "https://c.test" }\n',
    '[[tool.poetry.source]]\nname = "x"\nurl = "https://a.test/"\npriority = "primary"\n[tool.poetry.dependencies]\nfoo = { url = "https://b.test/foo.zip" }\n[[tool.pdm.source]]\nurl = "https://x.test"\nname = "pypi"\n',
    '[[source]]\nurl = "https://a.test/simple"\nverify_ssl = true\nname = "pypi"\n[packages]\nfoo = {version="*", index="pypi"}\nbar = {path = "."}\n',
  ],
  words: [
    '[[',
    ']]\n',
    '[tool.uv]\n',
    '"a.b".c = ',
    '{',
    '}',
    '"""',
    "'''",
    '1979-05-27',
    'a = a',
    '\\u',
  ],
  run: (input) => {
    const text = readText(input)
    const node = parseTomlFile(text)
    requirePlaces(readPyproject(node), text)
    findProjectInstallers(node)
    requirePlaces(readPipfile(node), text)
    requirePlaces(readPoetryConfig(node), text)
    requirePlaces(readPdmConfig(node), text)
    requirePlaces(readUvSettings(node, 'uv.toml'), text)
  },
}

const ownTomls: FuzzTarget = {
  name: 'installer-own-toml',
  rule: 'what is left of uv.toml and of the settings of pdm is TOML again',
  seeds: () => [
    'index-url = "https://a.test"\noffline = false\n[pip]\nindex-url = "https://b.test"\n[[index]]\nurl = "x"\n',
    '[pypi]\nurl = "https://a.test"\n[pypi.extra]\nurl = "https://b.test"\n[python]\nuse_pyenv = false\n',
  ],
  words: ['[pip]\n', '[[index]]\n', '= "', '1979-05-27', '"""', '__proto__ = 1\n', 'inf', 'nan'],
  run: (input) => {
    const text = readText(input)
    parseTomlFile(buildOwnUvToml([{ text, isProject: false }]).text)
    parseTomlFile(buildOwnPdmToml(text).text)
  },
}

const requirements: FuzzTarget = {
  name: 'requirements-file',
  rule: 'a requirements file is read, each reference with its line',
  seeds: () => [
    '-i https://a.test/simple\n--extra-index-url=https://b.test \\\n --trusted-host x\n-r other.txt\n-e git+https://c.test/x.git#egg=x\nfoo @ https://d.test/foo.zip ; a\n',
  ],
  words: ['--index', '-f', '--find-links ', '\\\n', ' #', '"', "'", '\\', '\f', '\u{2028}', '${X}'],
  run: (input) => {
    const text = readText(input)
    const { references, includes } = parseRequirementsFile(text)
    requirePlaces(references, text)
    return includes.length > 0 ? 'includes' : 'read'
  },
}

const others: FuzzTarget = {
  name: 'installer-others',
  rule: 'setup.cfg and variables are read',
  seeds: () => [
    '[options]\ninstall_requires =\n  a @ https://x.test/a.zip\ndependency_links = https://y.test\n',
    'https://a.test/simple https://b.test',
    'http://user:pass@proxy.test:3128',
    '.x.test,*.test y.test:443',
  ],
  words: ['[options]\n', '\n  ', ' ', ',', 'https://', '@', 'b=https://x', 'true'],
  run: (input) => {
    const text = readText(input)
    requirePlaces(readSetupCfg(text), text)
    const names = ['PIP_INDEX_URL', 'PIP_REQUIREMENT', 'UV_INDEX', 'UV_FIND_LINKS', 'PIP_NO_INDEX']
    readVariables(Object.fromEntries(names.map((name) => [name, text])))
    findProxyFor(new URL('https://x.test'), { https_proxy: text, no_proxy: text })
    findProxy({ https_proxy: text, no_proxy: text }, 'https', { host: 'x.test', port: 443 })
  },
}

export const installerTargets: readonly FuzzTarget[] = [
  pipConf,
  netrc,
  tomls,
  ownTomls,
  requirements,
  others,
]
