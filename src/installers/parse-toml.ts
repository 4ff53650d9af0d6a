/** TOML text of somebody's file as plain values; what it says is looked at by whoever asked. */

import { parse, TomlError } from 'smol-toml'
import { DecodeError } from '../base/decode.ts'

export type TomlTable = Readonly<Record<string, unknown>>

/** Throws DecodeError, whose message begins with the line. */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [problem = ''] = error.message.split('\n')
    throw new DecodeError(`line ${error.line}: ${problem}`)
  }
}

/** A date is an object too. */
export function isTomlTable(value: unknown): value is TomlTable {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}
