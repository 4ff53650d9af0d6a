/**
 * The key that will be a role's from the next change on: `NAME.next.pem` or `NAME.next.signer` beside
 * the one that is in use. It takes the place of that one by a rename, so that at any moment there is
 * the one or the other under the name; what was there before is gone, since nobody has a use for it.
 */

import { rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { syncFolder } from '../store/atomic-file.ts'
import { buildStorageError, findErrno } from '../store/storage-error.ts'
import { buildPrivateKey, putKeyFile, type KeyKind } from './key-file.ts'
import { findKeyPlace, openKeySigner, type KeySignerOptions } from './open-signer.ts'
import { buildKeyid, readPublicKey, type NamedKey } from './public-key.ts'
import { findPublicKeyPath } from './signer-file.ts'
import type { Signer } from './signer.ts'

/** Under which name it waits. */
function nextName(name: string): string {
  return `${name}.next`
}

/** A key that is not on disk yet. */
export interface NextKey extends NamedKey {
  /** Whether another one waits now, which will be gone. */
  readonly isReplacing: boolean
  /** From now on it waits. One that was made for an earlier change, and was never in use, gives way. */
  put(): Promise<void>
}

/** A signer that somebody has put there for it is taken as it is; else a key is made. */
export async function buildNextKey(folder: string, name: string, kind: KeyKind): Promise<NextKey> {
  const place = await findKeyPlace(folder, nextName(name))
  if (place === 'command') {
    await requireLastingPublicKey(folder, name)
    const { key, keyid } = await openKeySigner(folder, nextName(name))
    return { key, keyid, isReplacing: false, put: () => Promise.resolve() }
  }
  const path = join(folder, `${nextName(name)}.pem`)
  const privateKey = await buildPrivateKey(kind)
  const key = readPublicKey(privateKey, path)
  const put = async (): Promise<void> => {
    await dropNextKey(folder, name)
    await putKeyFile(path, privateKey)
  }
  return { key, keyid: buildKeyid(key), isReplacing: place === 'file', put }
}

/** The public halves of both names are moved when the key is taken into use: the file would name nothing. */
async function requireLastingPublicKey(folder: string, name: string): Promise<void> {
  const signerPath = join(folder, `${nextName(name)}.signer`)
  const path = await findPublicKeyPath(signerPath)
  const moved = [name, nextName(name)].map((one) => resolve(folder, `${one}.pub`))
  if (path === undefined || !moved.includes(path)) return
  throw new ConfigError('KEY_INVALID', `${signerPath} names ${path}, which will not stay there`, {
    next: 'Give the public key a file name of its own, or write its PEM text into "public-key".',
  })
}

/** `undefined` where none waits. Throws KEY_INVALID where it cannot be opened. */
export async function findNextSigner(
  folder: string,
  name: string,
  options: KeySignerOptions = {},
): Promise<Signer | undefined> {
  const place = await findKeyPlace(folder, nextName(name))
  if (place === 'command') await requireLastingPublicKey(folder, name)
  return place === undefined ? undefined : openKeySigner(folder, nextName(name), options)
}

/** That none waits any more, because it has been done already, is no error. */
export async function adoptNextKey(folder: string, name: string): Promise<void> {
  const place = await findKeyPlace(folder, nextName(name))
  if (place === undefined) return
  const [kept, other] = place === 'file' ? ['pem', 'signer'] : ['signer', 'pem']
  try {
    // The other kind first: both at once would leave open which one is meant. A crash here leaves
    // the next key alone, which is looked for too.
    await rm(join(folder, `${name}.${other}`), { force: true })
    await renameIfThere(folder, `${nextName(name)}.pub`, `${name}.pub`)
    await rename(join(folder, `${nextName(name)}.${kept}`), join(folder, `${name}.${kept}`))
    syncFolder(folder)
  } catch (error) {
    throw buildStorageError(error, 'take into use', join(folder, nextName(name)))
  }
}

async function renameIfThere(folder: string, from: string, to: string): Promise<void> {
  try {
    await rename(join(folder, from), join(folder, to))
  } catch (error) {
    if (findErrno(error) !== 'ENOENT') throw error
  }
}

async function dropNextKey(folder: string, name: string): Promise<void> {
  for (const suffix of ['pem', 'pub']) {
    await rm(join(folder, `${nextName(name)}.${suffix}`), { force: true })
  }
}
