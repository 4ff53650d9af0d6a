/**
 * The text of pip's settings files, as Python's configparser reads it. `[global]` holds for each command,
 * the section of a command goes before it, and a variable before both.
 */

import { ConfigError } from '../base/errors.ts'

export interface PipSetting {
  /** `global`, or the command whose section it stands in; pip minds its case. */
  readonly section: string
  /** As pip compares it: `extra-index-url` for `EXTRA_INDEX_URL` too. */
  readonly key: string
  /** Lines of one value are separated by line feeds. */
  readonly value: string
  /** The line of the key, from 1. */
  readonly line: number
}

interface OpenSetting {
  readonly key: string
  readonly lines: string[]
  readonly line: number
}

type Section = Map<string, OpenSetting>

/** What stands in it holds for each section of the file. */
const defaultSection = 'DEFAULT'
/** Python's: a byte order mark is none, and the separators of ASCII are. */
const space = new RegExp(
  String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`,
)

/** In the order of the file. Throws ConfigError CONFIG_INVALID where pip reads no setting of it at all. */
export function parsePipConf(text: string): readonly PipSetting[] {
  const reader = new Reader()
  for (const [at, line] of text.split(/\r\n|\r|\n/).entries()) reader.take(line, at + 1)
  return reader.settings()
}

/** `--Extra_Index_URL` -> `extra-index-url`: pip tells neither case nor the two dashes apart. */
export function normalizePipKey(rawKey: string): string {
  return rawKey.toLowerCase().replaceAll('_', '-').replace(/^--/, '')
}

class Reader {
  readonly #sections = new Map<string, Section>()
  #section: Section | undefined
  #open: OpenSetting | undefined
  #indent = 0

  take(line: string, number: number): void {
    const indent = findLetter(line)
    const text = trimEnd(line.slice(indent))
    if (/^[#;]/.test(text)) return
    if (text === '') {
      // Belongs to the value, where more of it follows.
      this.#open?.lines.push('')
      return
    }
    if (this.#open !== undefined && indent > this.#indent) {
      this.#open.lines.push(text)
      return
    }
    this.#indent = indent
    const [, name] = /^\[(.+)\]/.exec(text) ?? []
    if (name === undefined) this.#takeOption(text, number)
    else this.#openSection(name, number)
  }

  #openSection(name: string, line: number): void {
    if (this.#sections.has(name) && name !== defaultSection) {
      throw refuse(line, `the section [${name}] stands twice`)
    }
    this.#section = this.#sections.get(name) ?? new Map()
    this.#sections.set(name, this.#section)
    this.#open = undefined
  }

  #takeOption(text: string, line: number): void {
    if (this.#section === undefined) throw refuse(line, 'a setting stands before any [section]')
    const at = text.search(/[=:]/)
    const rawKey = trimEnd(text.slice(0, Math.max(at, 0)))
    if (rawKey === '') throw refuse(line, 'neither a [section] nor "key = value"')
    const rawValue = text.slice(at + 1)
    const value = rawValue.slice(findLetter(rawValue))
    const key = rawKey.toLowerCase()
    if (this.#section.has(key)) throw refuse(line, `${key} stands twice in its section`)
    this.#open = { key, lines: [value], line }
    this.#section.set(key, this.#open)
  }

  settings(): PipSetting[] {
    const defaults = this.#sections.get(defaultSection) ?? new Map<string, OpenSetting>()
    const settings: PipSetting[] = []
    for (const [section, own] of this.#sections) {
      if (section === defaultSection) continue
      for (const { key, lines, line } of new Map([...defaults, ...own]).values()) {
        const value = trimEnd(lines.join('\n'))
        settings.push({ section, key: normalizePipKey(key), value, line })
      }
    }
    return settings
  }
}

function findLetter(text: string): number {
  let at = 0
  while (at < text.length && space.test(text.charAt(at))) at += 1
  return at
}

/** An expression for it would take quadratic time. */
function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && space.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

function refuse(line: number, problem: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `line ${line}: ${problem}`, {
    next: 'pip itself stops at this file: mend the line.',
  })
}
