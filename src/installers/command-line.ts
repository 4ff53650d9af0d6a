/**
 * What a command line tells an installer about where packages come from, as its own option parser would
 * read it. Words in, references out: nothing is judged, and no file that it names is opened here.
 */

import { commandTables } from './command-options.ts'
import {
  findStartedCommand,
  type InstallerProgram,
  type StartedProgram,
} from './command-program.ts'
import { addOption, listTargets, readOptionWords, type Found } from './option-words.ts'
import type { GivenOption } from './option-words.ts'
import { parseRequirementsFile } from './requirements-file.ts'
import type { Include, Installer, Place, Reference } from './reference.ts'
import { torchIndex } from './uv-settings.ts'
import { readVariables } from './variable-references.ts'

export interface ReadCommandLine {
  /** Absent: nobody knows what the command will start. */
  readonly installer?: Installer
  /** What starts the rest without the variables of whoever calls it. */
  readonly forgetful?: string
  readonly references: readonly Reference[]
  readonly includes: readonly Include[]
}

/** `uv run`, and what runs in it. */
const maxDepth = 8

export function readCommandLine(commandLine: readonly string[], depth = 0): ReadCommandLine {
  const { started, variables, forgetful } = findStartedCommand(commandLine)
  const given = readVariables(Object.fromEntries(variables))
  const inner: InnerCommand = started === undefined ? {} : readStarted(started, depth)
  return {
    ...(forgetful !== undefined && { forgetful }),
    ...inner,
    references: [...given.references, ...(inner.references ?? [])],
    includes: [...given.includes, ...(inner.includes ?? [])],
  }
}

const installers: Readonly<Record<InstallerProgram, Installer>> = {
  pip: 'pip',
  pipx: 'pip',
  uv: 'uv',
  uvx: 'uv',
  poetry: 'poetry',
  pdm: 'pdm',
  pipenv: 'pipenv',
}

/** What stands behind the first word that is no option is another command, or its arguments. */
const runners: Readonly<Record<InstallerProgram, readonly string[]>> = {
  pip: [],
  pipx: ['run'],
  uv: ['run', 'tool run'],
  uvx: [''],
  poetry: ['run'],
  pdm: ['run'],
  pipenv: ['run'],
}

/** Whose other words are packages. */
const takers: Readonly<Record<InstallerProgram, readonly string[]>> = {
  pip: ['install', 'download', 'wheel', 'lock'],
  pipx: ['install', 'inject', 'upgrade', 'install-all', 'reinstall'],
  uv: ['pip install', 'add', 'tool install', 'tool upgrade'],
  uvx: [],
  poetry: ['add', 'self add'],
  pdm: ['add', 'self add', 'plugin add'],
  pipenv: ['install', 'upgrade', 'update'],
}

/** They fetch nothing, and a value of theirs may look like an address. */
const idle: ReadonlySet<string> = new Set([
  'cache',
  'check',
  'completion',
  'config',
  'debug',
  'freeze',
  'hash',
  'help',
  'inspect',
  'list',
  'publish',
  'remove',
  'search',
  'show',
  'source',
  'uninstall',
])

function readStarted({ program, args }: StartedProgram, depth: number): InnerCommand {
  const installer = installers[program]
  const { options, verb, rest } = splitCommand(program, args)
  const found: Found = { references: [], includes: [] }
  if (idle.has(verb)) return { installer, ...found }
  const place: Place = { installer, line: 0, name: '' }
  for (const option of options) readOption(option, place, found)
  const isRunner = runners[program].includes(verb)
  if (isRunner && isCommand(program, verb)) {
    return join(found, { program, inner: depth < maxDepth ? readCommandLine(rest, depth + 1) : {} })
  }
  const targets = isRunner ? rest.slice(0, 1) : takers[program].includes(verb) ? rest : []
  found.references.push(...targets.flatMap((word) => listTargets(word, place)))
  return { installer, ...found }
}

/** Or the package in which a program is. */
function isCommand(program: InstallerProgram, verb: string): boolean {
  return verb === 'run' && program !== 'pipx'
}

type InnerCommand = Partial<ReadCommandLine>

function join(
  { references, includes }: Found,
  { program, inner }: { readonly program: InstallerProgram; readonly inner: InnerCommand },
): InnerCommand {
  // uv brings the environment up to date first; the others only start the command.
  const installer = program === 'uv' ? installers.uv : inner.installer
  return {
    ...(installer !== undefined && { installer }),
    ...(inner.forgetful !== undefined && { forgetful: inner.forgetful }),
    references: [...references, ...(inner.references ?? [])],
    includes: [...includes, ...(inner.includes ?? [])],
  }
}

interface SplitCommand {
  readonly options: readonly GivenOption[]
  /** `install`, `pip install`; empty: there is none, or it is not known. */
  readonly verb: string
  /** Packages, or the command that is run. */
  readonly rest: readonly string[]
}

/** Words of these programs that another one follows. */
const groups: ReadonlySet<string> = new Set(['pip', 'tool', 'self', 'plugin'])

function splitCommand(program: InstallerProgram, args: readonly string[]): SplitCommand {
  const table = commandTables[program]
  const before = readOptionWords(args, table, () => true)
  if (program === 'uvx') return { ...before, verb: '' }
  const [first = '', ...words] = before.rest
  const isGroup = program !== 'pip' && groups.has(first)
  const between = readOptionWords(words, table, () => isGroup)
  const [second = ''] = between.rest
  const verb = isGroup ? `${first} ${second}` : first
  const behind = isGroup ? between.rest.slice(1) : words
  const isRunner = runners[program].includes(verb)
  const after = readOptionWords(behind, table, () => isRunner)
  const options = [...before.options, ...(isGroup ? between.options : []), ...after.options]
  return { options, verb, rest: after.rest }
}

function readOption(option: GivenOption, place: Place, found: Found): void {
  const { name, kind, value } = option
  if (kind === 'arguments') {
    const given = parseRequirementsFile(value)
    const renamed = given.references.map((one) => ({
      ...one,
      line: 0,
      name: one.name === '' ? name : `${one.name} in ${name}`,
      installer: place.installer,
    }))
    found.references.push(...renamed)
    found.includes.push(...given.includes.map(({ path }) => ({ line: 0, path })))
    return
  }
  if (place.installer !== 'uv') {
    // pipenv: the name of an index that stands in the Pipfile.
    const isName = place.installer === 'pipenv' && kind === 'index' && !value.includes('://')
    if (!isName) addOption(option, place, found)
    return
  }
  for (const one of splitUvValue(option)) addOption(one, place, found)
}

/** uv: an index may have a name in front, and lists are separated by commas, or by spaces. */
function splitUvValue(option: GivenOption): GivenOption[] {
  const { name, kind, value } = option
  if (name === '--torch-backend') return [{ name, kind, value: torchIndex }]
  if (kind === 'index' || kind === 'extra-index' || kind === 'find-links') {
    return value
      .split(kind === 'find-links' ? /[\s,]+/ : /\s+/)
      .filter((one) => one !== '')
      .map((one) => ({ name, kind, value: one.replace(/^[\w.-]+=(?=[a-z]+:\/\/)/i, '') }))
  }
  const isList = kind === 'requirement' || kind === 'include' || kind === 'editable'
  return isList ? value.split(',').map((one) => ({ name, kind, value: one })) : [option]
}
