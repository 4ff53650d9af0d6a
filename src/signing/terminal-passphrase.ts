/**
 * Asking a person for a passphrase: at the terminal itself, whatever standard input and output are
 * led to, and without showing it.
 */

import { openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import type { AskPassphrase } from './passphrase.ts'

const maxPassphraseLength = 1024
const enter = /[\r\n]/
const endOfInput = '\u0004'
const interrupt = '\u0003'
const eraseAll = '\u0015'
const eraseOne = ['\u0008', '\u007f']

/** Answers `undefined` where this process has no terminal, or the person gives none. */
export const askOnTerminal: AskPassphrase = ({ place, isRetry }) =>
  askHidden(`${isRetry ? 'That is not it. ' : ''}Passphrase of ${toPrintable(place, 500)}: `)

/** For a new key: asked twice, since nobody can open it after a slip. `undefined` as above. */
export async function askNewPassphrase(place: string): Promise<string | undefined> {
  const first = await askHidden(`New passphrase for ${toPrintable(place, 500)}: `)
  if (first === undefined) return undefined
  if ((await askHidden('The same again: ')) === first) return first
  throw new ConfigError('KEY_INVALID', 'The two passphrases are not the same', {
    next: 'Run the command again; no key was made.',
  })
}

async function askHidden(question: string): Promise<string | undefined> {
  const terminal = openTerminal()
  if (terminal === undefined) return undefined
  const { input, output } = terminal
  input.setRawMode(true)
  output.write(question)
  try {
    const answer = await readHidden(input)
    return answer === '' ? undefined : answer
  } finally {
    input.setRawMode(false)
    output.write('\n')
    input.destroy()
    output.destroy()
  }
}

function openTerminal(): { input: ReadStream; output: WriteStream } | undefined {
  try {
    return {
      input: new ReadStream(openSync('/dev/tty', 'r')),
      output: new WriteStream(openSync('/dev/tty', 'w')),
    }
  } catch {
    // ENXIO: a timer, a container, a pipe of commands without a terminal.
    return undefined
  }
}

function readHidden(input: ReadStream): Promise<string | undefined> {
  const typed: string[] = []
  return new Promise((resolve) => {
    input.setEncoding('utf8')
    input.on('end', () => resolve(undefined))
    input.on('error', () => resolve(undefined))
    input.on('data', (chunk: string) => {
      for (const letter of chunk) {
        if (enter.test(letter)) return resolve(typed.join(''))
        if (letter === endOfInput) return resolve(undefined)
        // In raw mode the terminal does not make a signal of it.
        if (letter === interrupt) return interruptOurselves(() => resolve(undefined))
        typeLetter(typed, letter)
      }
    })
  })
}

function interruptOurselves(giveUp: () => void): void {
  giveUp()
  process.kill(process.pid, 'SIGINT')
}

function typeLetter(typed: string[], letter: string): void {
  if (letter === eraseAll) typed.length = 0
  else if (eraseOne.includes(letter)) typed.pop()
  else if (letter >= ' ' && typed.length < maxPassphraseLength) typed.push(letter)
}
