import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { normalizePipKey, parsePipConf } from '../../src/installers/pip-conf.ts'
import { cleanEnvironment } from '../support/program.ts'

const texts: Readonly<Record<string, string>> = {
  plain: '[global]\nindex-url = https://a.example/simple/\n[install]\nno-deps: yes\n',
  'a value over several lines':
    '[global]\nextra-index-url =\n    https://a.example/\n\n    # no value\n    https://b.example/\n\ntimeout = 5\n',
  'keys of every spelling': '[global]\nEXTRA_INDEX_URL = x\n--Find_Links = y\n',
  'a comment behind a value is part of it': '[global]\nproxy = http://p # ours\n; a = b\n#c = d\n',
  'defaults hold for each section':
    '[DEFAULT]\nproxy = p\n[global]\n[install]\nproxy = q\n[list]\n',
  'carriage returns': '[global]\r\ntimeout = 3\r\n[list]\rformat = json\r',
  'an indented setting is a value': '[global]\ntimeout = 3\n  index-url = x\n',
  'an indented section begins one': '  [global]\n  timeout = 3\n index-url = x\n',
  'letters behind a section': '[global] more\ntimeout = 3\n',
  'a delimiter in a value': '[global]\nindex-url = http://h:1/?a=b\n',
  'spaces of other alphabets': '[global]\n\u00a0timeout\u2003=\u00a03\u3000\n',
  'an empty value': '[global]\nextra-index-url =\ntimeout = 3\n',
}

const broken: Readonly<Record<string, string>> = {
  'a setting before any section': 'timeout = 3\n',
  'a byte order mark': '\ufeff[global]\ntimeout = 3\n',
  'a section twice': '[global]\na = 1\n[global]\nb = 2\n',
  'a key twice': '[global]\na = 1\nA = 2\n',
  'a key without a value': '[global]\nno-index\n',
  'no key': '[global]\n= 2\n',
}

const script = `
import configparser, io, json, sys
found = {}
for name, text in json.load(sys.stdin).items():
    parser = configparser.RawConfigParser()
    try:
        parser.read_file(io.StringIO(text, newline=None))
        found[name] = sorted([s, k, v] for s in parser.sections() for k, v in parser.items(s))
    except configparser.Error as error:
        found[name] = type(error).__name__
json.dump(found, sys.stdout)
`

/** What Python itself makes of the texts. */
function readWithPython(input: Readonly<Record<string, string>>): Map<string, unknown> {
  const options = {
    input: JSON.stringify(input),
    encoding: 'utf8',
    env: cleanEnvironment(),
  } as const
  const { stdout, stderr } = spawnSync('python3', ['-c', script], options)
  expect(stderr).toBe('')
  const found: unknown = JSON.parse(stdout)
  return new Map(Object.entries(found as object))
}

const hasPython = spawnSync('python3', ['--version']).status === 0

describe('parsePipConf', () => {
  test.runIf(hasPython)('reads what configparser reads', () => {
    const expected = readWithPython(texts)
    for (const [name, text] of Object.entries(texts)) {
      const found = parsePipConf(text).map(({ section, key, value }) => [section, key, value])
      const normalized = (expected.get(name) as string[][]).map(
        ([section = '', key = '', value = '']) => [section, normalizePipKey(key), value],
      )
      expect(new Set(found), name).toEqual(new Set(normalized))
    }
  })

  test.runIf(hasPython)('refuses what configparser refuses', () => {
    const expected = readWithPython(broken)
    for (const [name, text] of Object.entries(broken)) {
      expect(expected.get(name), name).toMatch(/Error$/)
      expect(() => parsePipConf(text), name).toThrow(/^line \d+: /)
    }
  })

  test('tells the line of each key', () => {
    const text =
      '# mine\n[global]\nextra-index-url =\n  https://a.example/\n  https://b.example/\n\n[install]\nuser = yes\n'
    expect(parsePipConf(text)).toEqual([
      {
        section: 'global',
        key: 'extra-index-url',
        value: '\nhttps://a.example/\nhttps://b.example/',
        line: 3,
      },
      { section: 'install', key: 'user', value: 'yes', line: 8 },
    ])
  })

  test('says which line is wrong', () => {
    expect(() => parsePipConf('[global]\ntimeout = 3\nno-index\n')).toThrow(
      'line 3: neither a [section] nor "key = value"',
    )
  })

  test('takes a line of a megabyte in its stride', () => {
    const value = `${' '.repeat(500_000)}x${' '.repeat(500_000)}`
    expect(parsePipConf(`[global]\ntimeout = ${value}\n`)[0]?.value).toBe('x')
  })
})
