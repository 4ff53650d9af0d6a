/**
 * Public keys that people hand to each other: SubjectPublicKeyInfo in PEM (what `openssl pkey -pubout`
 * writes, and `NAME.pub` beside each of our keys), or a key as TUF metadata has it, as JSON.
 *
 * Whichever form it had, one key has one key id.
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts'
import { DecodeError, readMember, readObject, readString } from '../base/decode.ts'
import { ConfigError, isTufgateError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'
import { findErrno } from '../store/storage-error.ts'
import { findVerifier } from '../tuf/signatures.ts'
import { buildKeyid, readPublicKey, type NamedKey } from './public-key.ts'

const maxPublicKeyBytes = 64 * 1024

/** Throws KEY_INVALID where it is missing, no public key, weak, or of a kind that is not accepted. */
export async function readPublicKeyFile(path: string): Promise<NamedKey> {
  return parsePublicKey(await readText(path), path)
}

/** @param place names it in messages */
export function parsePublicKey(text: string, place: string): NamedKey {
  if (text.includes('PRIVATE KEY-----')) {
    throw new ConfigError(
      'KEY_INVALID',
      `${place} holds a private key, where the public one is asked for`,
      {
        next: 'Name the .pub file beside it, and keep this one to yourself.',
      },
    )
  }
  const key = readPublicKey(openPublicKey(text, place), place)
  // What clients would not count as a key is no key here: weak points, odd exponents.
  if (findVerifier(key.keytype, key.scheme, key.keyval.public) === undefined) {
    throw refuse(place, undefined, 'a key that clients do not accept')
  }
  return { key, keyid: buildKeyid(key) }
}

function openPublicKey(text: string, place: string): KeyObject {
  try {
    if (text.trimStart().startsWith('{')) return openTufKey(parseJson(encodeUtf8(text)))
    if (!text.includes('-----BEGIN PUBLIC KEY-----')) throw refuse(place)
    return createPublicKey({ key: text, format: 'pem' })
  } catch (error) {
    if (isTufgateError(error)) throw error
    throw refuse(place, error)
  }
}

function openTufKey(value: unknown): KeyObject {
  const object = readObject(value)
  const keytype = readMember(object, 'keytype', readString)
  const rawPublic = readMember(object, 'keyval', (keyval) =>
    readMember(readObject(keyval), 'public', readString),
  )
  if (keytype !== 'ed25519') return createPublicKey({ key: rawPublic, format: 'pem' })
  if (!/^[0-9a-fA-F]{64}$/.test(rawPublic)) throw new DecodeError('expected 64 hexadecimal digits')
  const x = Buffer.from(rawPublic, 'hex').toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

function refuse(place: string, cause?: unknown, found?: string): ConfigError {
  return new ConfigError('KEY_INVALID', `${place} is not a public key`, {
    expected: 'SubjectPublicKeyInfo in PEM (BEGIN PUBLIC KEY), or a key of TUF metadata as JSON',
    ...(found !== undefined && { found }),
    next: 'Write one with: openssl pkey -in KEY.pem -pubout -out KEY.pub',
    cause,
  })
}

async function readText(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK a FIFO in its place would hold the program up for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const found = await file.stat()
      if (!found.isFile() || found.size > maxPublicKeyBytes) throw refuse(path)
      return decodeUtf8(await file.readFile())
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isTufgateError(error)) throw error
    if (error instanceof TypeError) throw refuse(path, error)
    const reason = findErrno(error) === 'ENOENT' ? 'does not exist' : 'cannot be read'
    throw new ConfigError('KEY_INVALID', `The public key ${path} ${reason}`, {
      next: 'Name the .pub file that whoever has the key sent.',
      cause: error,
    })
  }
}
