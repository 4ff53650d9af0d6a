import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isTufgateError, UpstreamError } from '../../src/base/errors.ts'
import { acceptReleases, addClaim } from '../../src/mirror/claim-work.ts'
import { allowFiles, denyFiles } from '../../src/mirror/deny-work.ts'
import { findDenials, listDenied } from '../../src/mirror/deny.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { claimFor, createKey, localFile, shownFile, signFor } from '../owner/maintainer.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import type { OpenIndex } from '../../src/mirror/index-choice.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { settings } from '../../src/mirror/settings.ts'
import {
  metadataPath,
  plainHtmlPath,
  plainPath,
  recordTarget,
  targetPath,
} from '../../src/mirror/tree-layout.ts'
import { checkMirror } from '../../src/watch/check.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { watchMirror } from '../../src/watch/watch.ts'
import { dayMs, hourMs, MirrorFixture } from '../mirror/mirror-fixture.ts'
import { requireUnchangedVersions } from '../mirror/unchanged-versions.ts'
import { killSwitch, wrapDatabase } from './kill-switch.ts'
import { createRandom, type Random } from './random.ts'
import { SimulatedClient } from './simulated-client.ts'

vi.mock('node:fs/promises', async (importOriginal) => {
  const { wrapPromises } = await import('./kill-switch.ts')
  return wrapPromises(await importOriginal())
})
vi.mock('node:fs', async (importOriginal) => {
  const { wrapFiles } = await import('./kill-switch.ts')
  return wrapFiles(await importOriginal())
})

const seed = Number(process.env['TUFGATE_SEED'] ?? 1)
const syncEveryMs = 6 * hourMs
const renewEveryMs = 4 * hourMs

/** It signs for itself from the third day on. */
const owned = 'p7'

let mirror: MirrorFixture
let owner: Signer
beforeEach(async () => {
  owner = await createKey()
  wrapDatabase()
  mirror = await MirrorFixture.create()
})
afterEach(async () => {
  killSwitch.disarm()
  vi.restoreAllMocks()
  await mirror.remove()
})

/** The index, the machine and three clients, over time that passes only while the mirror sleeps. */
class World {
  readonly random: Random
  readonly pages = new Map<string, string[]>()
  readonly versions = new Map<string, string>()
  readonly always: SimulatedClient
  readonly weekly: SimulatedClient
  readonly start: number
  readonly log: string[] = []
  kills = 0
  reads = 0
  refusals = 0
  isDown = false
  broken: string | undefined
  #seenAt: number
  #nextHour: number
  #day = 0

  constructor(random: Random) {
    this.random = random
    this.always = new SimulatedClient(mirror.public)
    this.weekly = new SimulatedClient(mirror.public)
    this.start = mirror.now
    this.#seenAt = mirror.now
    this.#nextHour = mirror.now
  }

  get summary(): string {
    const { kills, reads, refusals, versions } = this
    return `seed ${seed}: ${kills} kills in ${killSwitch.steps} steps, ${reads} reads, ${refusals} refusals, ${versions.size} versions`
  }

  get projects(): string[] {
    return [...this.pages.keys()]
  }

  async addProject(name: string): Promise<void> {
    this.pages.set(name, [`${name}-1.0.tar.gz`])
    await this.#put(name)
  }

