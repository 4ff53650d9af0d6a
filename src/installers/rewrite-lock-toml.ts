/**
 * The strings of a TOML file that hold addresses, with where they stand: enough of the language to leave
 * comments, multi-line texts, keys and everything else alone. Nothing is written anew but a string.
 */

export interface TomlString {
  /** Of what is between the quotes. */
  readonly start: number
  readonly end: number
  readonly isLiteral: boolean
  readonly key: string
  /** The first key of the line that it belongs to, where the string is deep in a value. */
  readonly outerKey: string
  readonly table: string
}

const token =
  /#[^\n]*|"""|'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_.+:-]+|[[\]{}=,\n]|[^\S\n]+|[\s\S]/y

/** Every string that is a value, in order. Linear in the length of the text. */
export function* scanTomlStrings(text: string): Generator<TomlString> {
  const scan = new Scan()
  const reader = new RegExp(token)
  let at = 0
  while (at < text.length) {
    reader.lastIndex = at
    const [found = ''] = reader.exec(text) ?? []
    if (found === '') return
    if (found === '"""' || found === "'''") {
      at = findEnd(text, at + 3, found)
      continue
    }
    const value = scan.take(found, at)
    if (value !== undefined) yield value
    at += found.length
  }
}

/** Behind the closing quotes: up to two more may belong to the text. */
function findEnd(text: string, from: number, quotes: string): number {
  let at = text.indexOf(quotes, from)
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf(quotes, at + 1)
  if (at < 0) return text.length
  let end = at + 3
  while (end < at + 5 && text[end] === quotes[0]) end += 1
  return end
}

function isEscaped(text: string, at: number): boolean {
  if (text[at] === "'") return false
  let count = 0
  while (text[at - count - 1] === '\\') count += 1
  return count % 2 === 1
}

interface Container {
  readonly kind: '[' | '{'
  readonly key: string
}

/** Where in the document the next token stands. */
class Scan {
  readonly #containers: Container[] = []
  #table = ''
  #header: string | undefined
  #key = ''
  #outerKey = ''
  #isValue = false

  take(found: string, at: number): TomlString | undefined {
    const first = found[0] ?? ''
    if (first === '#' || /^[^\S\n]/.test(found)) return undefined
    if (found === '\n') this.#endLine()
    else if (this.#header !== undefined) this.#extendHeader(found)
    else if ('[]{}'.includes(first)) this.#nest(first)
    else if (found === '=') this.#isValue = true
    else if (found === ',') this.#isValue = this.#containers.at(-1)?.kind === '['
    else return this.#takeWord(found, at)
    return undefined
  }

  #endLine(): void {
    if (this.#header !== undefined) {
      this.#table = this.#header
      this.#header = undefined
    }
    if (this.#containers.length === 0) this.#isValue = false
  }

  /** `[[package]]` -> `package`. */
  #extendHeader(found: string): void {
    if (found !== '[' && found !== ']') this.#header = `${this.#header ?? ''}${unquote(found)}`
  }

  #nest(bracket: string): void {
    const isStart = bracket === '[' || bracket === '{'
    if (isStart && !this.#isValue && this.#containers.length === 0) {
      this.#header = ''
      return
    }
    if (isStart) {
      this.#containers.push({ kind: bracket, key: this.#key })
      this.#isValue = bracket === '['
      return
    }
    const closed = this.#containers.pop()
    if (closed !== undefined) this.#key = closed.key
    this.#isValue = true
  }

  #takeWord(found: string, at: number): TomlString | undefined {
    if (!this.#isValue) {
      this.#key = unquote(found)
      if (this.#containers.length === 0) this.#outerKey = this.#key
      return undefined
    }
    const quote = found[0]
    if (found.length < 2 || (quote !== '"' && quote !== "'")) return undefined
    return {
      start: at + 1,
      end: at + found.length - 1,
      isLiteral: quote === "'",
      key: this.#key,
      outerKey: this.#outerKey,
      table: this.#table,
    }
  }
}

function unquote(found: string): string {
  return /^["']/.test(found) ? found.slice(1, -1) : found
}
