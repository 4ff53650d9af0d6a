import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/base/errors.ts'
import { isMirrored, parseSettings } from '../../src/cli/settings.ts'
import { parseDuration, parseSize } from '../../src/cli/units.ts'
import { caught } from '../support/caught.ts'
import { containing } from '../support/expecting.ts'

const minimal = `
[[index]]
name = "pypi"
url = "https://pypi.org/simple/"
mirror = ["https://mirror.example/tuf/"]
root = "/etc/tufgate/1.root.json"
`

function failureOf(text: string): ConfigError {
  try {
    parseSettings(text, 'tufgate.toml')
  } catch (error) {
    if (error instanceof ConfigError) return error
  }
  throw new Error('the settings were accepted')
}

describe('settings', () => {
  test('fill in every default', () => {
    const settings = parseSettings(minimal, 'tufgate.toml')
    expect(settings.listen).toEqual(['127.0.0.1:8642', '[::1]:8642'])
    expect(settings.refresh).toBe(60_000)
    expect(settings['hold-for']).toBe(8000)
    expect(settings.limits.snapshot).toBe(8_000_000)
    expect(settings.policy).toEqual({
      deny: [],
      'min-age': 0,
      except: [],
      'show-hidden': false,
      'core-metadata': true,
    })
  })

  test('name an unknown key, its line and the nearest known one', () => {
    const error = failureOf(`refesh = "60s"\n${minimal}`)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toBe('tufgate.toml, line 1: refesh is not a setting.')
    expect(error.facts.next).toBe('Did you mean "refresh"?')
  })

  test('name an unknown key in the second index with its own line', () => {
    const error = failureOf(`${minimal}\n${minimal.replace('"pypi"', '"own"')}mirorr = []\n`)
    expect(error.message).toBe('tufgate.toml, line 14: index[1].mirorr is not a setting.')
    expect(error.facts.next).toBe('Did you mean "mirror"?')
  })

  test('ask for a unit', () => {
    expect(failureOf(`refresh = "60"\n${minimal}`).message).toBe(
      'tufgate.toml, line 1: refresh: "60" is not a duration such as "60s", "5 min", "24h" or "3d".',
    )
    expect(failureOf(`${minimal}[limits]\nroot = 512000\n`).message).toBe(
      'tufgate.toml, line 8: limits.root: expected a size such as "512 kB" or "16 MiB".',
    )
  })

  test('say which key of an index is missing', () => {
    const error = failureOf(
      '[[index]]\nname = "pypi"\nurl = "https://pypi.org/simple/"\nroot = "r"\n',
    )
    expect(error.message).toBe('tufgate.toml, line 1: index[0].mirror: it is missing.')
  })

  test('say how a list is written where text stands in its place', () => {
    const error = failureOf(minimal.replace('["https://mirror.example/tuf/"]', '"https://m.test/"'))
    expect(error.message).toBe(
      'tufgate.toml, line 5: index[0].mirror: write a list: mirror = ["https://m.test/"].',
    )
  })

  test.each(['refresh = 60s', 'state-dir = /srv/state'])(
    'say that text needs quotes: %s',
    (line) => {
      expect(failureOf(`${line}\n${minimal}`).message).toMatch(
        /^tufgate\.toml, line 1: .* \(text needs quotes\)$/,
      )
    },
  )

  test.each([
    [
      { index: 'https://pypi.org/simple/', mirror: ['/m'] },
      '--root is missing: the 1.root.json of ',
    ],
    [
      { index: 'https://pypi.org/simple/', root: 'r' },
      '--mirror is missing: the URL of the mirror',
    ],
    [{ root: 'r' }, '--index is missing: the URL of the index'],
    [
      { index: 'pypi.org/simple', mirror: ['/m'], root: 'r' },
      '--index: expected an http or https URL without user name, password or query. Did you mean https://pypi.org/simple/ ?',
    ],
    [{ mirror: [''], index: 'https://pypi.org/', root: 'r' }, '--mirror: '],
  ])('speak of flags where flags were given: %j', (flags, message) => {
    const { message: said } = caught(() => parseSettings('', 'the command line', flags))
    expect(said).toContain(message)
    expect(said).not.toContain('index[0]')
  })

  test('say what a mirror needs, whatever the command', () => {
    const error = caught(() => parseSettings('', 'the command line', { root: 'r' }))
    expect(error).toMatchObject({
      facts: { next: containing('--index URL --mirror LOCATION --root FILE') },
    })
  })

  test.each([
    [{}, 'mirror, root'],
    [{ mirror: ['/m'] }, 'root'],
  ])('refuse an index on another host with what the file has for its own: %j', (more, kept) => {
    const index = 'https://other.example/simple/'
    const error = caught(() => parseSettings(minimal, 'tufgate.toml', { index, ...more }))
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `--index names other.example, but ${kept} in tufgate.toml are for pypi.org.`,
      facts: { next: containing('--config /dev/null') },
    })
  })

  test('speak of an address that is none before they compare it', () => {
    const flags = { index: 'localhost:9001/simple/' }
    expect(() => parseSettings(minimal, 'tufgate.toml', flags)).toThrow(
      /^--index: expected an http/,
    )
  })

  test('refuse to send the password of one index to another', () => {
    const own =
      '[[index]]\nname = "own"\nurl = "https://own.test/simple/"\ncredentials = "env:OWN"\n'
    const flags = { index: 'https://other.example/', mirror: ['/m'], root: 'r' }
    expect(() => parseSettings(own, 'tufgate.toml', flags)).toThrow(
      'credentials in tufgate.toml are for own.test',
    )
  })

  test('take an index on another host with a mirror and a root of its own, or another path', () => {
    const other = { index: 'https://other.example/', mirror: ['/m'], root: 'r' }
    expect(parseSettings(minimal, 'tufgate.toml', other).index).toMatchObject([
      { url: other.index, mirror: ['/m'], root: 'r' },
    ])
    for (const overrides of [
      { index: 'https://pypi.org/simple' },
      { index: 'https://other.example/', isIndexAddress: true },
    ]) {
      const [index] = parseSettings(minimal, 'tufgate.toml', overrides).index
      expect(index?.url).toBe(overrides.index)
    }
  })

  test('refuse a document that is not TOML, with the line', () => {
    const error = failureOf('listen = [\n"a"\n')
    expect(error.message).toMatch(/^tufgate\.toml, line \d: /)
    expect(error.cause).toBeDefined()
  })

  test('refuse a URL with a password, and two indexes of one name', () => {
    expect(failureOf(minimal.replace('https://pypi', 'https://me:secret@pypi')).message).toContain(
      'without user name',
    )
    expect(failureOf(minimal + minimal).message).toBe(
      'tufgate.toml: two indexes are called "pypi".',
    )
  })

  test('without any index are those of PyPI with trust on first use', () => {
    for (const overrides of [{}, { pins: 'pins.txt' }]) {
      const [index] = parseSettings('', 'the command line', overrides).index
      expect(index).toMatchObject({ name: 'pypi', url: 'https://pypi.org/simple/', ...overrides })
      expect(index && isMirrored(index)).toBe(false)
    }
  })

  test('refuse to demand signed files of an index that no mirror signs', () => {
    const own = '[[index]]\nname = "own"\nurl = "https://own.test/simple/"\n'
    const error = failureOf(`${own}require-signed-files = true\n`)
    expect(error.message).toContain('there is no mirror that could sign them')
    expect(parseSettings(minimal, 'tufgate.toml').index[0]).toMatchObject({
      'require-signed-files': false,
    })
  })

  test('may have indexes with a mirror beside others without', () => {
    const own = '[[index]]\nname = "own"\nurl = "https://own.test/simple/"\npins = "own.txt"\n'
    const { index } = parseSettings(minimal + own, 'tufgate.toml')
    expect(index.map((one) => [one.name, isMirrored(one), one.pins])).toEqual([
      ['pypi', true, undefined],
      ['own', false, 'own.txt'],
    ])
  })

  test('refuse a mirror without its root, and a root without its mirror', () => {
    expect(failureOf(minimal.replace(/^root.*$/m, '')).message).toBe(
      'tufgate.toml, line 2: index[0].root: it is missing.',
    )
    expect(failureOf(minimal.replace(/^mirror.*$/m, '')).message).toBe(
      'tufgate.toml, line 2: index[0].mirror: it is missing.',
    )
  })

  test('give way to the command line', () => {
    const settings = parseSettings(minimal, 'tufgate.toml', {
      listen: ['127.0.0.1:0'],
      mirror: ['/srv/mirror'],
      stateDir: '/tmp/state',
    })
    expect(settings.listen).toEqual(['127.0.0.1:0'])
    expect(settings.index[0]?.mirror).toEqual(['/srv/mirror'])
    expect(settings.index[0]?.url).toBe('https://pypi.org/simple/')
    expect(settings['state-dir']).toBe('/tmp/state')
  })

  test('need no file where the command line says it all', () => {
    const settings = parseSettings('', 'the command line', {
      index: 'http://127.0.0.1:9000/simple/',
      mirror: ['/srv/mirror'],
      root: '/srv/1.root.json',
    })
    expect(settings.index[0]?.name).toBe('default')
  })

  test('stand complete, with their defaults, in proxy-config/tufgate.toml', () => {
    const text = readFileSync('proxy-config/tufgate.toml', 'utf8')
    const shown = parseSettings(text, 'proxy-config/tufgate.toml')
    const [index] = shown.index
    const commented = text.replaceAll(/^# (?=[\w-]+ = )/gm, '')
    const keys = [...commented.matchAll(/^([\w-]+) = /gm)].map(([, key]) => key)
    const defaults = parseSettings(minimal, 'minimal')
    const known = [
      ...Object.keys(defaults).filter(
        (key) => !/^(?:index|policy|vault|audit|limits|forward|intercept)$/.test(key),
      ),
      ...Object.keys(defaults.forward),
      ...Object.keys(defaults.intercept),
      ...Object.keys(defaults.policy),
      ...Object.keys(defaults.vault),
      ...Object.keys(defaults.audit),
      ...Object.keys(defaults.limits),
    ].concat(
      'state-dir',
      'name',
      'url',
      'mirror',
      'root',
      'require-signed-files',
      'file-hosts',
      'projects',
      'record-path',
      'pins',
      'credentials',
      'floor',
    )
    expect(new Set(keys)).toEqual(new Set(known))
    expect({ ...shown, index: defaults.index }).toEqual(defaults)
    expect(index?.name).toBe('pypi')
  })
})

describe('units', () => {
  test('are read with and without a space, and never without a unit', () => {
    expect(parseDuration('5 min')).toBe(300_000)
    expect(parseDuration('1.5h')).toBe(5_400_000)
    expect(parseDuration('5')).toBeUndefined()
    expect(parseDuration('-5s')).toBeUndefined()
    expect(parseSize('16 MiB')).toBe(16_777_216)
    expect(parseSize('16 mib')).toBeUndefined()
  })
})
