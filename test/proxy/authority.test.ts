import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findHostKey, formatAuthority, hostKey, parseAuthority } from '../../src/proxy/authority.ts'

describe('host and port', () => {
  test.each([
    ['index.test', 80, { host: 'index.test', port: 80 }],
    ['INDEX.test:443', 80, { host: 'index.test', port: 443 }],
    ['[::1]:9001', undefined, { host: '[::1]', port: 9001 }],
    ['127.0.0.1:1', undefined, { host: '127.0.0.1', port: 1 }],
    ['my_host:65535', undefined, { host: 'my_host', port: 65_535 }],
  ])('%s is understood', (raw, defaultPort, expected) => {
    expect(parseAuthority(raw, defaultPort)).toEqual(expected)
  })

  test.each([
    ['index.test', 'index.test'],
    ['index.test.', 'index.test'],
    ['index.test.:443', 'index.test'],
    ['index.test:80', 'index.test'],
    ['index.test.:8443', 'index.test:8443'],
    ['127.1:9001', '127.0.0.1:9001'],
    ['0x7f.1', '127.0.0.1'],
    ['[::0:1]:443', '[::1]'],
    ['[::ffff:127.0.0.1]:9001', '[::ffff:7f00:1]:9001'],
    ['\u00fcber.test', 'xn--ber-goa.test'],
    ['a..b', undefined],
    ['', undefined],
  ])('%s in the settings is the index %s, which nobody connects to unverified', (name, key) => {
    expect(findHostKey(name)).toBe(key)
  })

  test('without a port and a usual one is nothing', () => {
    expect(parseAuthority('index.test')).toBeUndefined()
  })

  test('are written as in URLs of the scheme', () => {
    expect(formatAuthority({ host: 'a', port: 80 }, 'http')).toBe('a')
    expect(formatAuthority({ host: 'a', port: 80 }, 'https')).toBe('a:80')
    expect(formatAuthority({ host: 'a', port: 443 })).toBe('a:443')
  })

  test('have one key for http and https', () => {
    const keys = [80, 443, 8443].map((port) => hostKey({ host: 'a', port }))
    expect(keys).toEqual(['a', 'a', 'a:8443'])
  })
})

describe('any text at all', () => {
  const letters = fc.constantFrom(
    'a',
    'B',
    '1',
    '0',
    '.',
    ':',
    '-',
    '_',
    '@',
    '[',
    ']',
    '%',
    '/',
    '?',
    '#',
    '\\',
    ' ',
    'x',
    '::',
    '\u00e9',
    '\u3002',
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(letters, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([address, port]) => `${address}:${port}`),
    fc.ipV6().map((address) => `[${address}]:80`),
    fc.domain(),
  )

  test('is read as every URL parser reads it, or not at all', () => {
    fc.assert(
      fc.property(texts, (raw) => {
        const authority = parseAuthority(raw, 80)
        if (authority === undefined) return
        const url = new URL(`http://${raw}/`)
        expect(url.hostname).toBe(authority.host)
        expect(Number(url.port || 80)).toBe(authority.port)
        expect([url.username, url.password, url.pathname, url.search, url.hash].join('')).toBe('/')
      }),
      { numRuns: 2000 },
    )
  })
})
