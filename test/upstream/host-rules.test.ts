import { describe, expect, test } from 'vitest'
import {
  requireAllowedRedirect,
  requireAllowedUrl,
  showUrl,
  type HostRules,
} from '../../src/upstream/host-rules.ts'
import { containing, having, matching } from '../support/expecting.ts'

const rules: HostRules = {
  names: ['pypi.org', 'Files.PythonHosted.org', 'index.example:8443'],
  allowPrivate: false,
}

describe('hosts that may be asked', () => {
  test.each([
    'https://pypi.org/simple/',
    'https://PYPI.org:443/simple/',
    'http://files.pythonhosted.org/packages/a',
    'https://index.example:8443/x',
  ])('%s is allowed', (url) => {
    expect(requireAllowedUrl(url, rules).href).toBe(new URL(url).href)
  })

  test.each([
    ['https://evil.example/x', 'evil.example is not one of the allowed hosts'],
    ['https://pypi.org.evil.example/', 'pypi.org.evil.example is not one of the allowed hosts'],
    ['https://evilpypi.org/', 'evilpypi.org is not one of the allowed hosts'],
    ['https://pypi.org./', 'pypi.org. is not one of the allowed hosts'],
    ['https://pypi.org:8443/', 'pypi.org:8443 is not one of the allowed hosts'],
    ['https://pypi.org:22/', 'pypi.org:22 is not one of the allowed hosts'],
    ['https://index.example/', 'index.example is not one of the allowed hosts'],
    ['https://pypi.org@evil.example/', 'carries credentials'],
    ['https://user:secret@pypi.org/', 'carries credentials'],
    ['ftp://pypi.org/', 'is neither https nor http'],
    ['file:///etc/passwd', 'is neither https nor http'],
    ['simple/foo', 'is not an absolute URL'],
  ])('%s is refused', (url, message) => {
    expect(() => requireAllowedUrl(url, rules)).toThrow(
      having({ code: 'HOST_REFUSED', message: containing(message) }),
    )
  })

  test('names the host, what was allowed, and the setting', () => {
    expect(() => requireAllowedUrl('https://evil.example/x?token=1', rules)).toThrow(
      having({
        facts: {
          expected: 'pypi.org, Files.PythonHosted.org, index.example:8443',
          found: 'evil.example',
          url: 'https://evil.example/x',
          next: 'If files of this index really are on evil.example, add to its settings: file-hosts = ["Files.PythonHosted.org", "index.example:8443", "evil.example"]',
        },
      }),
    )
  })

  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://0x7f.1/',
    'http://017700000001/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://[::ffff:127.0.0.1]/',
    'http://[::1]/',
    'http://localhost/',
    'http://a.localhost/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0.0.0.0/',
    'http://[64:ff9b::7f00:1]/',
  ])('%s is refused even if its spelling is on the list', (url) => {
    const { host } = new URL(url)
    const listed = { names: [host], allowPrivate: false }
    expect(() => requireAllowedUrl(url, listed)).toThrow(
      having({
        code: 'HOST_REFUSED',
        message: matching(/refused to connect to .* is at the \S+ address/),
      }),
    )
  })
})

describe('redirects', () => {
  const from = new URL('https://pypi.org/simple/foo')

  test('to a relative place on the same host', () => {
    expect(requireAllowedRedirect(from, 'foo/#frag', rules).href).toBe(
      'https://pypi.org/simple/foo/',
    )
  })

  test('from http to https, never back', () => {
    const plain = new URL('http://pypi.org/simple/')
    expect(requireAllowedRedirect(plain, 'https://pypi.org/simple/', rules).protocol).toBe('https:')
    expect(() => requireAllowedRedirect(from, 'http://pypi.org/simple/foo/', rules)).toThrow(
      'https://pypi.org/simple/foo redirects from https to http, to http://pypi.org/simple/foo/',
    )
  })

  test.each(['//evil.example/', 'https://169.254.169.254/', 'javascript:alert(1)', 'http://['])(
    'to %s is refused',
    (location) => {
      expect(() => requireAllowedRedirect(from, location, rules)).toThrow(
        having({ code: 'HOST_REFUSED' }),
      )
    },
  )
})

test('a shown URL has no credentials, query, fragment or control characters', () => {
  expect(showUrl('https://user:secret@index.example/a?token=1#x')).toBe('https://index.example/a')
  expect(showUrl('no url?token=1\n')).toBe('no url')
})
