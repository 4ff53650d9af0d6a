/**
 * One file with all that an installer has to believe: the local authority, and every root that it knew before,
 * since the variables that name such a file take the place of those. The roots are those of the operating system
 * and the ones that Node.js ships (Mozilla's, as certifi has them), with what the caller found besides.
 */

import { getCACertificates } from 'node:tls'
import { authorityNamePrefix } from './authority.ts'

export interface TrustBundle {
  readonly pem: string
  /** Besides the authority. */
  readonly rootCount: number
}

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'

/** @param texts of files that variables have named until now; what is no certificate in them is left out */
export function buildTrustBundle(authorityPem: string, texts: readonly string[]): TrustBundle {
  const blocks = new Map<string, string>()
  for (const source of [...texts, ...listRoots()]) {
    for (const block of listCertificates(source)) blocks.set(block, formatCertificate(block))
  }
  const pem = [authorityPem.trim(), ...blocks.values()].join('\n')
  return { pem: `${pem}\n`, rootCount: blocks.size }
}

function listRoots(): string[] {
  // `extra` is NODE_EXTRA_CA_CERTS, which this program itself believes.
  return (['system', 'bundled', 'extra'] as const).flatMap((kind) => getCACertificates(kind))
}

/** The base64 of each, so that it stands there once however it was broken into lines. */
function listCertificates(text: string): string[] {
  const found: string[] = []
  for (let from = text.indexOf(begin); from !== -1;) {
    const next = text.indexOf(begin, from + begin.length)
    const until = text.indexOf(end, from)
    if (until === -1) break
    // One that is not ended has another one in it.
    if (next === -1 || until < next) found.push(text.slice(from + begin.length, until))
    from = next
  }
  return found
    .map((block) => block.replaceAll(/\s/g, ''))
    .filter((block) => /^[A-Za-z0-9+/]+=*$/.test(block) && !isOldAuthority(block))
}

/** An authority that was forgotten, in a bundle of ours that a variable still names. */
function isOldAuthority(block: string): boolean {
  return Buffer.from(block, 'base64').includes(authorityNamePrefix)
}

function formatCertificate(block: string): string {
  return [begin, ...(block.match(/.{1,64}/g) ?? []), end].join('\n')
}