  async #put(name: string): Promise<void> {
    if (name === this.broken) await mirror.putRawPage(name, 'index.json', '{"files": 1}')
    else await mirror.putPage(name, this.pages.get(name)!)
  }

  readonly openIndex: OpenIndex = async (address) => {
    const port = await openMirrorIndex(address)
    const requireUp = (): void => {
      mirror.now += 200
      if (this.isDown) throw new UpstreamError('UNREACHABLE', 'the index is down')
    }
    return {
      ...port,
      fetchPage: async (...request) => {
        requireUp()
        return port.fetchPage(...request)
      },
      fetchProjectList: async (etag) => {
        requireUp()
        return port.fetchProjectList(etag)
      },
    }
  }

  async pass(milliseconds: number): Promise<void> {
    const until = mirror.now + milliseconds
    while (this.#nextHour <= until) {
      mirror.now = Math.max(mirror.now, this.#nextHour)
      await this.#liveAnHour()
      this.#nextHour += hourMs
    }
    mirror.now = Math.max(mirror.now, until)
  }

  async #liveAnHour(): Promise<void> {
    const hours = Math.round((this.#nextHour - this.start) / hourMs)
    this.#seenAt = await this.#readSeen()
    if (hours % 24 === 5) await this.#liveADay(Math.floor(hours / 24))
    const [downFrom, downFor] = hours < 20 * 24 ? [hours % 71, 8] : [hours - 20 * 24, 60]
    this.isDown = hours > 24 && downFrom < downFor
    if (hours % 6 === 0) await requireUnchangedVersions(mirror.public, this.versions)
    if (hours % 3 === 0) await this.read(this.always)
    const weekday = hours % (7 * 24)
    if (weekday === 0) await this.read(this.weekly)
    if (hours % 24 === 0) await this.read(new SimulatedClient(mirror.public))
  }

  async #liveADay(day: number): Promise<void> {
    this.#day = day
    await this.#mend(day)
    for (let count = 0; count < 3; count += 1) {
      const name = this.random.pick(this.projects)
      this.pages.get(name)!.push(`${name}-${day + 2}.${count}.tar.gz`)
      await this.#put(name)
    }
    const victim = this.random.pick(this.projects)
    if (this.pages.get(victim)!.length > 3) this.pages.get(victim)!.shift()
    await this.#put(victim)
    if (day % 4 === 1) await this.addProject(`new${day}`)
    if (day % 3 === 2) await this.#deny(day)
    if (day === 2) await this.#operate(() => this.#claim())
    if (day % 4 === 3) await this.#release(day)
    // A person looks at what waits once a week.
    if (day % 7 === 6) await this.#operate(() => mirror.approve())
  }

  /** What people do on the mirror is killed too; they do it again. */
  async #operate(work: () => Promise<unknown>): Promise<void> {
    for (const steps of [this.random.integer(100), this.random.integer(100), Infinity]) {
      const wasKilled = await killSwitch.spare(async () => void (await work()), 1 + steps)
      if (!wasKilled) return
      this.kills += 1
    }
  }

  async #deny(day: number): Promise<void> {
    const project = this.random.pick(this.projects)
    const options = { ...mirror.context, check: checkPublication, project }
    await this.#operate(() => denyFiles({ ...options, reason: `day ${day}` }))
    if (day % 2 !== 0) return
    await this.#operate(async () => {
      const denied = await readMirror(mirror.directory, (memory) => findDenials(memory, project))
      // Killed before it was published it is done all the same.
      if (denied.length > 0) await allowFiles(options)
    })
  }

  async #claim(): Promise<void> {
    await addClaim(mirror.context, await claimFor(owned, [owner], { now: mirror.now }))
  }

  /** By its maintainer, from what the mirror has published. */
  async #release(day: number): Promise<void> {
    const name = `${owned}-${day}.0.tar.gz`
    const parts = { local: [localFile(name)], page: { files: [shownFile(name)] } }
    const { release } = await signFor(owned, mirror.public, owner, { now: mirror.now, ...parts })
    const options = { ...mirror.context, check: checkPublication, openIndex: openMirrorIndex }
    await this.#operate(() => acceptReleases({ ...options, releases: [release] }))
  }

  async #mend(day: number): Promise<void> {
    const name = this.projects[0]!
    if (day !== 10 && day !== 15) return
    this.broken = day === 10 ? name : undefined
    await this.#put(name)
  }

  #readSeen(): Promise<number> {
    return readMirror(
      mirror.directory,
      (memory) => memory.settings.find(settings.indexSeenAt) ?? this.start,
    )
  }

  /** Never refused while the index was seen within max-unseen; inconsistent never. */
  async read(client: SimulatedClient): Promise<void> {
    try {
      this.reads += 1
      await client.read(this.projects, mirror.now)
    } catch (error) {
      const isExcused = mirror.now - this.#seenAt > dayMs
      const isTooOld = isTufgateError(error) && /^(?:EXPIRED|INDEX_UNSEEN)$/.test(error.code)
      if (!isExcused || !isTooOld) {
        throw new Error(`day ${this.#day}, after ${this.kills} kills: ${String(error)}`, {
          cause: error,
        })
      }
      this.refusals += 1
    }
  }
}

