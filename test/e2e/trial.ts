/**
 * One trial: an index whose pages and files can turn hostile, a mirror of it, and proxies as
 * processes, all in one temporary folder and gone with it, processes first.
 */

import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../../src/base/clock.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { initMirror } from '../../src/mirror/init.ts'
import { syncMirror, type SyncOptions, type SyncResult } from '../../src/mirror/sync.ts'
import { sha256 } from '../support/build-wheel.ts'
import { serve, startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import { startServeIn, type RunningProxy } from '../support/program.ts'

/** A wheel, or whatever else has a file name. */
export interface TrialFile {
  readonly filename: string
  readonly bytes: Uint8Array
  /** Served beside it (PEP 658). */
  readonly metadata?: Uint8Array
}

export interface TrialProxy extends RunningProxy {
  readonly port: number
  /** The state home, for `--state-dir`. */
  readonly state: string
  /** The folder of the one index in it. */
  readonly folder: string
}

export interface ProxyOptions {
  /** TOML of the settings file, but `[[index]]`, which stands at its end. */
  readonly settings?: string
  /** More of its `[[index]]`. */
  readonly index?: string
  /** Default: a new one. */
  readonly state?: string
  /** One, or several in their order. Default: the published folder. */
  readonly mirror?: string | readonly string[]
  /** A file that `tufgate trust show` wrote. */
  readonly floor?: string
  /** Besides the index's own. */
  readonly fileHosts?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Headers of a page. */
export const jsonType = { 'content-type': 'application/vnd.pypi.simple.v1+json' }

export class Trial {
  readonly folder: string
  readonly index: HostileServer
  readonly #processes = new Set<ChildProcess>()
  readonly #killAll = (): void => {
    for (const process of this.#processes) process.kill('SIGKILL')
  }
  readonly #pages = new Map<string, readonly TrialFile[]>()
  #count = 0

  private constructor(folder: string, index: HostileServer) {
    this.folder = folder
    this.index = index
  }

  /** `clock`: when the mirror was made. */
  static async create(clock: Clock = Date.now): Promise<Trial> {
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-trial-'))
    const trial = new Trial(folder, await startHostileServer())
    const context = { clock, report: () => undefined }
    await initMirror({ ...context, directory: trial.mirror, projects: 10 })
    await writeFile(trial.root, await readFile(join(trial.published, 'metadata/1.root.json')))
    return trial
  }

  get mirror(): string {
    return join(this.folder, 'mirror')
  }

  get published(): string {
    return join(this.mirror, 'public')
  }

  /** A copy elsewhere, as clients should have one. */
  get root(): string {
    return join(this.folder, 'pinned.root.json')
  }

  get indexUrl(): string {
    return this.index.url('/simple/')
  }

  /** Page, files and list of the projects, all honest. */
  publish(project: string, files: readonly TrialFile[]): void {
    this.#pages.set(project, files)
    for (const { filename, bytes, metadata } of files) {
      this.index.on(`/files/${filename}`, serve(bytes))
      if (metadata !== undefined) this.index.on(`/files/${filename}.metadata`, serve(metadata))
    }
    this.servePage(project, renderJsonPage(project, files))
    const projects = Array.from(this.#pages.keys(), (name) => ({ name }))
    this.servePage('', { meta: { 'api-version': '1.4' }, projects })
  }

  /** The page alone: of other files, if somebody wants to lie. */
  servePage(project: string, page: unknown): void {
    const path = project === '' ? '/simple/' : `/simple/${project}/`
    const bytes = Buffer.from(JSON.stringify(page))
    this.index.on(path, serve(bytes, jsonType))
  }

  /** HTML tells no sizes. */
  serveHtmlPage(project: string, files: readonly TrialFile[]): void {
    const links = files.map(
      ({ filename, bytes }) =>
        `<a href="../../files/${filename}#sha256=${sha256(bytes)}">${filename}</a>`,
    )
    const page = Buffer.from(`<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`)
    this.index.on(`/simple/${project}/`, serve(page, { 'content-type': 'text/html' }))
  }

  sync(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
    return syncMirror({
      directory: this.mirror,
      clock: Date.now,
      report: () => undefined,
      index: this.indexUrl,
      openIndex: openMirrorIndex,
      all: true,
      ...options,
    })
  }

  /** A settings file for `serve --config`, and the state home that it names. */
  async writeSettings(options: ProxyOptions = {}): Promise<{ config: string; state: string }> {
    this.#count += 1
    const { settings = '', mirror = this.published } = options
    const state = options.state ?? join(this.folder, `state-${this.#count}`)
    const config = join(this.folder, `tufgate-${this.#count}.toml`)
    const text = [
      `state-dir = ${JSON.stringify(state)}`,
      settings,
      '[[index]]',
      'name = "trial"',
      `url = ${JSON.stringify(this.indexUrl)}`,
      `mirror = ${JSON.stringify([mirror].flat())}`,
      `root = ${JSON.stringify(this.root)}`,
      ...(options.floor === undefined ? [] : [`floor = ${JSON.stringify(options.floor)}`]),
      `file-hosts = ${JSON.stringify(options.fileHosts ?? [])}`,
      options.index ?? '',
      '',
    ]
    await mkdir(state, { recursive: true, mode: 0o700 })
    await writeFile(config, text.join('\n'))
    return { config, state }
  }

  async startProxy(options: ProxyOptions = {}): Promise<TrialProxy> {
    const { config, state } = await this.writeSettings(options)
    const running = await startServeIn(options.environment ?? {}, '--config', config)
    this.watch(running.process)
    const folder = join(state, sha256(await readFile(this.root)))
    return { ...running, port: Number(new URL(running.origin).port), state, folder }
  }

  /** Killed with the trial at the latest. */
  watch<C extends ChildProcess>(child: C): C {
    this.#processes.add(child)
    child.once('exit', () => this.#processes.delete(child))
    return child
  }

  async close(): Promise<void> {
    const ended = Array.from(this.#processes, (child) => once(child, 'exit'))
    this.#killAll()
    await Promise.all(ended)
    await this.index.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export function renderJsonPage(project: string, files: readonly TrialFile[]): object {
  return {
    meta: { 'api-version': '1.4' },
    name: project,
    versions: [],
    files: files.map(({ filename, bytes, metadata }) => ({
      filename,
      url: `../../files/${filename}`,
      hashes: { sha256: sha256(bytes) },
      size: bytes.length,
      ...(metadata !== undefined && { 'core-metadata': { sha256: sha256(metadata) } }),
    })),
  }
}
