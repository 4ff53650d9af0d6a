/**
 * Settings files for the installers of one command, in a folder that nobody else can read, made of the
 * files that the user has. Those are read, and never written.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isMalformed } from '../../base/decode.ts'
import type { Environment } from '../../base/environment.ts'
import { ConfigError, describeError } from '../../base/errors.ts'
import type { ProxyAccess } from '../../installers/child-environment.ts'
import { buildOwnPipConf, type PipText } from '../../installers/own-pip-conf.ts'
import { buildOwnPdmToml, buildOwnUvToml, type OwnToml } from '../../installers/own-toml.ts'
import type { LeftOut } from '../../installers/past-proxy.ts'
import { listPipFiles } from '../../installers/pip-files.ts'
import { findPythonPrefixes, type PythonContext } from './python-prefixes.ts'

const maxFileBytes = 10_000_000

export interface OwnSettings {
  readonly folder: string
  readonly access: ProxyAccess
  readonly leftOut: readonly LeftOut[]
  /** Sentences about files that could not be used. */
  readonly problems: readonly string[]
  remove(): void
}

export interface SettingsContext extends PythonContext {
  readonly indexUrl: string
  /** A folder that nobody else can read and that is kept. Default: one of its own. */
  readonly into?: string
}

/** Throws where the temporary folder cannot be written. */
export function writeOwnSettings(context: SettingsContext): OwnSettings {
  const own = context.into ?? mkdtempSync(join(tmpdir(), 'tufgate-run-'))
  const remove = (): void => {
    if (context.into === undefined) rmSync(own, { recursive: true, force: true })
  }
  try {
    const access = {
      indexUrl: context.indexUrl,
      pipConf: join(own, 'pip.conf'),
      uvToml: join(own, 'uv.toml'),
      pdmToml: join(own, 'pdm.toml'),
    }
    const pip = buildOwnPipConf(readPipFiles(context), context.indexUrl)
    const uv = buildToml(listUvFiles(context), buildOwnUvToml)
    const pdm = buildToml([findPdmFile(context)], ([file]) => buildOwnPdmToml(file?.text ?? ''))
    write(access.pipConf, pip.text)
    write(access.uvToml, uv.text)
    write(access.pdmToml, pdm.text)
    const unreadable = pip.unreadable.map(({ path, problem }) => describeUnusable(path, problem))
    const leftOut = [...pip.leftOut, ...uv.leftOut, ...pdm.leftOut]
    const problems = [...unreadable, ...uv.problems, ...pdm.problems]
    return { folder: own, access, leftOut, problems, remove }
  } catch (error) {
    remove()
    throw error
  }
}

function readPipFiles(context: SettingsContext): PipText[] {
  const { environment } = context
  const home = findHome(environment)
  const prefixes = findPythonPrefixes(context)
  const list = (from: Environment): ReturnType<typeof listPipFiles> =>
    listPipFiles({
      environment: from,
      home,
      prefixes,
      platform: process.platform,
      isThere: existsSync,
    })
  const files = list(environment)
  // With PIP_CONFIG_FILE=/dev/null pip would read none; with one of ours it reads those of the machine.
  const isOff = environment['PIP_CONFIG_FILE'] === '/dev/null'
  const read = isOff ? list({ ...environment, PIP_CONFIG_FILE: undefined }) : files
  return read
    .filter(({ kind }) => !(isOff && kind === 'user'))
    .flatMap((file) => {
      const text = readText(file.path)
      return text === undefined ? [] : [{ ...file, text, isUnwanted: isOff }]
    })
}

interface TomlFile {
  readonly path: string
  readonly text: string
  readonly isProject: boolean
}

interface BuiltToml {
  readonly text: string
  readonly leftOut: readonly LeftOut[]
  readonly problems: readonly string[]
}

function buildToml(
  files: readonly (TomlFile | undefined)[],
  build: (files: readonly TomlFile[]) => OwnToml,
): BuiltToml {
  const problems: string[] = []
  const leftOut: LeftOut[] = []
  const good = files.filter((file) => {
    if (file === undefined) return false
    try {
      // One by one: each setting is told of with its file, and a broken file does not take the others along.
      leftOut.push(...build([file]).leftOut.map((name) => ({ name, place: file.path })))
      return true
    } catch (error) {
      if (!isMalformed(error)) throw error
      problems.push(describeUnusable(file.path, describeError(error)))
      return false
    }
  })
  return { text: build(good.filter((file) => file !== undefined)).text, leftOut, problems }
}

/** The project's, the user's, the machine's: of each kind the nearest. */
function listUvFiles({ environment, folder }: SettingsContext): (TomlFile | undefined)[] {
  const named = environment['UV_CONFIG_FILE']
  if (isText(named)) return [readToml(resolve(folder, named))]
  if (isOn(environment['UV_NO_CONFIG'])) return []
  const machine = (environment['XDG_CONFIG_DIRS'] ?? '/etc/xdg').split(':').filter(isText)
  return [
    findProjectUv(folder),
    readToml(join(findConfigHome(environment), 'uv', 'uv.toml')),
    [...machine.map((one) => join(one, 'uv', 'uv.toml')), '/etc/uv/uv.toml']
      .map((path) => readToml(path))
      .find((file) => file !== undefined),
  ]
}

function findProjectUv(folder: string): TomlFile | undefined {
  const own = readToml(join(folder, 'uv.toml'))
  if (own !== undefined) return own
  const project = readToml(join(folder, 'pyproject.toml'))
  if (project !== undefined && /^\s*\[+\s*tool\s*\.\s*uv\b/m.test(project.text)) {
    return { ...project, isProject: true }
  }
  const above = dirname(folder)
  return above === folder ? undefined : findProjectUv(above)
}

function findPdmFile({ environment, folder }: SettingsContext): TomlFile | undefined {
  const named = environment['PDM_CONFIG_FILE']
  if (isText(named)) return readToml(resolve(folder, named))
  return readToml(join(findConfigHome(environment), 'pdm', 'config.toml'))
}

function readToml(path: string): TomlFile | undefined {
  const text = readText(path)
  return text === undefined ? undefined : { path, text, isProject: false }
}

/** `undefined` for what is not there, or not to be read: the installer could not read it either. */
function readText(path: string): string | undefined {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) return undefined
    if (stats.size <= maxFileBytes) return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  // The installer would read it, and go where it says.
  throw new ConfigError('CONFIG_INVALID', `${path} is too large for a file of settings.`, {
    expected: `at most ${maxFileBytes} bytes`,
    next: 'Make it smaller, or move it away.',
  })
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
}

function describeUnusable(path: string, problem: string): string {
  return `nothing of ${path} is used: ${problem}`
}

function findHome(environment: Environment): string {
  const { HOME } = environment
  return isText(HOME) ? HOME : homedir()
}

function findConfigHome(environment: Environment): string {
  const given = environment['XDG_CONFIG_HOME']
  return isText(given) ? given : join(findHome(environment), '.config')
}

function isText(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}

function isOn(value: string | undefined): boolean {
  return isText(value) && !/^(?:0|false|no|off|n|f)$/i.test(value)
}
