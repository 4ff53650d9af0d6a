/** What is installed here: Pythons with their prefixes, installers on the search path, their caches. */

import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { Environment } from '../../base/environment.ts'
import type { CacheFacts } from '../../doctor/judge-state.ts'
import type { Installer } from '../../installers/reference.ts'

export interface FoundPython {
  readonly path: string
  /** `sys.prefix`; `undefined` where it could not be asked. */
  readonly prefix: string | undefined
}

const pythonNames = ['python3', 'python']
const maxPythons = 12
const askTimeoutMs = 5000

/** Those of the search path are asked, those of the project's own environments only looked at. */
export async function findPythons(
  folder: string,
  environment: Environment,
): Promise<FoundPython[]> {
  const onPath = pythonNames.flatMap((name) => findAll(name, environment))
  const asked = [...new Set(onPath)].slice(0, maxPythons)
  const found = await Promise.all(
    asked.map(async (path) => ({
      path,
      prefix: findEnvironment(path) ?? (await askPrefix(path, environment)),
    })),
  )
  const environments = [environment['VIRTUAL_ENV'], join(folder, '.venv'), join(folder, 'venv')]
    .flatMap((prefix) => (prefix === undefined ? [] : [prefix]))
    .filter((prefix) => existsSync(join(prefix, 'pyvenv.cfg')))
    .map((prefix) => ({ path: join(prefix, 'bin/python'), prefix }))
  const byPrefix = new Map<string, FoundPython>()
  for (const python of [...found, ...environments]) {
    const key = python.prefix === undefined ? python.path : findRealPath(python.prefix)
    if (!byPrefix.has(key)) byPrefix.set(key, python)
  }
  return [...byPrefix.values()]
}

/** Where `pyvenv.cfg` stands above it, that is its prefix: what is in there need not be run. */
function findEnvironment(path: string): string | undefined {
  const prefix = dirname(dirname(path))
  return existsSync(join(prefix, 'pyvenv.cfg')) ? prefix : undefined
}

/** Isolated and without site packages: nothing of the project or the user is run. */
function askPrefix(path: string, environment: Environment): Promise<string | undefined> {
  const env = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('PYTHON')),
  )
  return new Promise((resolve) => {
    execFile(
      path,
      ['-I', '-S', '-B', '-c', 'import sys; print(sys.prefix)'],
      { env, timeout: askTimeoutMs, killSignal: 'SIGKILL', maxBuffer: 64_000, cwd: '/' },
      (error, stdout) => {
        const [line = ''] = stdout.split('\n')
        resolve(error === null && isAbsolute(line) ? line : undefined)
      },
    )
  })
}

function findRealPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Asked for as a key alone: the path itself will do.
    return path
  }
}

const commands: ReadonlyMap<Installer, readonly string[]> = new Map([
  ['pip', ['pip', 'pip3']],
  ['uv', ['uv']],
  ['poetry', ['poetry']],
  ['pdm', ['pdm']],
  ['pipenv', ['pipenv']],
])

export function findInstallers(
  pythons: readonly FoundPython[],
  environment: Environment,
): Installer[] {
  const found = [...commands].filter(([, names]) =>
    names.some((name) => findAll(name, environment).length > 0),
  )
  const installers = found.map(([installer]) => installer)
  // `python3 -m pip`
  return pythons.length > 0 && !installers.includes('pip') ? ['pip', ...installers] : installers
}

function findAll(name: string, environment: Environment): string[] {
  return (environment['PATH'] ?? '')
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .filter(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not for us.
    return false
  }
}

export interface CacheOptions {
  readonly environment: Environment
  /** Installers that would look into their caches for the old addresses. */
  readonly lookingBack: ReadonlySet<Installer>
}

interface CachePlace {
  readonly installer: Installer
  readonly path: string
  /** Below it, by a pattern for each name: there are files of another index in these. */
  readonly signs: readonly (readonly RegExp[])[]
  readonly clear: string
}

export function findCaches({ environment, lookingBack }: CacheOptions): CacheFacts[] {
  return listCachePlaces(environment)
    .filter(({ path, signs }) => signs.some((names) => hasFiles(path, names)))
    .map(({ installer, path, clear }) => ({
      installer,
      path,
      clear,
      use: lookingBack.has(installer) ? 'now' : 'elsewhere',
    }))
}

function listCachePlaces(environment: Environment): CachePlace[] {
  const home = environment['HOME'] ?? homedir()
  const cache = environment['XDG_CACHE_HOME'] || join(home, '.cache')
  return [
    {
      installer: 'pip',
      path: environment['PIP_CACHE_DIR'] || join(cache, 'pip'),
      // Plain http is never kept there, which is what the proxy speaks.
      signs: [[/^http(?:-v2)?$/, /./]],
      clear: 'pip cache purge',
    },
    {
      installer: 'uv',
      path: environment['UV_CACHE_DIR'] || join(cache, 'uv'),
      signs: [[/^(?:wheels|simple|built-wheels|sdists)-v/, /^pypi$/, /./]],
      clear: 'uv cache clean',
    },
    {
      installer: 'poetry',
      path: environment['POETRY_CACHE_DIR'] || join(cache, 'pypoetry'),
      signs: [[/^cache$/, /^repositories$/, /^(?:PyPI|pypi|_default_cache)$/, /./]],
      clear: 'poetry cache clear --all --no-interaction PyPI',
    },
    {
      installer: 'pdm',
      path: environment['PDM_CACHE_DIR'] || join(cache, 'pdm'),
      signs: [[/^(?:metadata|wheels|http|packages)$/, /./]],
      clear: 'pdm cache clear',
    },
  ]
}

function hasFiles(folder: string, [name, ...rest]: readonly RegExp[]): boolean {
  if (name === undefined) return true
  return listNames(folder)
    .filter((one) => name.test(one))
    .some((one) => hasFiles(join(folder, one), rest))
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // Absent, or not for us: then it is not for the installer either.
    return []
  }
}
