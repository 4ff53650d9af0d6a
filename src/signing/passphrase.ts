/** Where the passphrase of an encrypted key comes from: a private file, or whoever asks a person. */

import type { Environment } from '../base/environment.ts'
import { ConfigError } from '../base/errors.ts'
import { readPrivateFile } from './private-file.ts'

export interface PassphraseQuestion {
  /** The key file. */
  readonly place: string
  /** The last answer was wrong. */
  readonly isRetry: boolean
}

/** `undefined` where there is nobody to ask, or nobody to ask again. */
export type AskPassphrase = (question: PassphraseQuestion) => Promise<string | undefined>

const maxPassphraseFileBytes = 4096
const passphraseFileVariable = 'TUFGATE_PASSPHRASE_FILE'

/** One line, in a file of mode 0600 (a folder that others can read is no harm). Throws KEY_INVALID. */
export async function readPassphraseFile(path: string): Promise<string> {
  const text = await readPrivateFile(path, {
    kind: 'passphrase file',
    maxFileBytes: maxPassphraseFileBytes,
    next: 'Name a file of mode 0600 whose only line is the passphrase.',
  })
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase !== '' && !/[\r\n]/.test(passphrase)) return passphrase
  throw new ConfigError('KEY_INVALID', `${path} does not hold a passphrase`, {
    expected: 'one line',
    found: passphrase === '' ? 'nothing' : 'several lines',
    next: 'Put the passphrase on the first line, and nothing else.',
  })
}

export interface PassphraseSources {
  readonly passphraseFile?: string
  readonly environment: Environment
}

/** The file that was named, or that the environment names, and otherwise the person at the terminal. */
export function chooseAskPassphrase(
  { passphraseFile, environment }: PassphraseSources,
  askPerson: AskPassphrase,
): AskPassphrase {
  const named = passphraseFile ?? environment[passphraseFileVariable] ?? ''
  return named === '' ? askPerson : answerFromFile(named)
}

/** The same passphrase for every key; it is not asked for before a key needs it. */
export function answerFromFile(path: string): AskPassphrase {
  return ({ isRetry }) => (isRetry ? Promise.resolve(undefined) : readPassphraseFile(path))
}

/**
 * Several keys often have one passphrase: the last answer is tried on the next key before anybody is
 * asked, so that a person types it once.
 */
export function rememberPassphrase(ask: AskPassphrase): AskPassphrase {
  let last: string | undefined
  return async (question) => {
    if (last !== undefined && !question.isRetry) return last
    last = await ask(question)
    return last
  }
}
