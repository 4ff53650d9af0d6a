/** A machine of its own for the doctor: a home, a project, an index that may lie, and no Python. */

import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { examine, type Examination } from '../../src/cli/doctor/doctor-examination.ts'
import { parseSettings } from '../../src/cli/settings.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { sha256 } from '../support/build-wheel.ts'

export class Machine {
  readonly folder: string
  /** TOML of the settings file; the port is one that nobody listens on. */
  settings = ''
  environment: Record<string, string>

  private constructor(folder: string) {
    this.folder = folder
    this.environment = {
      HOME: join(folder, 'home'),
      PATH: join(folder, 'bin'),
      // What this machine itself has in /etc is not the test's business.
      XDG_CONFIG_DIRS: join(folder, 'etc'),
      PIP_CONFIG_FILE: '/dev/null',
    }
  }

  static async create(): Promise<Machine> {
    const machine = new Machine(await mkdtemp(join(tmpdir(), 'tufgate-doctor-')))
    for (const name of ['home', 'project', 'bin', 'etc']) await mkdir(machine.path(name))
    return machine
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names)
  }

  get project(): string {
    return this.path('project')
  }

  get state(): string {
    return this.path('state')
  }

  /** Below the folder of the machine. Gives the whole path. */
  async write(name: string, content: string | readonly string[], mode = 0o600): Promise<string> {
    const path = this.path(name)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, typeof content === 'string' ? content : content.join('\n'))
    await chmod(path, mode)
    return path
  }

  async examine(options: Partial<Examination> = {}): Promise<readonly Finding[]> {
    const { findings } = await examine({
      folder: this.project,
      settings: parseSettings(this.settings, 'tufgate.toml'),
      stateHome: this.state,
      environment: this.environment,
      isOnline: false,
      now: Date.now(),
      ...options,
    })
    return findings
  }

  /** Those of one place, as `code:line`. */
  async codesAt(place: string, options: Partial<Examination> = {}): Promise<string[]> {
    const found = await this.examine(options)
    return found
      .filter((finding) => finding.place === place)
      .map(({ code, line }) => (line === undefined ? code : `${code}:${line}`))
  }

  /** Every file and folder with its mode, its time and what it holds. */
  describe(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((name) => {
        const path = this.path(name)
        const stats = lstatSync(path)
        const content =
          stats.isFile() && (stats.mode & 0o400) !== 0 ? sha256(readFileSync(path)) : ''
        return `${name} ${stats.mode.toString(8)} ${stats.mtimeMs} ${stats.size} ${content}`
      })
  }

  has(name: string): boolean {
    return existsSync(this.path(name))
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}
