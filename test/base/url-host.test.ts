import { expect, test } from 'vitest'
import { bracketHost, portOf, unbracketHost } from '../../src/base/url-host.ts'

test('an IPv6 address gets brackets for a URL, and loses them for a socket', () => {
  expect(bracketHost('::1')).toBe('[::1]')
  expect(unbracketHost('[::1]')).toBe('::1')
})

test.each(['localhost', '127.0.0.1', 'pypi.example'])('%s is the same in both', (host) => {
  expect(bracketHost(host)).toBe(host)
  expect(unbracketHost(host)).toBe(host)
})

test.each([
  ['http://a.example/', 80],
  ['https://a.example/', 443],
  ['https://a.example:443/', 443],
  ['https://[::1]:8443/', 8443],
])('the port of %s is %d', (url, port) => {
  expect(portOf(new URL(url))).toBe(port)
})
