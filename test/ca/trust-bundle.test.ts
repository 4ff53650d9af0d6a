import { X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { Authority, requireInterceptedHosts } from '../../src/ca/authority.ts'
import { buildTrustBundle } from '../../src/ca/trust-bundle.ts'
import { tlsCertificate, tlsKey } from '../support/tls-identity.ts'

const authority = await createCertificate()

function createCertificate(): Promise<string> {
  const hosts = requireInterceptedHosts(['pypi.org'])
  return new Authority({ hosts, clock: Date.now }).certificate()
}

function listFingerprints(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block).fingerprint256)
}

const company = new X509Certificate(tlsCertificate).fingerprint256

test('begins with the authority, and has each root once that Node.js and the system know', () => {
  const { pem, rootCount } = buildTrustBundle(authority, [])

  const found = listFingerprints(pem)
  expect(found[0]).toBe(new X509Certificate(authority).fingerprint256)
  expect(found).toHaveLength(rootCount + 1)
  expect(new Set(found).size).toBe(found.length)
  for (const root of getCACertificates('bundled')) {
    expect(found).toContain(new X509Certificate(root).fingerprint256)
  }
})

test('has what the company told installers to believe, once, however it was written', () => {
  const other = tlsCertificate.replaceAll('\n', '\r\n')

  const found = listFingerprints(buildTrustBundle(authority, [tlsCertificate, other]).pem)

  expect(found.filter((one) => one === company)).toHaveLength(1)
})

test('takes over no key that stands in the same file, and nothing that is no certificate', () => {
  const odd = [
    '-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----',
  ]

  const { pem } = buildTrustBundle(authority, [`${tlsKey}\n${tlsCertificate}`, ...odd])

  expect(pem).not.toContain('PRIVATE KEY')
  expect(pem).not.toContain('not base64')
  expect(listFingerprints(pem)).toContain(company)
})

test('leaves out an authority that was forgotten, which an older bundle still has', async () => {
  const older = buildTrustBundle(await createCertificate(), [tlsCertificate]).pem

  const found = listFingerprints(buildTrustBundle(authority, [older]).pem)

  expect(found).toContain(company)
  expect(found).toEqual(expect.not.arrayContaining(listFingerprints(older).slice(0, 1)))
})
