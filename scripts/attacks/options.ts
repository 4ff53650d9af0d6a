/** The command line of the laboratory; what it cannot mean is refused before anything is started. */

import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { Attack } from './attack.ts'

export const help = `npm run attacks -- [options]

  --core           only the quick part, in about a minute, with the pip of this machine
  --row ROW        only this row (A1b, A3, W1 ...); may stand several times
  --pip WHEEL      also with this pip; default: the newest one that your pip settings lead to
  --markdown FILE  where the table is written (default: attacks.md in a new folder)
  --json FILE      the same for programs (default: attacks.json beside it)
  --verbose        all that was seen of each attack, as it comes; without: of what is WRONG alone
  --list           the rows and their variants
  --help

Everything is made on this machine: a hostile index, a mirror, the proxy. Nothing is asked of the
internet, but the newest pip of your own index. Exit code: 0 if behind tufgate all is as it must be,
1 if not, 2 if it was called wrongly.

Example: npm run attacks -- --row A1b --row A2
`

export interface Options {
  readonly attacks: readonly Attack[]
  /** `undefined`: the newest one is looked for. */
  readonly wheels: readonly string[] | undefined
  readonly markdown: string | undefined
  readonly json: string | undefined
  readonly isVerbose: boolean
}

/** Or the text that answers at once, with its exit code. */
export type Asked = Options | { readonly text: string; readonly exitCode: 0 | 2 }

export function readOptions(args: readonly string[], all: readonly Attack[]): Asked {
  try {
    return decideOptions(args, all)
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function decideOptions(args: readonly string[], all: readonly Attack[]): Asked {
  const { core, row: rows, pip, markdown, json, verbose, list, ...flags } = parseFlags(args)
  if (flags.help === true) return { text: help, exitCode: 0 }
  const unknown = rows?.find((row) => !all.some((attack) => attack.row === row))
  if (unknown !== undefined) return refuse(`No attack is called ${unknown}; --list names all.`)
  const attacks = all
    .filter(({ row }) => rows?.includes(row) ?? true)
    .filter(({ isCore }) => core !== true || isCore === true)
  if (list === true) return { text: renderList(attacks), exitCode: 0 }
  if (attacks.length === 0) return refuse('None of these rows has a part in --core.')
  const wheel = pip?.find((path) => !existsSync(path))
  if (wheel !== undefined) return refuse(`There is no wheel ${wheel}.`)
  const place = [markdown, json].find((path) => path !== undefined && !existsSync(dirname(path)))
  if (place !== undefined) return refuse(`There is no folder for ${place}.`)
  const wheels = pip ?? (core === true ? [] : undefined)
  return { attacks, wheels, markdown, json, isVerbose: verbose === true }
}

function parseFlags(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      core: { type: 'boolean' },
      row: { type: 'string', multiple: true },
      pip: { type: 'string', multiple: true },
      markdown: { type: 'string' },
      json: { type: 'string' },
      verbose: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  }).values
}

function renderList(attacks: readonly Attack[]): string {
  return attacks.map(({ row, name }) => `${row.padEnd(4)} ${name}\n`).join('')
}

function refuse(message: string): Asked {
  return { text: `${message}\n\n${help}`, exitCode: 2 }
}
