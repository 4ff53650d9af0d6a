import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { Authority, keptLifetimeMs, requireInterceptedHosts } from '../../src/ca/authority.ts'
import { connectTls, presentedBy } from './tls-pair.ts'

const start = Date.UTC(2026, 10, 20, 12)
const day = 86_400_000

function createAuthority(hosts: readonly string[], now = { ms: start }): Authority {
  return new Authority({ hosts: requireInterceptedHosts(hosts), clock: () => now.ms })
}

test('is a certificate authority for nothing but TLS servers, and for no authority below it', async () => {
  const certificate = new X509Certificate(await createAuthority(['pypi.org']).certificate())

  expect(certificate.ca).toBe(true)
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.subject).toMatch(/^CN=tufgate local authority [0-9a-f]{12}\nO=tufgate$/)
  expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
})

test('makes a leaf for exactly one host, which a client that knows the authority accepts', async () => {
  const authority = createAuthority(['pypi.org', 'files.pythonhosted.org'], { ms: Date.now() })

  const { leaf, protocol } = await connectTls(await authority.contextFor('pypi.org'), {
    servername: 'pypi.org',
    ca: await authority.certificate(),
  })

  expect(leaf.subjectAltName).toBe('DNS:pypi.org')
  expect(leaf.ca).toBe(false)
  expect(leaf.subject).toBe('O=tufgate')
  expect(protocol).toBe('TLSv1.3')
})

test.each([
  ['127.0.0.1', 'IP Address:127.0.0.1'],
  ['[::1]', 'IP Address:0:0:0:0:0:0:0:1'],
])('makes a leaf for the address %s', async (host, expected) => {
  const authority = createAuthority(['127.0.0.1:8443', '[::1]:8443'], { ms: Date.now() })

  const { leaf } = await connectTls(await authority.contextFor(host), {
    host: host.replaceAll(/[[\]]/g, ''),
    ca: await authority.certificate(),
  })

  expect(leaf.subjectAltName).toBe(expected)
})

test('gives the same certificate to all requests for a host at once, and to later ones', async () => {
  const authority = createAuthority(['pypi.org'])

  const contexts = await Promise.all(
    Array.from({ length: 20 }, () => authority.contextFor('pypi.org')),
  )

  expect(new Set(contexts).size).toBe(1)
  expect(await authority.contextFor('PyPI.org')).toBe(contexts[0])
})

test.each([
  'example.org',
  'www.pypi.org',
  'pypi.org.',
  'xpypi.org',
  '10.0.0.1',
  '',
  '*.org',
  'a b',
])('never makes a certificate for %j, which is not intercepted', async (host) => {
  const authority = createAuthority(['pypi.org', '127.0.0.1'])

  await expect(authority.contextFor(host)).rejects.toMatchObject({
    code: 'HOST_NOT_ALLOWED',
    message: `TLS to ${host} is not intercepted`,
    facts: { expected: '127.0.0.1, pypi.org' },
  })
})

test('makes a new leaf before the old one expires, and after a clock that was wrong', async () => {
  const now = { ms: start }
  const authority = createAuthority(['pypi.org'], now)
  const first = await authority.contextFor('pypi.org')

  now.ms = start + 2 * day - 1
  expect(await authority.contextFor('pypi.org')).toBe(first)
  now.ms = start + 2 * day
  const second = await authority.contextFor('pypi.org')
  expect(second).not.toBe(first)
  now.ms = start - 2 * day
  expect(await authority.contextFor('pypi.org')).not.toBe(second)
})

test('the leaf is good from an hour ago, and for three days', async () => {
  const leaf = await presentedBy(await createAuthority(['pypi.org']).contextFor('pypi.org'))

  expect(leaf.validFromDate.getTime()).toBe(start - 3_600_000)
  expect(leaf.validToDate.getTime()).toBe(start + 3 * day)
})

test('renews its certificate at half of its life with the same key, so that the old one still verifies', async () => {
  const now = { ms: start }
  const authority = createAuthority(['pypi.org'], now)
  const old = new X509Certificate(await authority.certificate())

  now.ms = start + 3 * day
  expect(await authority.certificate()).toBe(old.toString())
  now.ms = start + 4 * day
  const renewed = new X509Certificate(await authority.certificate())

  expect(renewed.validToDate.getTime()).toBe(now.ms + 7 * day)
  expect(renewed.subject).toBe(old.subject)
  const leaf = await presentedBy(await authority.contextFor('pypi.org'))
  expect(leaf.verify(old.publicKey)).toBe(true)
})

test('two authorities have different keys and names', async () => {
  const [one, other] = [createAuthority(['pypi.org']), createAuthority(['pypi.org'])]

  const [left, right] = [await one.certificate(), await other.certificate()].map(
    (pem) => new X509Certificate(pem),
  )

  expect(left?.subject).not.toBe(right?.subject)
  expect(left?.fingerprint256).not.toBe(right?.fingerprint256)
})

test('lists hosts once, without ports, whatever their capitals', () => {
  const hosts = requireInterceptedHosts(['PyPI.org:443', 'pypi.org', '[::1]:9', '127.0.0.1:80'])

  expect(hosts.map(({ name }) => name)).toEqual(['127.0.0.1', '::1', 'pypi.org'])
})

test.each(['', '.org', 'a..b', 'pypi.org/x', 'user@pypi.org', 'pypi.org:x'])(
  'refuses %j as a host: it cannot stand in a certificate',
  (host) => {
    expect(() => requireInterceptedHosts(['pypi.org', host])).toThrow(
      `No certificate can be made for the host ${host}`,
    )
  },
)

test('refuses to intercept nothing: an authority without hosts could speak for all', () => {
  expect(() => requireInterceptedHosts([])).toThrow('There is no host to intercept')
  expect(keptLifetimeMs).toBe(365 * day)
})
