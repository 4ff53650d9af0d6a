/** A real pip in a virtual environment of its own, with the machine's pip settings off. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanEnvironment, runCommand, type Finished } from './program.ts'
import { sharedFolder } from './shared-folder.ts'

export const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0

export function warnWithoutPip(): void {
  if (hasPip) return
  process.stderr.write(
    '\n!!! python3 -m pip is not there: THE END-TO-END TESTS WITH REAL PIP ARE NOT RUN !!!\n\n',
  )
}

export interface PipEnvironment {
  readonly python: string
  pip(...args: readonly string[]): Promise<Finished>
  /** Python itself, with these arguments. */
  run(...args: readonly string[]): Promise<Finished>
}

/** Path of the wheel of another pip to test with; default: the one that Python brings along. */
const pipWheel = process.env['TUFGATE_TEST_PIP_WHEEL']

/** Creates the virtual environment in `folder`; pip caches nothing and asks nobody for updates. */
export async function createPipEnvironment(folder: string): Promise<PipEnvironment> {
  const prepared = await findPrepared()
  if (prepared === undefined) await makeWithPip(folder)
  else await copyPip(prepared, folder)
  const python = join(folder, 'bin', 'python')
  const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null', HOME: folder })
  const run: PipEnvironment['run'] = (...args) => runCommand(python, args, { env })
  return { python, run, pip: (...args) => run('-m', 'pip', ...settings, ...args) }
}

const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check']

/** The slow way: pip is unpacked and compiled for seconds. */
async function makeWithPip(folder: string): Promise<void> {
  await requireDone('python3', '-m', 'venv', folder)
  if (pipWheel === undefined) return
  const python = join(folder, 'bin', 'python')
  await requireDone(python, '-m', 'pip', ...settings, 'install', '--no-index', pipWheel)
}

/** One for all test files of a run: whoever needs it first makes it. `undefined` outside of a run. */
async function findPrepared(): Promise<string | undefined> {
  const shared = process.env[sharedFolder]
  if (shared === undefined) return undefined
  const prepared = join(shared, 'pip')
  if (existsSync(prepared)) return prepared
  const made = await mkdtemp(join(shared, 'making-'))
  await makeWithPip(made)
  // Another one may have been faster: it is as good.
  await rename(made, prepared).catch((error: unknown) => {
    if (!existsSync(prepared)) throw error
  })
  return prepared
}

async function copyPip(prepared: string, folder: string): Promise<void> {
  await requireDone('python3', '-m', 'venv', '--without-pip', folder)
  const [version = ''] = await readdir(join(prepared, 'lib'))
  const packages = join('lib', version, 'site-packages')
  // Links to the same files: pip replaces files and writes into none.
  await requireDone('cp', '-al', `${join(prepared, packages)}/.`, join(folder, packages))
  const bin = await readdir(join(prepared, 'bin'))
  for (const name of bin.filter((one) => one.startsWith('pip'))) {
    const script = await readFile(join(prepared, 'bin', name), 'utf8')
    const own = script.replace(/^#!.*/, () => `#!${join(folder, 'bin', 'python3')}`)
    await writeFile(join(folder, 'bin', name), own, { mode: 0o755 })
  }
}

async function requireDone(command: string, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runCommand(command, args, {
    env: cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null' }),
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}${stdout}`)
}
