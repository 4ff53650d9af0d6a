/**
 * A world whose mirror is handed out by a web server that lies when it is told to: over HTTP, without
 * any key. What it does not lie about is the published tree, or a copy of it that was kept.
 */

import { cp, rm } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMovableClock, type MovableClock } from '../../test/e2e/movable-clock.ts'
import type { ProxyOptions, TrialProxy } from '../../test/e2e/trial.ts'
import {
  serve,
  startHostileServer,
  type Behaviour,
  type HostileServer,
} from '../../test/support/hostile-server.ts'
import { OnlineThief } from '../../test/mirror/online-thief.ts'
import type { Observed } from './attack.ts'
import { serveFrom } from './published-tree.ts'
import { World } from './world.ts'

export interface Lie {
  /** The path, or paths, without the leading `/`: `metadata/timestamp.json`. */
  readonly about: string | RegExp
  readonly behaviour: Behaviour
}

const minuteMs = 60_000

export class HostileMirror {
  readonly world: World
  readonly server: HostileServer
  readonly clock: MovableClock
  #tree: string
  #many: ReadonlyMap<string, string> = new Map()
  #lies: readonly Lie[] = []
  #copies = 0
  #shiftMs = 0

  private constructor(world: World, server: HostileServer, clock: MovableClock) {
    this.world = world
    this.server = server
    this.clock = clock
    this.#tree = world.trial.published
    server.use((path) => this.#answer(path.slice(1)))
  }

  /** Closed by whoever opens it; `inMirrorWorld` does. */
  static async open(): Promise<HostileMirror> {
    const world = await World.create()
    const clock = await createMovableClock(world.trial.folder, 'proxy', 0)
    return new HostileMirror(world, await startHostileServer(), clock)
  }

  get url(): string {
    return this.server.url('/')
  }

  /** The published tree as it is now, to be shown later. */
  async keepTree(): Promise<string> {
    this.#copies += 1
    const copy = join(this.world.trial.folder, `kept-${this.#copies}`)
    await cp(this.world.trial.published, copy, { recursive: true })
    return copy
  }

  /** The published tree is that one again. */
  async restoreTree(tree: string): Promise<void> {
    const { published } = this.world.trial
    await rm(published, { recursive: true })
    await cp(tree, published, { recursive: true })
  }

  /** Several trees, each under a name of its own: `URL/alice/`. */
  showMany(trees: Readonly<Record<string, string>>): void {
    this.#many = new Map(Object.entries(trees))
  }

  /** Another tree from now on; none: the published one. */
  show(tree: string = this.world.trial.published): void {
    this.#tree = tree
  }

  /** Nothing else is lied about from now on. */
  lie(...lies: readonly Lie[]): void {
    this.#lies = lies
  }

  /** A file of a tree that was kept, in place of what the same path says now. */
  replay(tree: string, path: string, shownAs = path): Lie {
    const behaviour = serve(readFileSync(join(tree, path)))
    return { about: shownAs, behaviour }
  }

  /** The newest such file of a tree that was kept, under the name of the one that is there since. */
  swap(tree: string, fits: (path: string, text: string) => boolean): Lie {
    const list = (folder: string): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.json'))
        .filter((path) => fits(path, readFileSync(join(folder, path), 'utf8')))
        .toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true }))
    const kept = list(tree)
    const old = kept.at(-1)
    const since = list(this.world.trial.published).findLast((path) => !kept.includes(path))
    if (old === undefined || since === undefined) throw new Error('there are not two such files')
    return this.replay(tree, old, since)
  }

  /** The proxy, whose clock is `clock`, with this mirror and no other. */
  startProxy(options: ProxyOptions = {}): Promise<TrialProxy> {
    return this.world.startProxy({
      mirror: this.url,
      ...options,
      environment: this.clock.environment,
    })
  }

  /** Another one beside it on the same state; from now on it is the one that is asked. */
  async startSecondProxy(): Promise<void> {
    const first = this.world.proxy
    if (first === undefined) throw new Error('there is no first proxy')
    await this.world.relay?.close()
    await this.startProxy({ state: first.state })
  }

  /** Nothing was shown where it has no list to begin with. */
  async requireList(): Promise<void> {
    const { status: found } = await this.ask(`/-/ready`)
    if (found !== 200) throw new Error(`the proxy is not ready: ${found}`)
  }

  async requirePage(project: string): Promise<void> {
    const { status: found, text } = await this.ask(`/simple/${project}/`)
    if (found !== 200) throw new Error(`the proxy has no page of ${project}: ${text}`)
  }

  /** What a client of the proxy is told, without pip. */
  async ask(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${this.world.proxy?.origin}${path}`)
    return { status: answer.status, text: await answer.text() }
  }

  /** So long that the next request waits for a look at the mirror. */
  passTime(ms: number = 10 * minuteMs): Promise<void> {
    this.#shiftMs += ms
    return this.clock.set(this.#shiftMs)
  }

  /** Of what is lied about now. */
  countLies(): { readonly requests: number; readonly bytes: number } {
    const paths = this.server.requests
      .map(({ path }) => path)
      .filter((path) => this.#findLie(path.slice(1)) !== undefined)
    const taken = [...new Set(paths)].map((path) => this.server.sentBytes(path))
    return { requests: paths.length, bytes: taken.reduce((sum, bytes) => sum + bytes, 0) }
  }

  /** How many timestamps were handed out. */
  countLists(): number {
    return this.server.count('/metadata/timestamp.json')
  }

  rob(offlineKeys: readonly string[] = []): Promise<OnlineThief> {
    const { mirror } = this.world.trial
    const others = offlineKeys.map((role) => join(`${mirror}-offline-keys`, `${role}.pem`))
    return OnlineThief.rob(mirror, others)
  }

  /** In the words of the proxy's log: warnings of the mirror and refusals, each once. */
  async listReasons(): Promise<string[]> {
    const reasons = (await this.world.readLog())
      .filter(({ code }) => code !== undefined)
      .map(({ message = '' }) => this.#shorten(message))
    return [...new Set(reasons)]
  }

  /** With what the log says of the mirror, which is of no project. */
  async addLog(observed: Observed): Promise<Observed> {
    const notes = [...observed.notes, ...(await this.listReasons())]
    return this.addCodes({ ...observed, notes })
  }

  async addCodes(observed: Observed): Promise<Observed> {
    const log = await this.world.readLog()
    const codes = log.filter(({ kind }) => kind !== 'page').flatMap(({ code }) => code ?? [])
    return { ...observed, codes: [...new Set([...observed.codes, ...codes])] }
  }

  async close(): Promise<void> {
    await this.world.close()
    await this.server.close()
  }

  #findLie(path: string): Lie | undefined {
    return this.#lies.find(({ about }) =>
      typeof about === 'string' ? about === path : about.test(path),
    )
  }

  #answer(path: string): Behaviour {
    const lie = this.#findLie(path)
    if (lie !== undefined) return lie.behaviour
    const [name = '', ...rest] = path.split('/')
    const named = this.#many.get(name)
    return named === undefined ? serveFrom(this.#tree, path) : serveFrom(named, rest.join('/'))
  }

  /** Ports, digests and request ids are others each time. */
  #shorten(message: string): string {
    return message
      .replace(/^trial: /, '')
      .replaceAll(`mirror ${this.url}: `, 'the mirror: ')
      .replaceAll(`${this.url}: `, '')
      .replaceAll(this.url, '')
      .replaceAll(/\b[0-9a-f]{64}\b/g, (digest) => `${digest.slice(0, 6)}...`)
      .replaceAll(/ ?\(r-[0-9a-z]+\)/g, '')
      .replaceAll(this.world.trial.folder, '')
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')
  }
}

export async function inMirrorWorld(
  act: (mirror: HostileMirror) => Promise<Observed>,
): Promise<Observed> {
  const mirror = await HostileMirror.open()
  try {
    return await act(mirror)
  } finally {
    await mirror.close()
  }
}
