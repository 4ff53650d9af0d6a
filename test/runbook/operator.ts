/**
 * The operator of the runbook: a shell in folders of his own. Paths of the page (`/srv`, `/media`,
 * `~`) and its index are replaced by those of the test; the commands are run as they are written.
 */

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanEnvironment, type Finished, main, runCommand } from '../support/program.ts'

export class Operator {
  readonly folder: string
  #index = ''

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Operator> {
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-runbook-'))
    for (const name of ['srv', 'media', 'home', 'bin', 'backup']) await mkdir(join(folder, name))
    const program = join(folder, 'bin', 'tufgate')
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    await chmod(program, 0o755)
    await writeFile(join(folder, 'passphrase'), 'correct horse\n', { mode: 0o600 })
    return new Operator(folder)
  }

  /** What stands for PyPI. */
  useIndex(url: string): void {
    this.#index = url
  }

  /** A path of the page, as it is here. */
  resolve(path: string): string {
    return path.startsWith('~/')
      ? join(this.folder, 'home', path.slice(2))
      : join(this.folder, path)
  }

  run(commands: string): Promise<Finished> {
    const text = commands
      .replaceAll(/(?<![\w./~-])\/(?=(?:srv|media|backup)\b)/g, `${this.folder}/`)
      .replaceAll('https://pypi.org/simple/', this.#index)
      // People are asked on a terminal, which there is none of.
      .replaceAll(/(?<=root sign .*)$/gm, ' --yes')
    const home = join(this.folder, 'home')
    const path = `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`
    return runCommand('bash', ['-euo', 'pipefail', '-c', text], {
      cwd: home,
      env: cleanEnvironment({
        HOME: home,
        PATH: path,
        TUFGATE_PASSPHRASE_FILE: join(this.folder, 'passphrase'),
      }),
    })
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}
