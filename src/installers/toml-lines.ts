/**
 * In which line of a TOML text each key and each element of a list stands. The parser that gives the
 * values gives no places, so the text is walked once more. It is known to be well-formed by then; where
 * the walk loses its way all the same, lines are missing, and nothing else.
 */

export type TomlPath = readonly (string | number)[]

/** Of the nearest thing around it, where it has no line of its own; 0: of none. */
export type FindTomlLine = (path: TomlPath) => number

export function locateToml(text: string): FindTomlLine {
  const walker = new Walker(text)
  walker.walk()
  const starts = listLineStarts(text)
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const offset = walker.offsets.get(nameOf(path.slice(0, length)))
      if (offset !== undefined) return findLine(starts, offset)
    }
    return 0
  }
}

function nameOf(path: TomlPath): string {
  return JSON.stringify(path)
}

function listLineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** From 1; by halves. */
function findLine(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return low
}

class Walker {
  /** Where each one begins, by its path. */
  readonly offsets = new Map<string, number>()
  readonly #text: string
  #at = 0
  /** How many `[[tables]]` there were of each path. */
  readonly #counts = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  walk(): void {
    let table: TomlPath = []
    for (;;) {
      this.#skipBlank()
      const start = this.#at
      if (start >= this.#text.length) return
      if (this.#text[start] === '[') table = this.#readHeader()
      else this.#readPair(table)
      if (this.#at === start) return
    }
  }

  #note(path: TomlPath, offset: number): void {
    const name = nameOf(path)
    if (!this.offsets.has(name)) this.offsets.set(name, offset)
  }

  #readHeader(): TomlPath {
    const start = this.#at
    const isList = this.#text.startsWith('[[', start)
    this.#at += isList ? 2 : 1
    const keys = this.#readKeys()
    this.#skipPast(isList ? ']]' : ']')
    const path = this.#resolve(keys, isList)
    for (let length = 1; length <= path.length; length += 1) {
      this.#note(path.slice(0, length), start)
    }
    return path
  }

  /** `[a.b]` below `[[a]]` belongs to the last of these. */
  #resolve(keys: readonly string[], isList: boolean): TomlPath {
    const path: (string | number)[] = []
    for (const [at, key] of keys.entries()) {
      path.push(key)
      const name = nameOf(path)
      const count = this.#counts.get(name) ?? 0
      if (isList && at === keys.length - 1) {
        this.#counts.set(name, count + 1)
        path.push(count)
      } else if (count > 0) path.push(count - 1)
    }
    return path
  }

  #readPair(table: TomlPath): void {
    this.#skipBlank()
    const start = this.#at
    const path = [...table]
    for (const key of this.#readKeys()) {
      path.push(key)
      this.#note(path, start)
    }
    this.#skipPast('=')
    this.#readValue(path)
  }

  /** `a . "b.c" . 'd'` */
  #readKeys(): string[] {
    const keys: string[] = []
    for (;;) {
      this.#skipSpace()
      keys.push(this.#readKey())
      this.#skipSpace()
      if (this.#text[this.#at] !== '.') return keys
      this.#at += 1
    }
  }

  #readKey(): string {
    const start = this.#at
    const quote = this.#text[start]
    if (quote !== '"' && quote !== "'") {
      while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? '')) this.#at += 1
      return this.#text.slice(start, this.#at)
    }
    this.#skipString()
    const inner = this.#text.slice(start + 1, this.#at - 1)
    return quote === '"' ? unescape(inner) : inner
  }

  #readValue(path: TomlPath): void {
    this.#skipBlank()
    const first = this.#text[this.#at]
    if (first === '"' || first === "'") this.#skipString()
    else if (first === '[') this.#readItems(path)
    else if (first === '{') this.#readMembers(path)
    else while (/[^,\]}#\n]/.test(this.#text[this.#at] ?? '\n')) this.#at += 1
  }

  #readItems(path: TomlPath): void {
    this.#readUntil(']', (count) => {
      const item = [...path, count]
      this.#note(item, this.#at)
      this.#readValue(item)
    })
  }

  #readMembers(path: TomlPath): void {
    this.#readUntil('}', () => this.#readPair(path))
  }

  #readUntil(end: string, read: (count: number) => void): void {
    this.#at += 1
    for (let count = 0; ; count += 1) {
      this.#skipBlank()
      const start = this.#at
      if (start >= this.#text.length) return
      if (this.#text[start] === end) return void (this.#at += 1)
      read(count)
      this.#skipBlank()
      if (this.#text[this.#at] === ',') this.#at += 1
      // Lost: everything that is inside of something else ends with it.
      if (this.#at === start) return void (this.#at = this.#text.length)
    }
  }

  #skipString(): void {
    const quote = this.#text[this.#at] ?? ''
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at)
    const end = isLong ? quote.repeat(3) : quote
    this.#at += end.length
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === '\\' ? 2 : 1
    }
    this.#at += end.length
    // Up to two more quotes belong to the text itself.
    if (!isLong) return
    while (this.#text[this.#at] === quote) this.#at += 1
  }

  #skipPast(mark: string): void {
    const found = this.#text.indexOf(mark, this.#at)
    this.#at = found < 0 ? this.#text.length : found + mark.length
  }

  #skipSpace(): void {
    while (/[ \t]/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  /** Line ends and comments too. */
  #skipBlank(): void {
    for (;;) {
      while (/[ \t\r\n\ufeff]/.test(this.#text[this.#at] ?? '')) this.#at += 1
      if (this.#text[this.#at] !== '#') return
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end < 0 ? this.#text.length : end
    }
  }
}

/** The escapes that JSON has too are those that occur in keys. */
function unescape(inner: string): string {
  try {
    return String(JSON.parse(`"${inner}"`))
  } catch {
    return inner
  }
}
