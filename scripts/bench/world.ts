/**
 * What the cases share: the compiled program, an index with pages and files of given sizes, its
 * upstream server, and a mirror that has signed it. Made once, when a case first asks for it.
 */

import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../test/support/program.ts'
import { startChild, type Child, type ListeningChild } from './child.ts'
import {
  filePathOf,
  writeFileProject,
  writeLongPage,
  writeWheelProject,
  type FileProject,
} from './index-folder.ts'
import { buildPackage } from './package-folder.ts'

const MB = 1_000_000
/** Bytes a second: 1 Gbit/s, and a slow line. */
export const gigabit = 125 * MB
export const slowLine = 10 * MB

export const pageSizes = [10, 300, 3000] as const
export const pipProjects = Array.from({ length: 40 }, (_, at) => `bench-pip-${at}`)
/** For a proxy that has run for a while before it is measured. */
export const otherProjects = Array.from({ length: 40 }, (_, at) => `bench-other-${at}`)
const pipWheelBytes = 200_000

export const fileShapes = [
  { project: 'bench-small', lane: 'fast', size: 200_000 },
  { project: 'bench-middle', lane: 'fast', size: 20 * MB },
  { project: 'bench-large', lane: 'fast', size: 200 * MB },
  { project: 'bench-gigabit', lane: 'gigabit', size: 200 * MB },
  { project: 'bench-slow', lane: 'slow', size: 20 * MB },
] as const

export type FileName = (typeof fileShapes)[number]['project']

export interface Proxy extends Child {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
}

export interface Upstream extends Child {
  readonly origin: string
}

export interface Made {
  readonly program: string
  readonly folder: string
  readonly upstream: Upstream
  readonly files: ReadonlyMap<string, FileProject>
}

export class World {
  readonly folder: string
  readonly #say: (step: string) => void
  readonly #children: Child[] = []
  #made: Promise<Made> | undefined
  #proxies = 0

  constructor(folder: string, say: (step: string) => void) {
    this.folder = folder
    this.#say = say
  }

  make(): Promise<Made> {
    this.#made ??= this.#build()
    return this.#made
  }

  /** `tufgate serve` that has seen nothing yet, with an empty vault. */
  async startProxy(): Promise<Proxy> {
    const { program, upstream } = await this.make()
    this.#proxies += 1
    const state = join(this.folder, `state-${this.#proxies}`)
    const index = ['--listen', '127.0.0.1:0', '--index', `${upstream.origin}/simple/`]
    const mirror = ['--mirror', join(this.folder, 'mirror', 'public'), '--root', this.#rootPath()]
    const settings = [...index, ...mirror, '--state-dir', state]
    const says = /listening on (http:\/\/127\.0\.0\.1:\d+)/
    const child = await this.track(
      startChild(process.execPath, [program, 'serve', ...settings], says),
    )
    const stop = async (): Promise<void> => {
      await child.stop()
      await rm(state, { recursive: true, force: true })
    }
    return { ...child, origin: child.said, stop }
  }

  async track<T extends Child>(starting: Promise<T>): Promise<T> {
    const child = await starting
    this.#children.push(child)
    return child
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()))
  }

  async #build(): Promise<Made> {
    this.#say('compiling the program')
    const program = await buildPackage(join(this.folder, 'package'))
    this.#say('writing an index')
    const index = join(this.folder, 'index')
    for (const count of pageSizes) await writeLongPage(index, `bench-${count}`, count)
    for (const project of [...pipProjects, ...otherProjects])
      await writeWheelProject(index, project, pipWheelBytes)
    const files = await Promise.all(fileShapes.map((shape) => writeFileProject(index, shape)))
    const upstream = await this.#startUpstream(index)
    this.#say('signing it')
    await this.#sign(program, index, upstream)
    const byName = new Map(files.map((file) => [file.project, file]))
    return { program, folder: this.folder, upstream, files: byName }
  }

  async #startUpstream(folder: string): Promise<Upstream> {
    const lanes = { gigabit, slow: slowLine }
    const input = JSON.stringify({ folder, lanes })
    const script = `${import.meta.dirname}/upstream-server.ts`
    const starting = startChild(process.execPath, [script, input], /listening on (\d+)/)
    const child: ListeningChild = await this.track(starting)
    return { ...child, origin: `http://127.0.0.1:${child.said}` }
  }

  async #sign(program: string, index: string, { origin }: Upstream): Promise<void> {
    const mirror = join(this.folder, 'mirror')
    await runTufgate(program, 'mirror', 'init', mirror, '--projects', '100')
    const from = ['--index', index, '--base-url', `${origin}/`, '--all']
    await runTufgate(program, 'mirror', 'sync', mirror, ...from)
    await copyFile(join(mirror, 'public', 'metadata', '1.root.json'), this.#rootPath())
  }

  #rootPath(): string {
    return join(this.folder, 'pinned.1.root.json')
  }
}

async function runTufgate(program: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(process.execPath, [program, ...args])
  if (code !== 0) throw new Error(`tufgate ${args.join(' ')}: ${stderr}`)
}

export function fileOf({ files }: Made, name: FileName): FileProject {
  const file = files.get(name)
  if (file === undefined) throw new Error(`the index has no ${name}`)
  return file
}

/** The URL's path on the upstream, and the one on the proxy. */
export function pathsOf(
  { upstream }: Made,
  file: FileProject,
): { direct: string; proxied: string } {
  const direct = filePathOf(file)
  const { host } = new URL(upstream.origin)
  return { direct, proxied: `/files/${file.project}/${host}${direct}` }
}

/** The proxied path of the only file of a project of wheels. */
export function wheelPathOf({ upstream }: Made, project: string): string {
  const { host } = new URL(upstream.origin)
  return `/files/${project}/${host}/files/fast/${project.replaceAll('-', '_')}-1.0-py3-none-any.whl`
}
