/**
 * The netrc file, as pip reads it by Python's `netrc` module: machine, default, login, user, account,
 * password, macdef, quotes, backslashes and comments. Text in, entries out; what is wrong is said by
 * line, and nothing of the file is quoted: any word of it may be a password.
 */

import { DecodeError } from '../base/decode.ts'

export interface NetrcEntry {
  /** `undefined`: of every machine that no other entry names. */
  readonly machine: string | undefined
  readonly login: string
  readonly password: string
}

/** Throws DecodeError. */
export function parseNetrc(text: string): NetrcEntry[] {
  const reader = new TokenReader(text)
  const entries: NetrcEntry[] = []
  for (let token = reader.nextKeyword(); token !== undefined; token = reader.nextKeyword()) {
    if (token === 'machine') entries.push(parseEntry(reader, reader.requireValue()))
    else if (token === 'default') entries.push(parseEntry(reader, undefined))
    else if (token === 'macdef') reader.skipMacro()
    else throw new DecodeError(`line ${reader.line}: expected machine, default or macdef`)
  }
  return entries
}

/** The last one of this machine, as pip takes it, or else the default. */
export function findNetrcEntry(
  entries: readonly NetrcEntry[],
  hostname: string,
): NetrcEntry | undefined {
  return (
    entries.findLast(({ machine }) => machine?.toLowerCase() === hostname.toLowerCase()) ??
    entries.findLast(({ machine }) => machine === undefined)
  )
}

const starts: ReadonlySet<string | undefined> = new Set(['machine', 'default', 'macdef', undefined])

function parseEntry(reader: TokenReader, machine: string | undefined): NetrcEntry {
  let login = ''
  let password: string | undefined
  const { line } = reader
  while (!starts.has(reader.peekKeyword())) {
    const key = reader.nextKeyword()
    const value = reader.requireValue()
    if (key === 'login' || key === 'user') login = value
    else if (key === 'password') password = value
    else if (key !== 'account') {
      throw new DecodeError(`line ${reader.line}: expected login, account or password`)
    }
  }
  if (password !== undefined) return { machine, login, password }
  throw new DecodeError(`line ${line}: this entry has no password`)
}

class TokenReader {
  readonly #text: string
  #at = 0
  #peeked: { readonly token: string | undefined } | undefined

  constructor(text: string) {
    this.#text = text
  }

  /** Where the reader is, from 1. */
  get line(): number {
    return this.#text.slice(0, this.#at).split('\n').length
  }

  /** A comment may stand wherever a keyword may; a value may begin with `#`. */
  nextKeyword(): string | undefined {
    const token = this.peekKeyword()
    this.#peeked = undefined
    return token
  }

  peekKeyword(): string | undefined {
    this.#peeked ??= { token: this.#readKeyword() }
    return this.#peeked.token
  }

  requireValue(): string {
    const value = this.#readToken()
    if (value !== undefined) return value
    throw new DecodeError(`line ${this.line}: the file ends where a value should stand`)
  }

  /** Its name, and all lines up to an empty one. */
  skipMacro(): void {
    this.requireValue()
    const end = /\r?\n[ \t]*\r?\n/.exec(this.#text.slice(this.#at))
    this.#at = end === null ? this.#text.length : this.#at + end.index + end[0].length
  }

  #readKeyword(): string | undefined {
    for (;;) {
      this.#skipSpace()
      if (this.#text[this.#at] !== '#') return this.#readToken()
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end < 0 ? this.#text.length : end
    }
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  /** `undefined` at the end of the file. */
  #readToken(): string | undefined {
    this.#skipSpace()
    if (this.#at >= this.#text.length) return undefined
    const isQuoted = this.#text[this.#at] === '"'
    if (isQuoted) this.#at += 1
    const isEnd = isQuoted ? isQuote : isSpace
    let token = ''
    for (; this.#at < this.#text.length; this.#at += 1) {
      const letter = this.#text[this.#at] ?? ''
      if (isEnd(letter)) {
        if (isQuoted) this.#at += 1
        return token
      }
      if (letter === '\\') this.#at += 1
      token += this.#text[this.#at] ?? ''
    }
    if (!isQuoted) return token
    throw new DecodeError(`line ${this.line}: a quote is not closed`)
  }
}

function isQuote(letter: string): boolean {
  return letter === '"'
}

function isSpace(letter: string): boolean {
  return /[ \t\r\n]/.test(letter)
}
