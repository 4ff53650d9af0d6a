/**
 * Keys under a passphrase: PKCS#8 EncryptedPrivateKeyInfo with PBES2, scrypt (RFC 7914) and
 * AES-256-CBC. `openssl pkey` reads them, and so does every program that reads PKCS#8.
 *
 * Node.js itself would write PBKDF2 with 2048 rounds, which a graphics card guesses through.
 */

import { createCipheriv, randomBytes, scrypt, type KeyObject } from 'node:crypto'
import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { derNumber, derObjectId, derOctets, derSequence } from './der.ts'

/**
 * 16 MiB five times over, about a quarter of a second: as hard to guess as N = 2^17 with p = 1, and
 * within the 32 MiB that OpenSSL allows a key file to ask for.
 */
const cost = { N: 2 ** 14, r: 8, p: 5 }
const saltBytes = 16
const keyBytes = 32

const pbes2 = derObjectId(1, 2, 840, 113_549, 1, 5, 13)
const scryptId = derObjectId(1, 3, 6, 1, 4, 1, 11_591, 4, 11)
const aes256Cbc = derObjectId(2, 16, 840, 1, 101, 3, 4, 1, 42)

/** The PEM text. Throws KEY_INVALID for an empty passphrase. */
export async function encryptKey(key: KeyObject, passphrase: string): Promise<string> {
  if (passphrase === '') {
    throw new ConfigError('KEY_INVALID', 'An empty passphrase protects nothing', {
      next: 'Choose a passphrase, or leave the key unencrypted.',
    })
  }
  const salt = randomBytes(saltBytes)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', await deriveKey(passphrase, salt), iv)
  const plain = key.export({ type: 'pkcs8', format: 'der' })
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()])
  plain.fill(0)
  return renderPem(derSequence(renderAlgorithm(salt, iv), derOctets(encrypted)))
}

function deriveKey(passphrase: string, salt: Bytes): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(encodeUtf8(passphrase), salt, keyBytes, cost, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

/** RFC 8018, appendix A.4; RFC 7914, section 7. */
function renderAlgorithm(salt: Bytes, iv: Bytes): Bytes {
  const { N, r, p } = cost
  const scryptParameters = derSequence(
    derOctets(salt),
    derNumber(N),
    derNumber(r),
    derNumber(p),
    derNumber(keyBytes),
  )
  const derivation = derSequence(scryptId, scryptParameters)
  return derSequence(pbes2, derSequence(derivation, derSequence(aes256Cbc, derOctets(iv))))
}

function renderPem(der: Bytes): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  const label = 'ENCRYPTED PRIVATE KEY'
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
