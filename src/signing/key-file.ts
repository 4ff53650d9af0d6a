/**
 * Private keys on disk: PKCS#8 PEM, readable by their owner alone, in a folder that is too; encrypted
 * where a passphrase was given.
 *
 * A key file is created, never overwritten: a key that is lost cannot be made again.
 */

import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { access, constants, lstat, open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ConfigError, isTufgateError } from '../base/errors.ts'
import { syncFolder } from '../store/atomic-file.ts'
import { makeFolderPath } from '../store/make-folder.ts'
import { buildStorageError, findErrno } from '../store/storage-error.ts'
import { encryptKey } from './encrypted-key.ts'
import type { AskPassphrase } from './passphrase.ts'
import { adviseToMove, readPrivateFile, requirePrivateFolder } from './private-file.ts'
import { readPublicKey, renderPublicPem } from './public-key.ts'

export type KeyKind = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-pss'

/** No key of an accepted kind comes near it. */
const maxKeyFileBytes = 64 * 1024
const rsaBits = 3072
/** At a terminal; a file has the same answer each time. */
const maxAttempts = 3

const generate = promisify(generateKeyPair)

const generators = {
  ed25519: () => generate('ed25519'),
  'ecdsa-p256': () => generate('ec', { namedCurve: 'prime256v1' }),
  'ecdsa-p384': () => generate('ec', { namedCurve: 'secp384r1' }),
  'rsa-pss': () => generate('rsa', { modulusLength: rsaBits }),
} satisfies Record<KeyKind, () => Promise<{ privateKey: KeyObject }>>

export async function buildPrivateKey(kind: KeyKind): Promise<KeyObject> {
  return (await generators[kind]()).privateKey
}

export interface KeyFileOptions {
  /** Without one whoever reads the file has the key. */
  readonly passphrase?: string
}

/**
 * Makes the folder (0700), the file (0600), and beside it `NAME.pub`, the public half, for those who
 * have to name the key without having it. Throws KEY_INVALID where one of them exists already.
 */
export async function putKeyFile(
  path: string,
  key: KeyObject,
  { passphrase }: KeyFileOptions = {},
): Promise<void> {
  const pem =
    passphrase === undefined
      ? key.export({ type: 'pkcs8', format: 'pem' }).toString()
      : await encryptKey(key, passphrase)
  const folder = dirname(path)
  await makeKeyFolder(
    folder,
    (place) =>
      `Put the key into a folder of its own, which is made: ${join(place, 'keys', basename(path))}`,
  )
  // The public half first: where it is taken, no key is left behind that nobody knows of.
  await requireAbsent(path)
  await putNewFile(publicKeyPath(path), renderPublicPem(key), 0o644)
  await putNewFile(path, pem, 0o600)
  syncFolder(folder)
}

/** Where the public half of a key file stands. */
export function publicKeyPath(path: string): string {
  return `${path.replace(/\.pem$/, '')}.pub`
}

/** Ready for keys (0700), with nothing in it yet. Throws KEY_INVALID where others can reach it. */
export async function makeKeyFolder(
  folder: string,
  advise: (folder: string) => string,
): Promise<void> {
  try {
    makeFolderPath(folder, 0o700)
    await access(folder, constants.W_OK)
  } catch (error) {
    throw buildStorageError(error, 'make the folder of keys', folder)
  }
  await requirePrivateFolder(folder, advise)
}

async function requireAbsent(path: string): Promise<void> {
  try {
    await lstat(path)
  } catch {
    // Whatever else is wrong there shows when the file is made.
    return
  }
  throw refuseExisting(path)
}

