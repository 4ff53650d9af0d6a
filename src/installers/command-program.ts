/**
 * Which installer a command line starts, under whatever name and behind what merely starts it: `env`,
 * `nice`, `python -m`, `uv run`. What a shell is given as text is not looked into.
 */

export type InstallerProgram = 'pip' | 'pipx' | 'uv' | 'uvx' | 'poetry' | 'pdm' | 'pipenv'

export interface StartedProgram {
  readonly program: InstallerProgram
  readonly args: readonly string[]
}

export interface StartedCommand {
  readonly started?: StartedProgram
  /** Of `env NAME=VALUE`. */
  readonly variables: readonly (readonly [name: string, value: string])[]
  /** What starts the rest without the variables of whoever calls it: `sudo`, `env -i`. */
  readonly forgetful?: string
}

const programs: ReadonlySet<string> = new Set([
  'pipx',
  'uv',
  'uvx',
  'poetry',
  'pdm',
  'pipenv',
] satisfies InstallerProgram[])

/** They start what stands behind their own options. */
const starters: ReadonlySet<string> = new Set([
  'nohup',
  'time',
  'nice',
  'ionice',
  'setsid',
  'stdbuf',
  'timeout',
  'xargs',
])

const forgetful: ReadonlySet<string> = new Set([
  'sudo',
  'doas',
  'su',
  'runuser',
  'docker',
  'podman',
  'ssh',
])

/** Of `env`, with a value behind them. */
const environmentValues: ReadonlySet<string> = new Set(['-u', '-C', '-S', '--unset', '--chdir'])

/** `nice env timeout ...`: nobody means more of them. */
const maxDepth = 8

export function findStartedCommand(commandLine: readonly string[], depth = 0): StartedCommand {
  if (depth > maxDepth) return { variables: [] }
  const [command = '', ...args] = commandLine
  const name = baseName(command)
  if (forgetful.has(name)) return { variables: [], forgetful: name }
  if (name === 'env') return readEnvironmentCommand(args, depth)
  if (starters.has(name)) {
    // Its own options may have values: the first word that is a program is one.
    const at = args.findIndex((word) => isKnown(baseName(word)))
    return at < 0 ? { variables: [] } : findStartedCommand(args.slice(at), depth + 1)
  }
  const started = findProgram(name, args)
  return { variables: [], ...(started && { started }) }
}

function readEnvironmentCommand(args: readonly string[], depth: number): StartedCommand {
  let at = 0
  let isForgetful = false
  const variables: (readonly [string, string])[] = []
  for (; at < args.length; at += 1) {
    const word = args[at] ?? ''
    const [, name, value] = /^([^=-][^=]*)=(.*)$/s.exec(word) ?? []
    if (name !== undefined && value !== undefined) variables.push([name, value])
    else if (!word.startsWith('-')) break
    if (isForgetting(word, args[at + 1])) isForgetful = true
    if (environmentValues.has(word)) at += 1
  }
  const { variables: inner, ...rest } = findStartedCommand(args.slice(at), depth + 1)
  return {
    ...rest,
    ...(isForgetful && { forgetful: 'env' }),
    variables: [...variables, ...inner],
  }
}

/** All variables, or one by which an installer finds the proxy. */
function isForgetting(word: string, next = ''): boolean {
  if (word === '-' || /^--i(?!gnore-s)/.test(word) || /^-[0v]*i/.test(word)) return true
  const [, glued] = /^(?:-u|--unset=)(.+)$/.exec(word) ?? []
  const unset = glued ?? (word === '-u' || word === '--unset' ? next : '')
  return /^(?:PIP|UV|PDM|PIPENV|POETRY)_|^https?_proxy$/i.test(unset)
}

function isKnown(name: string): boolean {
  return (
    programs.has(name) ||
    starters.has(name) ||
    forgetful.has(name) ||
    name === 'env' ||
    pythonName.test(name) ||
    pipName.test(name)
  )
}

const pythonName = /^(?:python|pypy)[\d.]*t?$|^py$/
const pipName = /^pip[\d.]*(?:\.pyz)?$/

function findProgram(name: string, args: readonly string[]): StartedProgram | undefined {
  if (pipName.test(name)) return { program: 'pip', args }
  if (isInstaller(name)) return { program: name, args }
  return pythonName.test(name) ? findModule(args) : undefined
}

function isInstaller(name: string): name is InstallerProgram {
  return programs.has(name)
}

/** Of Python, with a value behind them. */
const pythonValues: ReadonlySet<string> = new Set(['-W', '-X', '--check-hash-based-pycs'])

/** `-m pip`, `-I -mpip`, or a script with such a name. */
function findModule(args: readonly string[]): StartedProgram | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? ''
    const [, glued] = /^-[bBdEhiIOPqRsSuvVx]*m(.*)$/.exec(word) ?? []
    if (glued !== undefined) {
      const name = glued === '' ? args[at + 1] : glued
      return findNamed(name ?? '', args.slice(glued === '' ? at + 2 : at + 1))
    }
    if (!word.startsWith('-')) return findNamed(baseName(word), args.slice(at + 1))
    if (/^-[a-zA-Z]*c/.test(word)) return undefined
    if (pythonValues.has(word)) at += 1
  }
  return undefined
}

function findNamed(name: string, args: readonly string[]): StartedProgram | undefined {
  return pythonName.test(name) ? undefined : findProgram(name, args)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
