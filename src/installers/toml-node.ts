/**
 * A value in somebody's TOML file, with the line that it stands in. What has another type than is asked
 * for is taken to be absent: the installer itself complains of it.
 */

import { parse as parseToml, TomlError } from 'smol-toml'
import { DecodeError } from '../base/decode.ts'
import { locateToml, type FindTomlLine, type TomlPath } from './toml-lines.ts'

export class TomlNode {
  readonly #value: unknown
  readonly #path: TomlPath
  readonly #findLine: FindTomlLine

  constructor(value: unknown, path: TomlPath, findLine: FindTomlLine) {
    this.#value = value
    this.#path = path
    this.#findLine = findLine
  }

  get isThere(): boolean {
    return this.#value !== undefined
  }

  get line(): number {
    return this.#findLine(this.#path)
  }

  get text(): string | undefined {
    return typeof this.#value === 'string' ? this.#value : undefined
  }

  get isTrue(): boolean {
    return this.#value === true
  }

  /** `undefined` stands in it where there is nothing of this name. */
  get(...names: readonly string[]): TomlNode {
    const [name, ...rest] = names
    if (name === undefined) return this
    const value = isTable(this.#value) ? findMember(this.#value, name) : undefined
    return new TomlNode(value, [...this.#path, name], this.#findLine).get(...rest)
  }

  entries(): (readonly [name: string, node: TomlNode])[] {
    return isTable(this.#value)
      ? Object.keys(this.#value).map((name) => [name, this.get(name)] as const)
      : []
  }

  values(): TomlNode[] {
    return this.entries().map(([, node]) => node)
  }

  /** One that is no list counts as a list of itself. */
  items(): TomlNode[] {
    if (!Array.isArray(this.#value)) return this.isThere ? [this] : []
    return this.#value.map(
      (item: unknown, at) => new TomlNode(item, [...this.#path, at], this.#findLine),
    )
  }
}

/** Throws DecodeError, whose message begins with the line. */
export function parseTomlFile(text: string): TomlNode {
  try {
    return new TomlNode(parseToml(text), [], locateToml(text))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [problem = ''] = error.message.split('\n')
    throw new DecodeError(`line ${error.line}: ${problem}`)
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function findMember(table: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
