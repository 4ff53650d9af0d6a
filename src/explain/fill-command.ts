/** Commands of the tables stand for many cases; here the words in capitals become those of one case. */

import { quoteShell } from '../base/quote-shell.ts'

/** What is known of a case. All of it is quoted; what may come from the network is checked before. */
export interface CommandWords {
  readonly PROJECT?: string
  readonly VERSION?: string
  readonly HOST?: string
  /** Folder of the audit log. */
  readonly LOG?: string
  /** State folder. */
  readonly STATE?: string
  /** `http://127.0.0.1:8642` */
  readonly PROXY?: string
}

/** For whoever reads a command in which such a word is left. */
const meanings = {
  MIRROR: 'the folder of the mirror',
  ROOT: 'the root file given to serve',
  STATE: 'the state folder, which serve names when it starts',
  NOTARY: 'the folder in which what was seen is kept, which serve names when it starts',
  LOG: 'the folder of the audit log',
  HOST: 'the host of the file',
  PROXY: 'the address of the proxy, such as http://127.0.0.1:8642',
  PROJECT: 'the name of the project',
  VERSION: 'the version that is refused',
} as const

const word = new RegExp(String.raw`\b(?:${Object.keys(meanings).join('|')})\b`, 'g')

export function fillCommand(command: string, words: CommandWords): string {
  return command.replaceAll(word, (name) => {
    const value = words[name as keyof CommandWords]
    return value === undefined ? name : quoteShell(value)
  })
}

/** `MIRROR: the folder of the mirror`, for each word that the reader has to put in himself. */
export function explainPlaceholders(commands: readonly string[]): string[] {
  const left = new Set(commands.flatMap((command) => command.match(word) ?? []))
  return [...left].map((name) => `${name}: ${meanings[name as keyof typeof meanings]}`)
}
