/** What an operator writes: tufgate.toml, mirror.toml, pins, rules, addresses, durations. */

import { readFileSync } from 'node:fs'
import { parseInterceptedHost } from '../../../src/ca/intercepted-host.ts'
import { formatOrigin, parseListenAddress } from '../../../src/cli/listen-address.ts'
import { requireTime } from '../../../src/cli/read-time.ts'
import { parseSettings } from '../../../src/cli/settings.ts'
import { parseSidecar } from '../../../src/cli/session/sidecar-file.ts'
import { parseDuration, parseSize } from '../../../src/cli/units.ts'
import { parseMirrorSettings } from '../../../src/cli/mirror/mirror-settings.ts'
import { parseJson } from '../../../src/base/strict-json.ts'
import { isMalformed } from '../../../src/base/decode.ts'
import { parseDenyRule } from '../../../src/policy/deny-rule.ts'
import { parsePins, renderPins, type Pin } from '../../../src/policy/pin-set.ts'
import { parseExecReference } from '../../../src/signing/exec-signer.ts'
import { isCodedError, readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const digest = 'a1'.repeat(32)

const settings: FuzzTarget = {
  name: 'tufgate-toml',
  rule: 'settings are read, or refused with what is wrong',
  seeds: () => [
    readFileSync('proxy-config/tufgate.toml'),
    '[proxy]\nlisten = ["127.0.0.1:3141"]\n[[index]]\nname = "a"\nurl = "https://a.test/simple/"\n',
  ],
  words: [
    '[[index]]\n',
    'name = "a"\n',
    '= "',
    '[a.b]\n',
    '1979-05-27',
    '"""',
    "'''",
    '\\u',
    'inf',
  ],
  run: (input) => {
    parseSettings(readText(input), 'tufgate.toml')
  },
}

const mirrorSettings: FuzzTarget = {
  name: 'mirror-toml',
  rule: 'settings of a mirror are read, or refused with what is wrong',
  seeds: () => [readFileSync('proxy-config/mirror.toml'), '[changes]\nyanked = "hold"\n'],
  words: ['[changes]\n', '= "hold"\n', '[watch]\n', 'sync-every = "', '-1', '1e400', '0x', '"""'],
  run: (input) => {
    parseMirrorSettings(readText(input), 'mirror.toml')
  },
}

const pins: FuzzTarget = {
  name: 'pins',
  rule: 'pins read the same once they are written again',
  seeds: () => [
    `# tufgate pins 1\n# index: https://pypi.org/simple/\nfoo 1.0 foo-1.0.tar.gz ${digest}\nfoo 2.0 foo-2.0%20x.zip ${digest}\n`,
  ],
  words: ['# tufgate pins 1\n', `foo 1.0 foo-1.0.zip ${digest}\n`, '%20', '\r', '\u{feff}', '  '],
  run: (input) => {
    const read = parsePins(readText(input), 'pins.txt')
    const list: Pin[] = [...read.projects].flatMap(([project, files]) =>
      Array.from(files, ([file, sha256]) => ({ project, file, sha256 })),
    )
    const again = parsePins(renderPins(list, { index: 'x' }), 'pins.txt')
    requireSame(sortPins(again.projects), sortPins(read.projects), 'other pins')
  },
}

function sortPins(projects: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
  return [...projects]
    .flatMap(([project, files]) => Array.from(files, (pin) => [project, ...pin].join(' ')))
    .toSorted()
}

const words: FuzzTarget = {
  name: 'setting-words',
  rule: 'addresses, durations, sizes, times and rules are read, or refused',
  seeds: () => [
    '127.0.0.1:3141',
    '[::1]:80',
    '10min',
    '20 GB',
    '2026-01-02T03:04:05Z',
    '2 days ago',
    'foo==1.0',
    'exec:gpg --sign {file}',
    'host.test:443',
  ],
  words: ['==', '1.5', 'h', ' ago', ':', '[', ']', '-', 'e9', '65536'],
  run: (input) => {
    const text = readText(input)
    const readers = [
      () => formatOrigin(parseListenAddress(text)),
      () => requireTime(text, 0),
      () => parseDenyRule(text),
      () => parseExecReference(`exec:${text}`),
    ]
    const read = readers.filter(isRead).length
    for (const amount of [parseDuration(text), parseSize(text)]) {
      requireRule(amount === undefined || amount >= 0, 'a negative amount')
    }
    const host = parseInterceptedHost(text)
    if (host !== undefined) {
      const isNamed = URL.canParse(`https://${text}/`) || URL.canParse(`https://[${text}]/`)
      requireRule(isNamed, 'a host that no URL could have')
    }
    return `${read} read`
  },
}

function isRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

const sidecar: FuzzTarget = {
  name: 'sidecar-file',
  rule: 'the state of a proxy in the background is read, or refused',
  seeds: () => [
    JSON.stringify({
      format: 1,
      owner: '7.1.n1',
      origin: 'http://127.0.0.1:3141',
      token: 'a'.repeat(32),
      audit: { folder: '/var/log/x', chain: '20260102T030405000Z_1.1.n1_0123abcd' },
      head: 'x:1:y',
      startedAt: 1_700_000_000_000,
      secrets: ['PIP_PASSWORD'],
      indexHosts: ['a.test:443'],
    }),
  ],
  isRefusal: (error) => isMalformed(error) || isCodedError(error),
  run: (input) => {
    parseSidecar(parseJson(input))
  },
}

export const settingsTargets: readonly FuzzTarget[] = [
  settings,
  mirrorSettings,
  pins,
  words,
  sidecar,
]
