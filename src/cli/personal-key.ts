/** Keys that a person holds: made under a passphrase, and opened with it. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { buildPrivateKey, publicKeyPath, putKeyFile } from '../signing/key-file.ts'
import { openSigner } from '../signing/open-signer.ts'
import { chooseAskPassphrase, type PassphraseSources } from '../signing/passphrase.ts'
import { readPublicKeyFile } from '../signing/public-key-file.ts'
import type { Signer } from '../signing/signer.ts'
import { askNewPassphrase, askOnTerminal } from '../signing/terminal-passphrase.ts'
import { requireKeyKind } from './key-kind.ts'

export interface NewKeyFlags {
  readonly type: string
  /** `false` for --no-passphrase. */
  readonly passphrase: boolean
  readonly passphraseFile?: string
}

export interface PersonalKeyFlags {
  readonly key: string
  readonly publicKey?: string
  readonly passphraseFile?: string
}

export interface NewKey {
  readonly keyid: string
  readonly publicPath: string
  readonly isEncrypted: boolean
}

export async function makePersonalKey(path: string, flags: NewKeyFlags): Promise<NewKey> {
  const kind = requireKeyKind(flags.type)
  const passphrase = flags.passphrase ? await requireNewPassphrase(path, flags) : undefined
  const key = await buildPrivateKey(kind)
  await putKeyFile(path, key, passphrase === undefined ? {} : { passphrase })
  const publicPath = publicKeyPath(path)
  const { keyid } = await readPublicKeyFile(publicPath)
  return { keyid, publicPath, isEncrypted: passphrase !== undefined }
}

async function requireNewPassphrase(path: string, flags: NewKeyFlags): Promise<string> {
  const ask = chooseAskPassphrase(passphraseSources(flags), () => askNewPassphrase(path))
  const passphrase = await ask({ place: path, isRetry: false })
  if (passphrase !== undefined && passphrase !== '') return passphrase
  throw new ConfigError('KEY_INVALID', `There is no passphrase for ${toPrintable(path)}`, {
    next: 'Run the command at a terminal, name a file of mode 0600 with --passphrase-file FILE, or say --no-passphrase.',
  })
}

function passphraseSources({
  passphraseFile,
}: {
  readonly passphraseFile?: string
}): PassphraseSources {
  return { environment: process.env, ...(passphraseFile !== undefined && { passphraseFile }) }
}

export function openPersonalSigner(flags: PersonalKeyFlags): Promise<Signer> {
  const askPassphrase = chooseAskPassphrase(passphraseSources(flags), askOnTerminal)
  const { publicKey } = flags
  return openSigner(flags.key, {
    askPassphrase,
    ...(publicKey !== undefined && { publicKeyPath: publicKey }),
  })
}
