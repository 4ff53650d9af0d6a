/**
 * What a user does with an installer, in the words that all of them share, and a machine for it on which
 * nobody ever set anything up.
 */

import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { cleanEnvironment, runCommand, type Finished } from '../../support/program.ts'
import type { ClientTrial } from './client-trial.ts'

export interface Client {
  /** With its version, where there are several. */
  readonly name: string
  readonly isPresent: boolean
  /** What it says where no version may be shown: of a whole project, and of a version of another. */
  readonly saysOfHidden: RegExp
  readonly saysOfHiddenVersion: RegExp
  /** Where a file of the lock file is refused. */
  readonly saysOfRefusedSync: RegExp
  /** A new project with an empty environment. */
  open(machine: Machine, requirements: readonly string[]): Promise<ClientProject>
}

export interface ClientProject {
  readonly machine: Machine
  /** Changes what the project wants. */
  require(requirements: readonly string[]): Promise<void>
  /** Without a lock file before. */
  install(): Promise<Finished>
  /** Chooses versions, and installs nothing. */
  lock(): Promise<Finished>
  /** Exactly what the lock file says. */
  sync(): Promise<Finished>
  /** To the newest versions that are wanted. */
  upgrade(): Promise<Finished>
  readLock(): Promise<string>
  writeLock(text: string): Promise<void>
}

/** A home, a project folder and a virtual environment; how commands are run in them. */
export interface Machine {
  readonly indexUrl: string
  readonly folder: string
  readonly venv: string
  readonly python: string
  run(
    command: string,
    args: readonly string[],
    extra?: Readonly<Record<string, string>>,
  ): Promise<Finished>
}

/** Put before every command, such as one that records what it does. */
export type Wrapper = readonly string[]

export async function makeMachine(
  trial: Pick<ClientTrial, 'folder' | 'indexUrl'>,
  name: string,
  wrapper: Wrapper = [],
): Promise<Machine> {
  const home = join(trial.folder, 'homes', name)
  const folder = join(home, 'project')
  const venv = join(home, 'venv')
  await mkdir(folder, { recursive: true })
  const env = cleanEnvironment({
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local/share'),
    TMPDIR: home,
    PIP_CONFIG_FILE: '/dev/null',
    LANG: 'C.UTF-8',
    COLUMNS: '500',
    VIRTUAL_ENV: venv,
    PATH: `${join(venv, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  })
  const made = await runCommand('python3', ['-m', 'venv', '--without-pip', venv])
  if (made.code !== 0) throw new Error(`python3 -m venv: ${made.stderr}${made.stdout}`)
  return {
    indexUrl: trial.indexUrl,
    folder,
    venv,
    python: join(venv, 'bin/python'),
    run: (command, args, extra = {}) => {
      const [first = '', ...rest] = [...wrapper, command, ...args]
      return runCommand(first, rest, { cwd: folder, env: { ...env, ...extra } })
    },
  }
}

/** `name version`, as pip freeze would say it. */
export async function listInstalled({ venv }: Machine): Promise<string[]> {
  const entries = await readdir(join(venv, 'lib'), { recursive: true })
  return entries
    .flatMap((entry) => /([^/]+)-([^/-]+)\.dist-info$/.exec(entry)?.slice(1, 3).join(' ') ?? [])
    .filter((installed) => installed.startsWith('client'))
    .map((installed) => installed.replaceAll('_', '-'))
    .toSorted()
}

/** The files below a folder in which a text stands: caches, environments and what was left behind. */
export async function findText(folder: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name)
    if ((await stat(path).catch(() => undefined))?.isFile() !== true) continue
    if ((await readFile(path)).includes(text)) found.push(path)
  }
  return found
}

/** With what it said where it failed. */
export function expectDone({ code, stdout, stderr }: Finished): void {
  if (code !== 0) throw new Error(stdout + stderr)
}

export function isRunnable(command: string, args: readonly string[] = ['--version']): boolean {
  return spawnSync(command, args, { env: cleanEnvironment() }).status === 0
}

/** What all say that show what the proxy answers. */
export const refusedVictim = /403 Client Error: Refused by tufgate: sha256 of client_victim/

const isRequired = (process.env['TUFGATE_REQUIRE_CLIENTS'] ?? '') !== ''

/** Whether a test runs: without what it needs it is skipped loudly, or fails where that was asked for. */
export function isTestable(name: string, isPresent: boolean): boolean {
  if (isPresent) return true
  if (isRequired) throw new Error(`${name} is not there, and TUFGATE_REQUIRE_CLIENTS is set`)
  process.stderr.write(`\n!!! ${name} is not there: ITS END-TO-END TESTS ARE NOT RUN !!!\n\n`)
  return false
}
