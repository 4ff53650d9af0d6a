/**
 * What the rows on the wire share: a hostile file host, a mirror that saw it when it was honest, and one
 * `tufgate serve` between it and the client; or, to compare with, such a host alone.
 */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AuditEntry } from '../../../src/audit/reader.ts'
import { renderJsonPage, Trial, type TrialFile, type TrialProxy } from '../../../test/e2e/trial.ts'
import {
  serve,
  startHostileServer,
  type Behaviour,
  type HostileServer,
} from '../../../test/support/hostile-server.ts'
import { pathOf } from '../../../test/support/proxy-witness.ts'
import { countOpenFiles, findDamage } from '../health.ts'
import { readLog } from '../read-log.ts'
import { buildHonest, evilBytes } from './evil-bytes.ts'

/** What a row attacks with: project `wire-w3`, files `wire_w3-1.0.tar.gz` and so on. */
export interface Project {
  readonly name: string
  readonly files: readonly TrialFile[]
  /** Its record names the other server, which the settings of the proxy do not. */
  readonly isElsewhere: boolean
}

/** Where a client of a row is. */
export interface Bench {
  /** What it connects to: the proxy, or the file host. */
  readonly port: number
  readonly host: HostileServer
  readonly project: Project
  /** Of its n-th file. */
  readonly path: (at: number) => string
  readonly turn: (at: number, behaviour: Behaviour) => void
  /** The host sends half of it and waits; what it gives sends the rest, which is evil by default. */
  readonly holdBack: (at: number, bytes?: Buffer) => () => void
  /** Requests for files of the row. */
  readonly countAsked: () => number
  /** Absent: there is no proxy. */
  readonly behind?: SharedProxy
}

export function buildProject(name: string, count: number, firstBytes?: number): Project {
  const files = Array.from({ length: count }, (_, at) => {
    const filename = `${name.replaceAll('-', '_')}-1.${at}.tar.gz`
    return { filename, bytes: buildHonest(filename, at === 0 ? firstBytes : undefined) }
  })
  return { name, files, isElsewhere: false }
}

/** For 8 s, which are most of what the product waits, and for its pause between two bytes. */
const preload = pathToFileURL(join(import.meta.dirname, '../../../test/support/hasty-timers.ts'))
const environment = { NODE_OPTIONS: `--import=${preload.href}`, TUFGATE_TEST_TIMERS: '8000=20' }
/** Long enough for what is decided at once on a busy machine. */
const settings = 'hold-for = "1500ms"\n[limits]\nconnections = 1200\nmin-rate-over = "60s"'

/** One for all rows; one row at a time has it, as nobody else may change what is measured. */
export class SharedProxy {
  readonly trial: Trial
  readonly proxy: TrialProxy
  readonly #projects: readonly Project[]
  #openFiles: number | undefined

  /** Another server that only this machine reaches. */
  readonly inner: HostileServer

  private constructor(
    { trial, inner }: Pick<SharedProxy, 'trial' | 'inner'>,
    proxy: TrialProxy,
    projects: readonly Project[],
  ) {
    this.trial = trial
    this.inner = inner
    this.proxy = proxy
    this.#projects = projects
  }

  static async start(projects: readonly Project[]): Promise<SharedProxy> {
    const [trial, inner] = await Promise.all([Trial.create(), startHostileServer()])
    const warmUp = buildProject('wire-warm-up', 1)
    for (const { name, files } of [warmUp, ...projects]) trial.publish(name, files)
    for (const { name, files } of projects.filter(({ isElsewhere }) => isElsewhere))
      trial.servePage(name, movePage(renderJsonPage(name, files), inner))
    const { exitCode } = await trial.sync({ fileHosts: [new URL(inner.origin).host] })
    if (exitCode !== 0) throw new Error(`the mirror was not signed: exit code ${exitCode}`)
    const proxy = await trial.startProxy({ settings, environment })
    const shared = new SharedProxy({ trial, inner }, proxy, projects)
    const [first = { filename: '' }] = warmUp.files
    const { origin } = proxy
    for (const path of [
      '/-/health',
      '/simple/wire-warm-up/',
      pathOf(trial, warmUp.name, first.filename),
    ])
      await (await fetch(`${origin}${path}`, { headers: { connection: 'close' } })).arrayBuffer()
    shared.#openFiles = await countOpenFiles(proxy, trial.index)
    return shared
  }

  bench(name: string): Bench {
    const project = requireProject(this.#projects, name)
    const { index: host } = this.trial
    const place = project.isElsewhere ? { index: this.inner } : this.trial
    for (const { filename } of project.files) host.on(`/files/${filename}`, serve(evilBytes))
    return {
      ...placeOn(host, project),
      port: this.proxy.port,
      path: (at) => pathOf(place, name, filenameOf(project, at)),
      behind: this,
    }
  }

  /** Of one project. */
  readLog(name: string): Promise<AuditEntry[]> {
    return readLog(this.proxy.folder, name)
  }

  async findDamage(): Promise<readonly string[]> {
    const { proxy, trial } = this
    return findDamage(proxy, { host: trial.index, openFiles: this.#openFiles })
  }

  async close(): Promise<void> {
    await this.trial.close()
    await this.inner.close()
  }
}

/** The page as if the files were on another server. */
export function movePage(page: object, server: HostileServer): unknown {
  return JSON.parse(JSON.stringify(page).replaceAll('../../files', server.url('/files')))
}

/** The hostile host and nothing before it. */
export async function openAlone(project: Project): Promise<Bench & { close(): Promise<void> }> {
  const host = await startHostileServer()
  for (const { filename } of project.files) host.on(`/files/${filename}`, serve(evilBytes))
  return {
    ...placeOn(host, project),
    port: host.port,
    path: (at) => `/files/${filenameOf(project, at)}`,
    close: () => host.close(),
  }
}

type Place = Pick<Bench, 'host' | 'project' | 'turn' | 'holdBack' | 'countAsked'>

function placeOn(host: HostileServer, project: Project): Place {
  const turn = (at: number, behaviour: Behaviour): void =>
    host.on(`/files/${filenameOf(project, at)}`, behaviour)
  return {
    host,
    project,
    turn,
    holdBack: (at, bytes = evilBytes) => {
      const released = Promise.withResolvers<void>()
      turn(at, sendInTwo(bytes, released.promise))
      return released.resolve
    },
    countAsked: () => {
      const counts = project.files.map(({ filename }) => host.count(`/files/${filename}`))
      return counts.reduce((sum, count) => sum + count, 0)
    },
  }
}

/** The first half, and the second when it is released. */
function sendInTwo(bytes: Buffer, released: Promise<void>): Behaviour {
  return (request, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    const half = bytes.length / 2
    if (request.method !== 'HEAD') response.write(bytes.subarray(0, half))
    void released.then(() => response.end(bytes.subarray(half)))
  }
}

function filenameOf({ name, files }: Project, at: number): string {
  const file = files[at]
  if (file === undefined) throw new Error(`${name} has ${files.length} files, not ${at + 1}`)
  return file.filename
}

function requireProject(projects: readonly Project[], name: string): Project {
  const found = projects.find((project) => project.name === name)
  if (found === undefined) throw new Error(`there is no project ${name}`)
  return found
}
