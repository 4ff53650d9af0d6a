/** A real pip in a virtual environment of its own, with the machine's pip settings off. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { cleanEnvironment, runCommand, type Finished } from './program.ts'

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
  const created = await runCommand('python3', ['-m', 'venv', folder])
  if (created.code !== 0) throw new Error(`python3 -m venv: ${created.stderr}${created.stdout}`)
  const python = join(folder, 'bin', 'python')
  const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null', HOME: folder })
  const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check']
  const run: PipEnvironment['run'] = (...args) => runCommand(python, args, { env })
  const pip: PipEnvironment['pip'] = (...args) => run('-m', 'pip', ...settings, ...args)
  if (pipWheel !== undefined) {
    const replaced = await pip('install', '--no-index', pipWheel)
    if (replaced.code !== 0) throw new Error(`${pipWheel}: ${replaced.stderr}`)
  }
  return { python, pip, run }
}
