/**
 * Where something fails that nobody attacks: a world of its own, the proxy in it, somebody who
 * installs while it fails and again when the cause is gone. Nobody does anything but remove the cause.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { ProxyOptions, TrialFile, TrialProxy } from '../../../test/e2e/trial.ts'
import { toTranscript } from '../../../test/e2e/transcript.ts'
import { collect, spawnProgram, type Finished } from '../../../test/support/program.ts'
import { pathOf, recordAnswer } from '../../../test/support/proxy-witness.ts'
import type { Observed, Scene } from '../attack.ts'
import { findDamage } from '../health.ts'
import { buildReleases } from '../index-attack.ts'
import { install, type InstallOptions } from '../install.ts'
import { waitUntil } from '../wait-until.ts'
import { World } from '../world.ts'

export const project = 'foo-f'
const recoveryMs = 60_000

/** What somebody was told: by pip, by the proxy's answer, or by its standard error. */
export interface Told {
  readonly line: string
  /** What he is to do. */
  readonly next: string
}

interface Answer extends Told {
  readonly status: number
  /** What an honest index has. */
  readonly isGenuine: boolean
}

export const nothingSaid: Told = { line: '', next: '' }

export class Place {
  readonly world: World
  readonly files: readonly TrialFile[]
  readonly #scene: Scene
  #installs = 0

  private constructor(scene: Scene, world: World, files: readonly TrialFile[]) {
    this.#scene = scene
    this.world = world
    this.files = files
  }

  /** The mirror has seen the project; nothing runs yet. */
  static async open(scene: Scene, files = buildReleases(project)): Promise<Place> {
    const world = await World.create()
    world.publish(project, files)
    await world.sign()
    return new Place(scene, world, files)
  }

  startProxy(options: ProxyOptions = {}): Promise<TrialProxy> {
    return this.world.startProxy(options)
  }

  /** For a start that is expected to fail. Default: on a free port. */
  async failToStart(
    options: ProxyOptions,
    listen = '127.0.0.1:0',
  ): Promise<Finished & { readonly told: Told }> {
    const { config } = await this.world.trial.writeSettings(options)
    const args = ['serve', '--config', config, '--listen', listen]
    const child = this.world.trial.watch(spawnProgram(options.environment ?? {}, ...args))
    const finished = await collect(child)
    return { ...finished, told: this.readComplaint(finished.stderr) }
  }

  /** With a new environment each time. */
  async install(options: InstallOptions = {}): Promise<Observed> {
    this.#installs += 1
    const folder = join(this.#scene.folder, String(this.#installs))
    await mkdir(folder)
    return install({ ...this.#scene, folder }, project, { world: this.world, ...options })
  }

  /** What the proxy answers now: the page, or the newest file. */
  async ask(what: 'page' | 'file', port = this.world.proxy?.port ?? 0): Promise<Answer> {
    const { filename = '', bytes } = this.files.at(-1) ?? {}
    const path =
      what === 'page' ? `/simple/${project}/` : pathOf(this.world.trial, project, filename)
    const { status, body } = await recordAnswer(port, path)
    const isGenuine = what === 'page' ? body.includes(filename) : bytes && body.equals(bytes)
    if (status === 200) return { ...nothingSaid, status, isGenuine: isGenuine === true }
    const problem = JSON.parse(String(body)) as { detail: string; next?: string }
    const [line, next] = [this.#tidy(problem.detail), this.#tidy(problem.next ?? '')]
    return { status, isGenuine: false, line, next }
  }

  /** The last complaint on standard error: its first line, and its last, which says what to do. */
  readComplaint(stderr: string): Told {
    const lines = this.#tidy(stripVTControlCharacters(stderr)).split('\n')
    const at = lines.findLastIndex((line) => /^tufgate: |^\S+ (?:warning|error) /.test(line))
    const rest = lines.slice(at + 1)
    const end = rest.findIndex((line) => !line.startsWith(' '))
    const facts = end < 0 ? rest : rest.slice(0, end)
    return { line: lines[at] ?? '', next: facts.at(-1)?.trim() ?? '' }
  }

  /** Once the cause is gone: how long until page and file are served; then he installs. */
  async recover(): Promise<Healed> {
    const since = Date.now()
    for (const what of ['page', 'file'] as const)
      await waitUntil(() => this.#isServed(what), recoveryMs)
    const seconds = Math.round((Date.now() - since) / 1000)
    return { seconds, installed: await this.install() }
  }

  async #isServed(what: 'page' | 'file'): Promise<boolean> {
    return this.ask(what).then(
      ({ isGenuine }) => isGenuine,
      () => false,
    )
  }

  /** What was seen while it failed, and afterwards. */
  async conclude(
    failed: Observed,
    told: Told,
    healed: Healed,
    notes: readonly string[] = [],
  ): Promise<Observed> {
    const { installed, seconds } = healed
    const { proxy } = this.world
    const damage = proxy === undefined ? ['there is no proxy'] : await findDamage(proxy)
    const isPipTold = failed.exitCode === 0 || failed.line.includes('tufgate')
    const harm = failed.harm ?? installed.harm
    return {
      ...(harm !== undefined && { harm }),
      happened: `${failed.happened}, then ${installed.happened}`,
      exitCode: failed.exitCode,
      line: isPipTold ? this.#tidy(failed.line) : told.line,
      codes: [...new Set([...failed.codes, ...installed.codes])],
      notes: [
        ...(isPipTold || failed.line === '' ? [] : [`pip said: ${this.#tidy(failed.line)}`]),
        ...(told.next === '' ? [] : [`next: ${told.next}`]),
        ...notes,
        ...failed.notes,
        installed.exitCode === 0
          ? `recovered by itself ${seconds === 0 ? 'at once' : `after ${seconds} s`}`
          : `NOT recovered: ${installed.line}`,
        ...damage.map((one) => `DAMAGE: ${one}`),
      ],
    }
  }

  close(): Promise<void> {
    return this.world.close()
  }

  #tidy(text: string): string {
    return toTranscript(text, this.world.trial.folder)
  }
}

export interface Healed {
  readonly seconds: number
  readonly installed: Observed
}

/** Where the proxy itself did not run there is nobody to install from. */
export const notRunning: Observed = {
  happened: 'nothing installed',
  exitCode: null,
  line: '',
  codes: [],
  notes: [],
}
