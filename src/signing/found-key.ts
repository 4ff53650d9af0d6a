/**
 * Which keys lie in a folder, as far as that shows without a passphrase and without running anything:
 * for lists of keys, not for signing.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isTufgateError } from '../base/errors.ts'
import { isEncryptedKey, publicKeyPath } from './key-file.ts'
import { readPublicKeyFile } from './public-key-file.ts'
import { openSignerFile } from './signer-file.ts'
import { openFileSigner } from './signer.ts'

export interface FoundKey {
  readonly path: string
  readonly kind: 'file' | 'encrypted file' | 'command'
  /** Absent where it cannot be told: an encrypted key without its public half. */
  readonly keyid?: string
  /** Why it could not be used as it is. */
  readonly problem?: string
}

/** More is no folder of keys. */
const maxKeys = 1000

/** In order of the names; nothing where there is no such folder. */
export async function listKeys(folder: string): Promise<FoundKey[]> {
  const names = await listNames(folder)
  const found: FoundKey[] = []
  for (const name of names.toSorted().slice(0, maxKeys)) {
    if (/\.(?:pem|signer)$/.test(name)) found.push(await describeKey(join(folder, name)))
  }
  return found
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    // Not there, or not ours to read: what is missed is said of the role that has it.
    return []
  }
}

async function describeKey(path: string): Promise<FoundKey> {
  const isCommand = path.endsWith('.signer')
  const isEncrypted = !isCommand && (await isEncryptedKey(path))
  const kind = isCommand ? 'command' : isEncrypted ? 'encrypted file' : 'file'
  try {
    const { keyid } = isCommand
      ? await openSignerFile(path)
      : isEncrypted
        ? await readPublicKeyFile(publicKeyPath(path))
        : await openFileSigner(path)
    return { path, kind, keyid }
  } catch (error) {
    if (!isTufgateError(error)) throw error
    return { path, kind, problem: error.message }
  }
}