async function putNewFile(path: string, text: string, mode: number): Promise<void> {
  const file = await createFile(path, mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function createFile(path: string, mode: number): Promise<FileHandle> {
  try {
    // `wx` is O_CREAT | O_EXCL: neither an existing key nor a symbolic link is written through.
    return await open(path, 'wx', mode)
  } catch (cause) {
    if (findErrno(cause) === 'EEXIST') throw refuseExisting(path, cause)
    throw buildStorageError(cause, 'create', path)
  }
}

function refuseExisting(path: string, cause?: unknown): ConfigError {
  return new ConfigError('KEY_INVALID', `${path} exists already; a key is never overwritten`, {
    next: 'Move the existing key away, or choose another folder.',
    cause,
  })
}

/**
 * Reads a private key. Throws KEY_INVALID where it is missing, readable by others, encrypted with
 * nobody who knows the passphrase, not PEM, or of a kind that is not accepted.
 */
export async function readKeyFile(
  path: string,
  askPassphrase: AskPassphrase = () => Promise.resolve(undefined),
): Promise<KeyObject> {
  const pem = await readPem(path)
  const key = isEncrypted(pem) ? await decrypt(path, pem, askPassphrase) : openPlain(path, pem)
  // The kind is checked here, so that a key that cannot sign is found before any work is done.
  readPublicKey(key, path)
  return key
}

async function readPem(path: string): Promise<string> {
  if (path.endsWith('.pub')) throw refusePublic(path)
  const pem = await readPrivateFile(path, {
    kind: 'key file',
    maxFileBytes: maxKeyFileBytes,
    next: 'Put the key back from its backup, or name the folder in which it is.',
  })
  await requirePrivateFolder(dirname(path), adviseToMove(path))
  return pem
}

function refusePublic(path: string): ConfigError {
  return new ConfigError(
    'KEY_INVALID',
    `${path} is the public key, and the private one is needed`,
    {
      next: path.endsWith('.pub')
        ? `Name the private key, such as ${path.replace(/\.pub$/, '.pem')}`
        : 'Name the file of the private key.',
    },
  )
}

/** `false` as well where it cannot be read: then `readKeyFile` says why. */
export async function isEncryptedKey(path: string): Promise<boolean> {
  try {
    return isEncrypted(await readPem(path))
  } catch (error) {
    if (isTufgateError(error)) return false
    throw error
  }
}

function isEncrypted(pem: string): boolean {
  return pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
}

function openPlain(path: string, pem: string): KeyObject {
  if (pem.includes('-----BEGIN PUBLIC KEY-----')) throw refusePublic(path)
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new ConfigError('KEY_INVALID', `${path} is not a private key in PKCS#8 PEM form`, {
      expected: 'BEGIN PRIVATE KEY or BEGIN ENCRYPTED PRIVATE KEY',
      next: `Another form becomes one with: openssl pkcs8 -topk8 -scrypt -in ${path} -out NEW.pem`,
      cause,
    })
  }
}

async function decrypt(path: string, pem: string, ask: AskPassphrase): Promise<KeyObject> {
  let failure: unknown
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const passphrase = await ask({ place: path, isRetry: attempt > 0 })
    if (passphrase === undefined) break
    try {
      return createPrivateKey({ key: pem, format: 'pem', passphrase })
    } catch (cause) {
      // A wrong passphrase shows as bad padding or as nonsense inside: the two cannot be told apart.
      failure = cause
    }
  }
  throw failure === undefined ? refuseUnasked(path) : refuseWrong(path, failure)
}

function refuseUnasked(path: string): ConfigError {
  return new ConfigError('KEY_INVALID', `${path} is encrypted, and no passphrase was given`, {
    next: 'Run the command at a terminal, or name a file of mode 0600 that holds the passphrase: --passphrase-file FILE, or TUFGATE_PASSPHRASE_FILE=FILE in the environment.',
  })
}

function refuseWrong(path: string, cause: unknown): ConfigError {
  return new ConfigError('KEY_INVALID', `The passphrase does not open ${path}`, {
    next: `Try it with: openssl pkey -in ${path} -noout. If the passphrase is surely right, the file is damaged: put it back from its backup.`,
    cause,
  })
}
