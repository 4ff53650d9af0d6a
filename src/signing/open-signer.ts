/**
 * From the name of a signer to the signer: a key file, a signer file (`NAME.signer`), or
 * `exec:COMMAND` with its public key beside it.
 */

import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { buildExecSigner, parseExecReference } from './exec-signer.ts'
import type { AskPassphrase } from './passphrase.ts'
import { readPublicKeyFile } from './public-key-file.ts'
import { openSignerFile } from './signer-file.ts'
import { openFileSigner, type Signer } from './signer.ts'

export interface SignerOptions {
  /** Without it an encrypted key is refused. */
  readonly askPassphrase?: AskPassphrase | undefined
  /** For `exec:` on a command line: the path of the public key that the command signs with. */
  readonly publicKeyPath?: string | undefined
}

/** Throws KEY_INVALID where it cannot be opened. A command is not run before it is to sign. */
export async function openSigner(reference: string, options: SignerOptions = {}): Promise<Signer> {
  const { askPassphrase, publicKeyPath } = options
  if (reference.startsWith('exec:')) return openExecSigner(reference, publicKeyPath)
  if (publicKeyPath !== undefined) {
    throw new ConfigError(
      'KEY_INVALID',
      `A public key belongs to an exec: signer, not to ${reference}`,
      {
        next: 'Leave --public-key out: a key file and a signer file say themselves which key it is.',
      },
    )
  }
  return reference.endsWith('.signer')
    ? openSignerFile(reference)
    : openFileSigner(reference, askPassphrase)
}

async function openExecSigner(reference: string, publicKeyPath?: string): Promise<Signer> {
  const command = parseExecReference(reference)
  if (publicKeyPath !== undefined) {
    return buildExecSigner(command, await readPublicKeyFile(publicKeyPath))
  }
  throw new ConfigError('KEY_INVALID', 'A signing command does not say which key it has', {
    expected: '--public-key FILE',
    next: 'Name the public key as well: what the command answers is verified with it.',
  })
}

export type KeySignerOptions = Pick<SignerOptions, 'askPassphrase'>

export type KeyPlace = 'file' | 'command'

/** The key of this name in a folder of keys: `NAME.pem` or `NAME.signer`, never both. */
export async function openKeySigner(
  folder: string,
  name: string,
  options: KeySignerOptions = {},
): Promise<Signer> {
  const place = await findKeyPlace(folder, name)
  return place === 'command'
    ? openSignerFile(join(folder, `${name}.signer`))
    : openFileSigner(join(folder, `${name}.pem`), options.askPassphrase)
}

/** `undefined` where there is neither. Throws KEY_INVALID where there are both: which one is meant? */
export async function findKeyPlace(folder: string, name: string): Promise<KeyPlace | undefined> {
  const [hasFile, hasCommand] = [
    await isThere(join(folder, `${name}.pem`)),
    await isThere(join(folder, `${name}.signer`)),
  ]
  if (hasFile && hasCommand) {
    throw new ConfigError('KEY_INVALID', `${folder} has both ${name}.pem and ${name}.signer`, {
      expected: 'one of them',
      next: 'Move away the one that is not in use any more.',
    })
  }
  if (hasFile) return 'file'
  return hasCommand ? 'command' : undefined
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    // What cannot be looked at is refused with its reason when it is opened.
    return false
  }
}
