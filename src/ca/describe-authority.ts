/** What a person compares, and what a program reads, of an authority: everything but its key. */

import { X509Certificate } from 'node:crypto'
import { formatUtcSeconds } from '../base/clock.ts'
import type { KeptAuthority } from './authority-folder.ts'

export interface AuthorityDescription {
  readonly subject: string
  /** Of the certificate, in pairs of hexadecimal digits, as `openssl x509 -fingerprint -sha256` shows it. */
  readonly sha256: string
  readonly hosts: readonly string[]
  readonly notBefore: string
  readonly notAfter: string
  readonly file: string
}

export function describeAuthority(authority: KeptAuthority): AuthorityDescription {
  const { hosts, from, until, certificatePem, path } = authority
  const certificate = new X509Certificate(certificatePem)
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    sha256: certificate.fingerprint256,
    hosts: hosts.map(({ name }) => name),
    notBefore: formatUtcSeconds(from),
    notAfter: formatUtcSeconds(until),
    file: path,
  }
}
