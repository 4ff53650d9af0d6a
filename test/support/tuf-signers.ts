/** Key pairs that sign TUF metadata in tests: any kind, as metadata writes them. */

import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto'
import { encodeCanonical } from '../../src/base/canonical-json.ts'

export interface KeyDocument {
  keytype: string
  scheme: string
  keyval: { public: string }
}

export interface TestSigner {
  readonly keyid: string
  readonly key: KeyDocument
  readonly privateKey: KeyObject
  /** Hexadecimal, as in `sig`. */
  sign(message: Uint8Array): string
}

export type SignerKind = keyof typeof kinds

interface Kind {
  readonly keytype: string
  readonly scheme: string
  readonly generate: () => KeyObject
  readonly render: (publicKey: KeyObject) => string
  readonly digest: string | null
  readonly options?: Omit<SignKeyObjectInput, 'key'>
}

const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

function renderPem(publicKey: KeyObject): string {
  return publicKey.export({ format: 'pem', type: 'spki' }).toString()
}

function renderPoint(publicKey: KeyObject): string {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return `04${Buffer.from(x, 'base64url').toString('hex')}${Buffer.from(y, 'base64url').toString('hex')}`
}

function renderEd25519(publicKey: KeyObject): string {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')
}

const generateEc = (namedCurve: string) => () =>
  generateKeyPairSync('ec', { namedCurve }).privateKey
const generateRsa = (modulusLength: number, publicExponent?: number) => () =>
  generateKeyPairSync('rsa', { modulusLength, ...(publicExponent && { publicExponent }) })
    .privateKey

const p256 = { generate: generateEc('P-256'), render: renderPem, digest: 'sha256' }
const p384 = { generate: generateEc('P-384'), render: renderPem, digest: 'sha384' }
const rsa = { keytype: 'rsa', generate: generateRsa(2048), render: renderPem }

const kinds = {
  ed25519: {
    keytype: 'ed25519',
    scheme: 'ed25519',
    generate: () => generateKeyPairSync('ed25519').privateKey,
    render: renderEd25519,
    digest: null,
  },
  'ecdsa-p256': { ...p256, keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256' },
  'ecdsa-p384': { ...p384, keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp384' },
  'ecdsa-p256-old': { ...p256, keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256' },
  'ecdsa-p384-old': { ...p384, keytype: 'ecdsa-sha2-nistp384', scheme: 'ecdsa-sha2-nistp384' },
  'ecdsa-p256-hex': {
    ...p256,
    render: renderPoint,
    keytype: 'ecdsa-sha2-nistp256',
    scheme: 'ecdsa-sha2-nistp256',
  },
  'ecdsa-p384-hex': {
    ...p384,
    render: renderPoint,
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp384',
  },
  'rsa-pss-sha256': { ...rsa, scheme: 'rsassa-pss-sha256', digest: 'sha256', options: pss },
  'rsa-pss-sha384': { ...rsa, scheme: 'rsassa-pss-sha384', digest: 'sha384', options: pss },
  'rsa-pss-sha512': { ...rsa, scheme: 'rsassa-pss-sha512', digest: 'sha512', options: pss },
  'rsa-pss-long-salt': {
    ...rsa,
    scheme: 'rsassa-pss-sha256',
    digest: 'sha256',
    options: { ...pss, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN },
  },
  'rsa-pkcs1v15': { ...rsa, scheme: 'rsa-pkcs1v15-sha256', digest: 'sha256' },
  'rsa-1024': {
    ...rsa,
    generate: generateRsa(1024),
    scheme: 'rsassa-pss-sha256',
    digest: 'sha256',
    options: pss,
  },
  'rsa-exponent-3': {
    ...rsa,
    generate: generateRsa(2048, 3),
    scheme: 'rsassa-pss-sha256',
    digest: 'sha256',
    options: pss,
  },
} as const satisfies Record<string, Kind>

/** The key id is that of securesystemslib, unless another is given: clients must not care. */
export function createSigner(kind: SignerKind = 'ed25519', keyid?: string): TestSigner {
  const found: Kind = kinds[kind]
  return createSignerFor(found.generate(), kind, keyid)
}

/** The same private key again, under another id or in another form. */
export function createSignerFor(
  privateKey: KeyObject,
  kind: SignerKind,
  keyid?: string,
): TestSigner {
  const { keytype, scheme, render, digest, options }: Kind = kinds[kind]
  const key = { keytype, scheme, keyval: { public: render(createPublicKey(privateKey)) } }
  return {
    key,
    privateKey,
    keyid: keyid ?? createHash('sha256').update(encodeCanonical(key)).digest('hex'),
    sign: (message) => sign(digest, message, { key: privateKey, ...options }).toString('hex'),
  }
}
