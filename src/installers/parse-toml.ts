/** TOML text of somebody's file as plain values; what it says is looked at by whoever asked. */

import { parse, TomlError } from 'smol-toml'
import { DecodeError } from '../base/decode.ts'

export type TomlTable = Readonly<Record<string, unknown>>

/** Far more than any installer has settings for; paths are compared key by key. */
const maxDepth = 100

/** Throws DecodeError, whose message begins with the line where one line is wrong. */
export function parseToml(text: string): TomlTable {
  try {
    return requireShallow(parse(text))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [problem = ''] = error.message.split('\n')
    throw new DecodeError(`line ${error.line}: ${problem}`)
  }
}

function requireShallow(table: TomlTable): TomlTable {
  let level: unknown[] = [table]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new DecodeError(`tables within tables, more than ${maxDepth} deep`)
    level = level.flatMap(listInner)
  }
  return table
}

function listInner(value: unknown): unknown[] {
  const members = isTomlTable(value) ? Object.values(value) : Array.isArray(value) ? value : []
  return members.filter((member) => typeof member === 'object')
}

/** A date is an object too. */
export function isTomlTable(value: unknown): value is TomlTable {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}