/** One process: it lives until it is killed, or until the given time. */
async function runWatch(world: World, until: number, steps: number): Promise<void> {
  const stop = new AbortController()
  killSwitch.arm(steps, () => {
    world.kills += 1
    stop.abort()
  })
  try {
    await watchMirror({
      ...mirror.context,
      check: checkPublication,
      openIndex: world.openIndex,
      readRound: () => ({ all: true }),
      syncEveryMs,
      renewEveryMs,
      signal: stop.signal,
      sleep: async (milliseconds) => {
        // What the world does is not the mirror's doing.
        await killSwitch.spare(() => world.pass(Math.max(1000, milliseconds)))
        if (mirror.now >= until) stop.abort()
      },
      log: (level, message) => void world.log.push(`${level} ${message}`),
      version: '0',
    })
  } catch (error) {
    // Killed before its first round.
    if (!killSwitch.isDead) throw error
  }
  killSwitch.disarm()
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}

/** No crash has left a file that nothing knows of, and so nobody would ever remove. */
async function requireNoLeftovers(): Promise<void> {
  const known = await readMirror(mirror.directory, ({ ledger, roles }) => {
    const names = [...roles.listForSnapshot().map(({ name }) => name), 'root', 'snapshot']
    const metadata = names.map((name) => metadataPath(name, roles.require(name).version))
    const denied = listDenied({ ledger }).map(([path, { sha256 }]) => targetPath(path, sha256))
    const records = ledger.listNames('', 1000).flatMap((name) => {
      const target = recordTarget(name)
      const { sha256 } = ledger.findProject(name)!
      return [targetPath(target, sha256), plainPath(target), plainHtmlPath(target)]
    })
    const superseded = ledger.listSuperseded(Infinity, 100_000)
    return new Set(['metadata/timestamp.json', ...metadata, ...denied, ...records, ...superseded])
  })
  expect(
    (await listFiles(mirror.public)).filter(
      (file) => /^(?:metadata|targets)/.test(file) && !known.has(file),
    ),
  ).toEqual([])
}

test(`30 days without a person, killed again and again (seed ${seed})`, async () => {
  const random = createRandom(seed)
  await mirror.init({ check: checkPublication })
  const world = new World(random)
  for (let at = 0; at < 8; at += 1) await world.addProject(`p${at}`)
  await mirror.sync({ all: true, openIndex: world.openIndex, check: checkPublication })
  let reads = 0
  const interim = new SimulatedClient(mirror.public)
  killSwitch.interlude = async () => {
    reads += 1
    if (reads % 31 === 0) await world.read(interim)
  }
  const end = world.start + 30 * dayMs
  let filesOnDay10 = 0
  while (mirror.now < end) {
    await runWatch(world, end, 30 + random.integer(600))
    await world.pass(random.next() < 0.1 ? random.integer(8) * hourMs : 60_000)
    if (filesOnDay10 === 0 && mirror.now > world.start + 10 * dayMs)
      filesOnDay10 = (await listFiles(mirror.public)).length
  }
  expect(world.kills).toBeGreaterThan(20)
  expect(world.refusals).toBeGreaterThan(0)
  expect((await listFiles(mirror.public)).length).toBeLessThan(3 * filesOnDay10)

  // Quiet days, and nobody is killed: everything converges, and nothing is left over.
  world.isDown = false
  killSwitch.interlude = () => Promise.resolve()
  await mirror.approve()
  await runWatch(world, mirror.now + 4 * dayMs, Infinity)
  await mirror.approve()
  await mirror.sync({ all: true, openIndex: world.openIndex, check: checkPublication })
  for (const client of [world.always, world.weekly, new SimulatedClient(mirror.public)]) {
    const records = await client.read(world.projects, mirror.now)
    for (const [name, files] of world.pages) {
      if (name === owned) continue
      const listed = records.get(name)!.files.filter(({ removed }) => removed === undefined)
      expect(listed.map(({ filename }) => filename).toSorted()).toEqual(files.toSorted())
    }
  }
  await requireNoLeftovers()
  const report = await checkMirror({ ...mirror.context, isFull: true })
  expect(report).toMatchObject({ findings: [], exitCode: 0 })
  // For whoever tries other seeds.
  if (process.env['TUFGATE_SEED'] !== undefined) process.stderr.write(`${world.summary}\n`)
}, 300_000)
