/** Where the Pythons of one command are installed, as far as can be seen: pip reads a pip.conf from there. */

import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Environment } from '../../base/environment.ts'

export interface PythonContext {
  readonly environment: Environment
  /** The current one. */
  readonly folder: string
  /** As it was given: `.venv/bin/pip`, `make`. */
  readonly command?: string
}

/** `sys.prefix` of each; an environment of its own does not need to be activated. */
export function findPythonPrefixes({ environment, folder, command = '' }: PythonContext): string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX, PATH = '' } = environment
  const programs = ['python3', 'python'].map((name) => findOnPath(name, PATH, folder))
  if (command.includes('/')) programs.push(resolve(folder, command))
  const prefixes = programs.flatMap((path) => (path === undefined ? [] : findPrefix(path)))
  const active = [VIRTUAL_ENV, CONDA_PREFIX].filter((path) => path !== undefined)
  return [...new Set([...prefixes, ...active.filter((path) => path !== '')])]
}

function findOnPath(name: string, path: string, folder: string): string | undefined {
  return path
    .split(':')
    .map((one) => join(resolve(folder, one), name))
    .find((one) => existsSync(one))
}

/** A virtual environment is where its link to Python stands, any other where the link leads to. */
function findPrefix(path: string): string[] {
  const prefix = dirname(dirname(path))
  if (existsSync(join(prefix, 'pyvenv.cfg'))) return [prefix]
  try {
    return [dirname(dirname(realpathSync(path)))]
  } catch {
    // It is not there: the command will not be started.
    return []
  }
}
