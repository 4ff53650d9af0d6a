/**
 * Unmodified pips, each unpacked once; and for every run a virtual environment of its own, which is
 * thrown away. Nothing of this machine's pip settings reaches them.
 */

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnvironment, runCommand } from '../../test/support/program.ts'

export interface Pip {
  /** `23.2.1` */
  readonly version: string
  /** A virtual environment that has it, with setuptools, which old source archives need. */
  readonly folder: string
}

/** Unpacks the pip of this machine, or the one of a wheel. */
export async function preparePip(folder: string, wheel?: string): Promise<Pip> {
  await requireDone('python3', '-m', 'venv', folder)
  const python = join(folder, 'bin', 'python')
  const isolated = ['-m', 'pip', '--isolated', '--disable-pip-version-check']
  if (wheel !== undefined) await requireDone(python, ...isolated, 'install', '--no-index', wheel)
  const said = await requireDone(python, ...isolated, '--version')
  return { version: said.split(' ')[1] ?? '?', folder }
}

/** The newest pip that the index of this machine's own settings has; `undefined` where there is none. */
export async function downloadNewestPip(folder: string): Promise<string | undefined> {
  const options = ['--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--quiet']
  const once = ['--retries', '1', '--timeout', '10', '--dest', folder]
  await mkdir(folder, { recursive: true })
  // With the settings of whoever runs this: they say where an index is.
  const args = ['-m', 'pip', 'download', ...options, ...once, 'pip']
  await runCommand('python3', args, { env: process.env })
  const [wheel] = await readdir(folder)
  return wheel === undefined ? undefined : join(folder, wheel)
}

export interface Environment {
  readonly python: string
  /** Where packages are installed. */
  readonly packages: string
  readonly variables: NodeJS.ProcessEnv
}

/** What `python -m venv` would make, without the seconds that it takes. */
export async function createEnvironment(pip: Pip, folder: string): Promise<Environment> {
  const [python = 'python3'] = await readdir(join(pip.folder, 'lib'))
  const prepared = join(pip.folder, 'lib', python, 'site-packages')
  const environment = join(folder, 'venv')
  const packages = join(environment, 'lib', python, 'site-packages')
  const temporary = join(folder, 'tmp')
  for (const path of [packages, join(environment, 'bin'), temporary])
    await mkdir(path, { recursive: true })
  const settings = await readFile(join(pip.folder, 'pyvenv.cfg'))
  await writeFile(join(environment, 'pyvenv.cfg'), settings)
  await symlink(join(pip.folder, 'bin', 'python'), join(environment, 'bin', 'python'))
  for (const name of await readdir(prepared))
    await symlink(join(prepared, name), join(packages, name))
  const variables = cleanEnvironment({
    HOME: folder,
    TMPDIR: temporary,
    PIP_CONFIG_FILE: '/dev/null',
    PYTHONDONTWRITEBYTECODE: '1',
  })
  return { python: join(environment, 'bin', 'python'), packages, variables }
}

async function requireDone(command: string, ...args: readonly string[]): Promise<string> {
  const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null' })
  const { code, stdout, stderr } = await runCommand(command, args, { env })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}
