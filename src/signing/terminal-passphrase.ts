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

/** What came behind an answer in the same breath, typed ahead or pasted: the next one begins with it. */
let typedAhead = ''

/** Answers `undefined` where this process has no terminal, or the person goes. Throws for an empty line. */
export const askOnTerminal: AskPassphrase = async ({ place, isRetry }) => {
  const name = toPrintable(place, 500)
  const answer = await askHidden(`${isRetry ? 'That is not it. ' : ''}Passphrase of ${name}: `)
  if (answer !== '') return answer
  throw new ConfigError('KEY_INVALID', 'The passphrase is empty', {
    next: `Run the command again, and type the passphrase of ${name}.`,
  })
}

/** For a new key: asked twice, since nobody can open it after a slip. `undefined` and throws as above. */
export async function askNewPassphrase(place: string): Promise<string | undefined> {
  const first = await askHidden(`New passphrase for ${toPrintable(place, 500)}: `)
  if (first === undefined) return undefined
  if (first === '') {
    throw new ConfigError('KEY_INVALID', 'The passphrase is empty', {
      next: 'Run the command again and type one, or say --no-passphrase; no key was made.',
    })
  }
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
    return await readHidden(input)
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
  const line = new HiddenLine()
  return new Promise((resolve) => {
    const take = (text: string): void => {
      if (line.take(text)) resolve(line.answer)
    }
    input.setEncoding('utf8')
    input.on('end', () => resolve(undefined))
    input.on('error', () => resolve(undefined))
    const text = typedAhead
    typedAhead = ''
    take(text)
    if (!line.isDone) input.on('data', take)
  })
}

class HiddenLine {
  readonly #typed: string[] = []
  answer: string | undefined
  isDone = false

  /** Whether that was the end of it. What is behind it is kept for the next question. */
  take(text: string): boolean {
    const letters = Array.from(text)
    for (const [at, letter] of letters.entries()) {
      if (this.isDone) {
        // A line end of two letters is one.
        const isPair = letters[at - 1] === '\r' && letter === '\n'
        typedAhead += letters.slice(isPair ? at + 1 : at).join('')
        return true
      }
      this.#takeLetter(letter)
    }
    return this.isDone
  }

  #takeLetter(letter: string): void {
    this.isDone = enter.test(letter) || letter === endOfInput || letter === interrupt
    if (!this.isDone) typeLetter(this.#typed, letter)
    else if (enter.test(letter)) this.answer = this.#typed.join('')
    // In raw mode the terminal does not make a signal of it.
    else if (letter === interrupt) process.kill(process.pid, 'SIGINT')
  }
}

function typeLetter(typed: string[], letter: string): void {
  if (letter === eraseAll) typed.length = 0
  else if (eraseOne.includes(letter)) typed.pop()
  else if (letter >= ' ' && typed.length < maxPassphraseLength) typed.push(letter)
}
