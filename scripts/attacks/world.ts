/**
 * An index and its file host that can turn hostile, a mirror that has seen them before, and, where
 * one is asked for, the proxy as a process, with a wire in front of it that keeps what it handed out.
 */

import type { AuditEntry } from '../../src/audit/reader.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { MirrorEvent } from '../../src/mirror/report.ts'
import type { SyncOptions, SyncResult } from '../../src/mirror/sync.ts'
import { Trial, type ProxyOptions, type TrialFile, type TrialProxy } from '../../test/e2e/trial.ts'
import { sha256 } from '../../test/support/build-wheel.ts'
import { startHostileServer, type HostileServer } from '../../test/support/hostile-server.ts'
import {
  startRelay,
  type RecordingRelay,
  type RelayedAnswer,
} from '../../test/support/recording-relay.ts'
import { readLog } from './read-log.ts'

/** Product rule: what may leave of a file before the whole of it is verified. */
export const maxUnverifiedBytes = 48

export class World {
  readonly trial: Trial
  /** A host of an inner network: nobody from outside should make anybody ask it. */
  readonly internal: HostileServer
  /** By sha256, everything that was ever honest. */
  readonly #genuine = new Map<string, Buffer>()
  readonly #newest = new Map<string, string>()
  readonly #said: MirrorEvent[] = []
  #proxy: TrialProxy | undefined
  #relay: RecordingRelay | undefined

  private constructor(trial: Trial, internal: HostileServer) {
    this.trial = trial
    this.internal = internal
  }

  static async create(clock: Clock = Date.now): Promise<World> {
    return new World(await Trial.create(clock), await startHostileServer())
  }

  /** Honest files of a project, the newest release last. */
  publish(project: string, files: readonly TrialFile[]): void {
    for (const { bytes, metadata } of files) {
      for (const honest of [bytes, metadata])
        if (honest !== undefined) this.#genuine.set(sha256(honest), Buffer.from(honest))
    }
    const newest = files
      .at(-1)
      ?.filename.split('-')[1]
      ?.replace(/\.tar\.gz$/, '')
    if (newest !== undefined) this.#newest.set(project, newest)
    this.trial.publish(project, files)
  }

  /** A lie that the mirror was shown first and has signed: nobody can know it by itself, so it may leave. */
  addSigned(bytes: Buffer): void {
    this.#genuine.set(sha256(bytes), bytes)
  }

  isGenuine(bytes: Uint8Array): boolean {
    return this.#genuine.has(sha256(bytes))
  }

  /** The version that an honest index would have installed; `undefined`: nobody honest knows it. */
  newestOf(project: string): string | undefined {
    return this.#newest.get(project)
  }

  async sign(): Promise<void> {
    const { exitCode } = await this.lookAgain()
    if (exitCode !== 0) throw new Error(`the mirror was not signed: exit code ${exitCode}`)
  }

  /** The mirror looks at the index, and signs what it can; what it says of it is kept. */
  lookAgain(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
    return this.trial.sync({ report: (event) => void this.#said.push(event), ...options })
  }

  /** What the mirror said of a project at its looks: `conflict: ...`. */
  listSaid(project: string): readonly string[] {
    const lines = this.#said.flatMap((event) => {
      if (event.kind === 'progress' || event.kind === 'not-covered') return []
      const text =
        'message' in event ? event.message : `${event.file} is not what was signed under this name`
      const isOfIt = 'project' in event ? event.project === project : text.includes(`${project}:`)
      const short = text.replaceAll(/[0-9a-f]{56}\b/g, '...')
      return isOfIt ? [`the mirror: ${event.kind}: ${short}`] : []
    })
    return [...new Set(lines)]
  }

  /** Started again after `stopProxy`, it has the same state if `options.state` says so. */
  async startProxy(options: ProxyOptions = {}): Promise<TrialProxy> {
    this.#proxy = await this.trial.startProxy(options)
    await this.standBehind(this.#proxy.port)
    return this.#proxy
  }

  /** Whatever listens there is what the victim's index setting leads to. */
  async standBehind(port: number): Promise<void> {
    this.#relay = await startRelay(port)
  }

  async stopProxy(signal?: NodeJS.Signals): Promise<void> {
    await this.#relay?.close()
    await this.#proxy?.stop(signal)
    this.#relay = undefined
  }

  get proxy(): TrialProxy | undefined {
    return this.#proxy
  }

  get relay(): RecordingRelay | undefined {
    return this.#relay
  }

  /** What the victim's index setting says: the proxy where there is one. */
  get indexUrl(): string {
    return this.#relay === undefined ? this.trial.indexUrl : `${this.#relay.origin}/simple/`
  }

  /** Lines of the audit log, of a project or all. */
  async readLog(project?: string): Promise<AuditEntry[]> {
    if (this.#proxy === undefined) return []
    return readLog(this.#proxy.folder, project)
  }

  /** The most bytes of a file that somebody was given and that were never honest; 0 as it should be. */
  countUnverified(project: string): number {
    const answers = this.#relay?.answers() ?? []
    const ofFiles = answers.filter(
      ({ path, status }) => path.includes(`/files/${project}/`) && [200, 206].includes(status),
    )
    const bad = ofFiles.filter((answer) => !this.#isHonest(answer))
    return Math.max(0, ...bad.map(({ body }) => body.length))
  }

  /** Of an answer that broke off, as where the proxy was killed: the beginning of something honest. */
  #isHonest({ body, headers }: RelayedAnswer): boolean {
    if (this.isGenuine(body)) return true
    const length = Number(headers.get('content-length') ?? 0)
    const honest = [...this.#genuine.values()].filter((one) => one.length === length)
    return honest.some((one) => one.subarray(0, body.length).equals(body))
  }

  async close(): Promise<void> {
    await this.#relay?.close()
    await this.internal.close()
    await this.trial.close()
  }
}

/** One of its own, for what the shared one cannot be asked for; it is closed afterwards. */
export async function inWorld<T>(act: (world: World) => Promise<T>): Promise<T> {
  const world = await World.create()
  try {
    return await act(world)
  } finally {
    await world.close()
  }
}
