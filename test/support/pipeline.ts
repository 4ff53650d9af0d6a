/**
 * A step of a pipeline: lines of a shell, with `tufgate` (and `npx tufgate`) from this checkout, a clean
 * environment and a state of its own. What is left in the background ends with it.
 */

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quoteShell } from '../../src/base/quote-shell.ts'
import { cleanEnvironment, type Finished, main, runCommand } from './program.ts'

export interface PipelineOptions {
  /** Before all others in PATH: `bin` of a virtual environment. */
  readonly bin?: string
  readonly environment?: Readonly<Record<string, string>>
}

export class Pipeline {
  readonly folder: string
  /** For `--state-dir`; the default of the program too. */
  readonly state: string
  readonly #environment: NodeJS.ProcessEnv

  /** @param folder is made; the steps run in it */
  constructor(folder: string, { bin, environment = {} }: PipelineOptions = {}) {
    this.folder = folder
    this.state = join(folder, 'xdg', 'tufgate')
    const shims = join(folder, 'shims')
    mkdirSync(shims, { recursive: true })
    writeShim(
      join(shims, 'tufgate'),
      `exec ${quoteShell(process.execPath)} ${quoteShell(main)} "$@"`,
    )
    writeShim(join(shims, 'npx'), '[ "$1" = tufgate ] || exit 97\nshift\nexec tufgate "$@"')
    // It is there already.
    writeShim(join(shims, 'npm'), '[ "$1" = install ] || exit 97')
    const path = [shims, ...(bin === undefined ? [] : [bin]), process.env['PATH'] ?? '']
    this.#environment = cleanEnvironment({
      PATH: path.join(delimiter),
      HOME: folder,
      XDG_STATE_HOME: join(folder, 'xdg'),
      PIP_CONFIG_FILE: '/dev/null',
      PIP_NO_CACHE_DIR: '1',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PIP_NO_INPUT: '1',
      ...environment,
    })
    for (const name of ['GITHUB_ENV', 'GITHUB_STEP_SUMMARY', 'GITHUB_ACTIONS', 'CI']) {
      if (environment[name] === undefined) delete this.#environment[name]
    }
  }

  /** As GitHub Actions runs a step: it ends at the first line that fails. */
  step(script: string, environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return runCommand('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: this.folder,
      env: { ...this.#environment, ...environment },
    })
  }

  /** Of the sidecars that are there. */
  pids(): number[] {
    return this.#sidecars().map(({ owner }) => Number(owner.split('.')[0]))
  }

  /** Kills what is left, without a question. */
  close(): void {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
    }
  }

  #sidecars(): { readonly owner: string }[] {
    const home = join(this.state, 'sidecars')
    try {
      return readdirSync(home).flatMap((name) => readSidecar(join(home, name, 'sidecar.json')))
    } catch {
      return []
    }
  }
}

function readSidecar(path: string): { readonly owner: string }[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as { owner: string }]
  } catch {
    return []
  }
}

function writeShim(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}
