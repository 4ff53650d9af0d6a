/** What servers answer: heads, dates, redirects, addresses. */

import {
  findAddressKind,
  findLiteralAddress,
  isLocalName,
} from '../../../src/upstream/address-guard.ts'
import {
  hostOf,
  requireAllowedRedirect,
  requireAllowedUrl,
  showUrl,
} from '../../../src/upstream/host-rules.ts'
import { parseHead } from '../../../src/upstream/response-head.ts'
import { readText, requireRule, type FuzzTarget } from '../target.ts'

const names = [
  'etag',
  'last-modified',
  'content-type',
  'content-encoding',
  'content-length',
  'location',
  'retry-after',
  'x-pypi-last-serial',
  'date',
  'age',
]

const head: FuzzTarget = {
  name: 'response-head',
  rule: 'a head is read; its numbers are numbers, its texts have one line',
  seeds: () => [
    'etag: "abc"\nretry-after: 120\ncontent-length: 10\ndate: Fri, 20 Nov 2026 12:00:00 GMT',
    'retry-after: Friday, 20-Nov-26 12:00:00 GMT\nlocation: /a?b\nage: 7\ncontent-encoding: gzip, br',
  ],
  words: [
    '\nretry-after: ',
    '\netag: W/"',
    'Sun, 06 Nov 1994 08:49:37 GMT',
    '-1',
    '1e9',
    '99999999999999999',
  ],
  run: (input) => {
    const now = 1_700_000_000_000
    const raw: Record<string, string | string[]> = {}
    // What no parser of HTTP lets into a header (RFC 9110 5.5).
    for (const line of readText(input)
      .replaceAll(/[\0\r]/g, '')
      .split('\n')) {
      const [name = '', ...rest] = line.split(': ')
      if (!names.includes(name)) continue
      const value = rest.join(': ')
      raw[name] = Object.hasOwn(raw, name) ? [String(raw[name]), value] : value
    }
    const read = parseHead(200, raw, now)
    for (const value of Object.values(read) as unknown[]) {
      const isSound =
        typeof value === 'number' ? Number.isFinite(value) : !/[\r\n\0]/.test(String(value))
      requireRule(isSound, 'an odd value')
    }
    requireRule((read.retryAfterMs ?? 0) >= 0 && (read.ageMs ?? 0) >= 0, 'a time that is negative')
  },
}

const redirect: FuzzTarget = {
  name: 'redirect',
  rule: 'a redirect leads to a host that is allowed, or nowhere',
  seeds: () => ['https://files.test/a/b', '/packages/x', '//evil.test/', 'http://127.0.0.1:80/'],
  words: ['//', '\\', '@', ':80', '%2f', '\t', '[::1]', '0x7f.1', '\u{ff0e}', '#', 'https:'],
  run: (input) => {
    const raw = readText(input)
    const rules = hostOf('https://files.test/simple/')
    showUrl(raw)
    for (const url of [
      () => requireAllowedRedirect(new URL('https://files.test/simple/foo/'), raw, rules),
      () => requireAllowedUrl(raw, rules),
    ].map((read) => read())) {
      requireRule(url.host === 'files.test', 'another host')
      requireRule(url.protocol === 'https:', 'another scheme')
    }
  },
}

const address: FuzzTarget = {
  name: 'address',
  rule: 'what looks local is not taken for public',
  seeds: () => [
    '127.0.0.1',
    '::ffff:10.0.0.1',
    '[fe80::1%eth0]',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  words: ['::', 'ffff:', '127.0.0.1', '10.', '%', '0x7f', '.', ':', '[', ']'],
  run: (input) => {
    const text = readText(input)
    findLiteralAddress(text)
    isLocalName(text)
    const kind = findAddressKind(text)
    // Mapped, NAT64, and without any prefix; the last bits of other addresses mean nothing.
    const isEmbedded = /^(?:::|::ffff:|64:ff9b::)?(?:127|10|192\.168)\.[\d.]+$/i.test(text)
    if (isEmbedded) requireRule(kind !== 'public', 'a private address within another')
    return kind
  },
}

export const responseTargets: readonly FuzzTarget[] = [head, redirect, address]
