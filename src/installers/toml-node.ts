/**
 * A value in somebody's TOML file, with the line that it stands in. What has another type than is asked
 * for is taken to be absent: the installer itself complains of it.
 */

import { isTomlTable, parseToml, type TomlTable } from './parse-toml.ts'
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
    const value = isTomlTable(this.#value) ? findMember(this.#value, name) : undefined
    return new TomlNode(value, [...this.#path, name], this.#findLine).get(...rest)
  }

  entries(): (readonly [name: string, node: TomlNode])[] {
    return isTomlTable(this.#value)
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
  return new TomlNode(parseToml(text), [], locateToml(text))
}

function findMember(table: TomlTable, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
