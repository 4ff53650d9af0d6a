/**
 * The two certificates of interception: that of the authority, and a leaf for one host. Loading this costs
 * what loading a certificate library costs, so that it is imported only where one is made.
 */

// oxlint-disable-next-line import/no-unassigned-import -- the library below asks for it, first
import 'reflect-metadata'
import { createPublicKey, generateKeyPair, type KeyObject, type webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { encodeHex } from '../base/bytes.ts'
import { createRandomBytes } from '../base/digest.ts'
import type { InterceptedHost } from './intercepted-host.ts'
import { encodeNameConstraints, nameConstraintsId } from './name-constraints.ts'

/** The library writes it as browsers do, where it is global. */
declare global {
  interface CryptoKey extends webcrypto.CryptoKey {}
}

export interface Validity {
  readonly from: number
  readonly until: number
}

export interface AuthorityRequest extends Validity {
  readonly key: KeyObject
  readonly hosts: readonly InterceptedHost[]
  /** So that two authorities are told apart. */
  readonly name: string
}

export interface LeafRequest extends Validity {
  readonly host: InterceptedHost
  readonly authorityKey: KeyObject
  /** The name in the authority's certificate. */
  readonly authorityName: string
}

export interface Leaf {
  readonly certificatePem: string
  readonly keyPem: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
const generate = promisify(generateKeyPair)

export async function buildKey(): Promise<KeyObject> {
  return (await generate('ec', { namedCurve: 'prime256v1' })).privateKey
}

/** Signed by its own key. Gives PEM. */
export async function buildAuthorityCertificate(request: AuthorityRequest): Promise<string> {
  const { key, hosts } = request
  const publicKey = exportPublic(key)
  const constraints = Uint8Array.from(encodeNameConstraints(hosts))
  const certificate = await X509CertificateGenerator.create({
    ...describeValidity(request),
    subject: describeAuthority(request.name),
    issuer: describeAuthority(request.name),
    publicKey,
    signingKey: exportPrivate(key),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      // Good for nothing but TLS servers: not for mail, not for code.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth], false),
      new Extension(nameConstraintsId, true, constraints),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** With a key of its own, for exactly one host. */
export async function buildLeaf(request: LeafRequest): Promise<Leaf> {
  const { host, authorityKey, authorityName } = request
  const key = await buildKey()
  const publicKey = exportPublic(key)
  const certificate = await X509CertificateGenerator.create({
    ...describeValidity(request),
    // Without a common name: some clients would hold it against the constraints as if it were a host.
    subject: [{ O: ['tufgate'] }],
    issuer: describeAuthority(authorityName),
    publicKey,
    signingKey: exportPrivate(authorityKey),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth], false),
      new SubjectAlternativeNameExtension([
        { type: host.address === undefined ? 'dns' : 'ip', value: host.name },
      ]),
      await AuthorityKeyIdentifierExtension.create(exportPublic(authorityKey)),
    ],
  })
  return {
    certificatePem: certificate.toString('pem'),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

type CertificateParameters = Parameters<typeof X509CertificateGenerator.create>[0]

function describeValidity({ from, until }: Validity): Pick<
  CertificateParameters,
  'notBefore' | 'notAfter' | 'serialNumber'
> & {
  signingAlgorithm: typeof signingAlgorithm
} {
  // RFC 5280 4.1.2.2: positive, at most 20 bytes, not to be guessed.
  const serialNumber = `4${encodeHex(createRandomBytes(16)).slice(1)}`
  return { notBefore: new Date(from), notAfter: new Date(until), serialNumber, signingAlgorithm }
}

function describeAuthority(name: string): { CN?: string[]; O?: string[] }[] {
  return [{ CN: [name] }, { O: ['tufgate'] }]
}

function exportPrivate(key: KeyObject): CryptoKey {
  return key.toCryptoKey(algorithm, false, ['sign'])
}

function exportPublic(key: KeyObject): CryptoKey {
  return createPublicKey(key).toCryptoKey(algorithm, true, ['verify'])
}
