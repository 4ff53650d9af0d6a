/** Somebody installs with pip, for a while at most; then his environment is looked at. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, type Finished } from '../../test/support/program.ts'
import type { Observed, Scene } from './attack.ts'
import { evilFile, evilMark } from './genuine.ts'
import { startPatience } from './patience.ts'
import { createEnvironment, type Environment } from './pip.ts'
import { maxUnverifiedBytes, type World } from './world.ts'

export interface InstallOptions {
  /** Default: `install PROJECT`. */
  readonly args?: readonly string[]
  /** Default: the index, or the proxy, of the world. */
  readonly indexUrl?: string
  /** What runs pip and tells it where the index is: `tufgate run --`. */
  readonly through?: readonly string[]
  /** What tufgate itself says on standard error before pip starts is noted. */
  readonly isRun?: true
  readonly world?: World
  /** Installed before, from files on disk. */
  readonly before?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  /** Then he is no longer watched. Default: 15 s without the proxy, 100 s behind it. */
  readonly patienceMs?: number
  /** Of the process that is pip. */
  readonly onStart?: (pid: number) => void
}

const aloneMs = 15_000
const behindMs = 100_000

export interface Installed {
  readonly name: string
  readonly version: string
  readonly isEvil: boolean
}

export async function install(
  scene: Scene,
  project: string,
  options: InstallOptions = {},
): Promise<Observed> {
  const world = options.world ?? scene.world
  const { args = ['install', project], indexUrl = world.indexUrl } = options
  const environment = await createEnvironment(scene.pip, scene.folder)
  if (options.before !== undefined)
    await runPip(environment, ['install', '--no-index', '--no-deps', ...options.before], behindMs)
  const { through = [], variables = {} } = options
  const isBehind = world.proxy !== undefined || through.length > 0
  const [command = 'install', ...rest] = args
  const { patienceMs = isBehind ? behindMs : aloneMs } = options
  const source = through.length > 0 ? [] : ['--index-url', indexUrl]
  const ran = await runPip(
    { ...environment, variables: { ...environment.variables, ...variables }, through },
    [command, ...source, ...rest],
    patienceMs,
    options.onStart,
  )
  const { folder } = scene
  const observed = await observe({ world, project, ran, patienceMs, folder, environment })
  if (options.isRun !== true) return observed
  return { ...observed, notes: [...listTold(ran), ...observed.notes] }
}

/** What stands before the line that sums up the session. */
function listTold({ stderr }: Ran): string[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('tufgate: '))
  const end = lines.findIndex((line) => /^tufgate: (?:\d+ files?|no file) /.test(line))
  return (end < 0 ? lines : lines.slice(0, end)).map((line) => line.replace('tufgate:', 'run:'))
}

interface Ran extends Finished {
  readonly isCut: boolean
}

const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check', '--no-color']

async function runPip(
  { python, variables, through = [] }: Environment & Pick<InstallOptions, 'through'>,
  args: readonly string[],
  patienceMs: number,
  onStart?: (pid: number) => void,
): Promise<Ran> {
  const [program, ...before] = [...through, python]
  const child = spawn(program, [...before, '-m', 'pip', ...settings, ...args], {
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) onStart?.(child.pid)
  const patience = startPatience(child, patienceMs)
  try {
    const finished = await collect(child)
    return { ...finished, isCut: patience.isOver }
  } finally {
    patience.end()
  }
}

interface Aftermath {
  readonly world: World
  readonly project: string
  readonly ran: Ran
  readonly patienceMs: number
  readonly folder: string
  readonly environment: Environment
}

async function observe({ world, project, ran, ...after }: Aftermath): Promise<Observed> {
  const installed = await listInstalled(after.environment.packages)
  const unverified = world.countUnverified(project)
  const log = await world.readLog(project)
  const codes = log.filter(({ kind }) => kind !== 'page').map(({ code }) => code)
  const harm = findHarm(world, { ...after, ran, installed, unverified })
  return {
    ...(harm !== undefined && { harm }),
    happened: tellWhatHappened(installed, ran, after.patienceMs),
    exitCode: ran.isCut ? null : ran.code,
    line: findLine(ran),
    codes: [...new Set(codes.filter((code) => code !== undefined))],
    notes: unverified > 0 ? [`${unverified} unverified bytes left`] : [],
  }
}

interface Signs extends Omit<Aftermath, 'world' | 'project'> {
  readonly installed: readonly Installed[]
  readonly unverified: number
}

function findHarm(
  world: World,
  { ran, installed, unverified, ...signs }: Signs,
): string | undefined {
  const evil = installed.find(({ isEvil }) => isEvil)
  if (evil !== undefined) return `EVIL ${evil.name} ${evil.version} installed`
  if (existsSync(join(signs.folder, evilFile))) return 'EVIL code ran'
  if (unverified > maxUnverifiedBytes) return `${unverified} unverified bytes left`
  if (ran.isCut) return `still busy after ${signs.patienceMs / 1000} s`
  if (ran.code !== 0) return undefined
  const old = installed.find(({ name, version }) => {
    const newest = world.newestOf(name)
    return newest !== undefined && newest !== version
  })
  return old === undefined ? undefined : `OLD ${old.name} ${old.version} installed`
}

function tellWhatHappened(installed: readonly Installed[], ran: Ran, patienceMs: number): string {
  if (ran.isCut) return `still busy after ${patienceMs / 1000} s`
  if (installed.length === 0) return 'nothing installed'
  const names = installed.map(
    ({ name, version, isEvil }) => `${isEvil ? 'EVIL ' : ''}${name} ${version}`,
  )
  return `${names.join(', ')} installed`
}

/** What stands in the environment, but for pip and what came with it, which are links. */
async function listInstalled(packages: string): Promise<Installed[]> {
  const entries = await readdir(packages, { withFileTypes: true })
  const infos = entries.filter((entry) => entry.isDirectory() && entry.name.endsWith('.dist-info'))
  return Promise.all(
    infos.map(async ({ name: folder }) => {
      const [name = '', version = ''] = folder.slice(0, -'.dist-info'.length).split('-')
      const isEvil = await isEvilPackage(join(packages, name))
      return { name: name.replaceAll('_', '-'), version, isEvil }
    }),
  )
}

async function isEvilPackage(folder: string): Promise<boolean> {
  const module = join(folder, '__init__.py')
  return existsSync(module) && (await readFile(module, 'utf8')).includes(evilMark)
}

/** The error that a person reads first; of a success the last line. */
function findLine({ stdout, stderr, code }: Ran): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim())
  const errors = lines.filter((line) => /^(?:ERROR|error|WARNING: .*tufgate)/.test(line))
  const told = errors.find((line) => line.includes('tufgate')) ?? errors[0]
  const last = lines.findLast((line) => line !== '') ?? ''
  return code === 0
    ? (lines.findLast((line) => line.startsWith('Successfully')) ?? last)
    : (told ?? last)
}
