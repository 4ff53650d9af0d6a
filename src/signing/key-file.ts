/**
 * Private keys on disk: PKCS#8 PEM, readable by their owner alone, in a folder that is too.
 *
 * A key file is created, never overwritten: a key that is lost cannot be made again.
 */

import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { ConfigError, StorageError } from '../base/errors.ts'
import { makeFolderPath } from '../store/make-folder.ts'
import { buildStorageError } from '../store/storage-error.ts'
import { readPublicKey } from './public-key.ts'

export type KeyKind = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-pss'

/** No key of an accepted kind comes near it. */
const maxKeyFileBytes = 64 * 1024
const rsaBits = 3072

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

/** Makes the folder (0700) and the file (0600). Throws KEY_INVALID where the file exists already. */
export async function putKeyFile(path: string, key: KeyObject): Promise<void> {
  const folder = dirname(path)
  makeFolder(folder)
  await requirePrivateFolder(folder)
  const file = await createFile(path)
  try {
    await file.writeFile(key.export({ type: 'pkcs8', format: 'pem' }))
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(folder)
}

function makeFolder(folder: string): void {
  try {
    makeFolderPath(folder, 0o700)
  } catch (error) {
    throw buildStorageError(error, 'make the folder of keys', folder)
  }
}

async function createFile(path: string): Promise<FileHandle> {
  try {
    // `wx` is O_CREAT | O_EXCL: neither an existing key nor a symbolic link is written through.
    return await open(path, 'wx', 0o600)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      throw new ConfigError('KEY_INVALID', `${path} exists already; a key is never overwritten`, {
        next: 'Move the existing key away, or choose another folder.',
        cause,
      })
    }
    throw new StorageError('STORAGE_FAILED', `${path} cannot be created`, { cause })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Reads a private key. Throws KEY_INVALID where it is missing, readable by others, encrypted, not
 * PEM, or of a kind that is not accepted.
 */
export async function readKeyFile(path: string): Promise<KeyObject> {
  await requirePrivateFolder(dirname(path))
  const pem = await readPrivateFile(path)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new ConfigError('KEY_INVALID', `${path} is not an unencrypted private key in PEM form`, {
      expected: 'PKCS#8 PEM (BEGIN PRIVATE KEY)',
      next: `Look at it with: openssl pkey -in ${path} -noout -text_pub`,
      cause,
    })
  }
  // The kind is checked here, so that a key that cannot sign is found before any work is done.
  readPublicKey(key, path)
  return key
}

async function readPrivateFile(path: string): Promise<string> {
  const file = await openKey(path)
  try {
    const found = await file.stat()
    requirePrivateMode(path, found.mode, '600')
    requireOwner(path, found.uid)
    if (!found.isFile() || found.size > maxKeyFileBytes) {
      throw new ConfigError('KEY_INVALID', `${path} is not a key file`, {
        expected: `a file of at most ${maxKeyFileBytes} bytes`,
        found: found.isFile() ? `${found.size} bytes` : 'not a file',
        next: 'Name the key file itself.',
      })
    }
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

async function openKey(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    const reason = codeOf(cause) === 'ENOENT' ? 'does not exist' : 'cannot be opened'
    throw new ConfigError('KEY_INVALID', `The key file ${path} ${reason}`, {
      next: 'Put the key back from its backup, or name the folder in which it is.',
      cause,
    })
  }
}

async function requirePrivateFolder(folder: string): Promise<void> {
  const { mode, uid } = await statFolder(folder)
  requirePrivateMode(folder, mode, '700')
  requireOwner(folder, uid)
}

async function statFolder(folder: string): Promise<{ mode: number; uid: number }> {
  try {
    return await stat(folder)
  } catch (cause) {
    throw new ConfigError('KEY_INVALID', `The key folder ${folder} cannot be read`, {
      next: 'Name the folder in which the keys are.',
      cause,
    })
  }
}

function requirePrivateMode(path: string, mode: number, wanted: '600' | '700'): void {
  if ((mode & 0o077) === 0) return
  const found = (mode & 0o777).toString(8).padStart(3, '0')
  throw new ConfigError('KEY_INVALID', `${path} can be read or changed by others (mode ${found})`, {
    expected: wanted,
    found,
    next: `chmod ${wanted} ${path}`,
  })
}

/** Whoever owns a file can open it to others again: only ourselves and root may. */
function requireOwner(path: string, uid: number): void {
  const own = process.getuid?.()
  if (own === undefined || uid === own || uid === 0) return
  throw new ConfigError('KEY_INVALID', `${path} belongs to another user (uid ${uid})`, {
    expected: `uid ${own}`,
    found: `uid ${uid}`,
    next: `chown ${own} ${path}`,
  })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
