/**
 * The update workflow as a whole: a publisher who publishes and rotates keys, a mirror that replays,
 * mixes, cuts, bends and forges, at times with stolen keys, and a client that is restarted at any time.
 */

import { isTufgateError, UpstreamError } from '../../../src/base/errors.ts'
import { Repository } from '../../../src/client/repository.ts'
import { defaultRefreshLimits } from '../../../src/tuf/update.ts'
import type { MemoryStorage } from '../../../test/support/memory-storage.ts'
import type { TestSigner } from '../../../test/support/tuf-signers.ts'
import { readTape, type Dice } from '../dice.ts'
import { requireRule, requireSame, type FuzzTarget } from '../target.ts'
import { damage, forge, imitate, mixTrees, ServedTree, usurp } from './workflow-mirror.ts'
import { WatchedStorage } from './workflow-oracle.ts'
import { dayMs, Publisher, roles, team, type Role } from './workflow-publisher.ts'

const start = Date.parse('2026-06-01T12:00:00Z')
const tapeBytes = 400
/** What lies together is stolen together. */
const loot: readonly [readonly Role[], ...(readonly Role[])[]] = [
  ['timestamp', 'snapshot'],
  ['timestamp', 'snapshot', team],
  ['timestamp'],
  ['snapshot'],
  ['targets'],
  [team],
]

class Case {
  readonly #dice: Dice
  readonly #publisher: Publisher
  readonly #storage: WatchedStorage
  readonly #mirror = new ServedTree()
  readonly #stolen = new Map<Role, readonly TestSigner[]>()
  #client: Repository | undefined
  #now = start
  /** Of the client's clock. */
  #errorMs = 0
  #newest = 0

  constructor(dice: Dice) {
    this.#dice = dice
    this.#publisher = new Publisher(dice, start)
    this.#storage = new WatchedStorage(this.#publisher, this.#pinned)
  }

  get #pinned(): Uint8Array {
    return this.#publisher.repository.publishedRoots.get(1) ?? new Uint8Array()
  }

  async run(): Promise<string> {
    const steps = 3 + this.#dice.roll(8)
    for (let step = 0; step < steps; step += 1) {
      this.#act()
      this.#serve()
      // oxlint-disable-next-line no-await-in-loop -- each stands on the one before
      await this.#ask()
    }
    await this.#heal()
    return this.#stolen.size === 0 ? 'healed' : 'healed after a theft'
  }

  #act(): void {
    const dice = this.#dice
    this.#now += dice.pick([60_000, 3_600_000, dayMs, 3 * dayMs])
    this.#errorMs = dice.pick([0, 0, 0, 0, 2 * 3_600_000, -2 * 3_600_000, 400 * dayMs])
    switch (dice.roll(6)) {
      case 4:
        this.#publisher.relist(this.#now)
        break
      case 0:
        this.#publisher.publish(this.#now)
        break
      case 1:
        this.#publisher.renew(this.#now)
        break
      case 2:
        this.#rotate([dice.pick([...roles, 'root'])])
        break
      case 3:
        if (dice.roll(2) === 1) this.#steal(dice.pick(loot))
        break
      default:
    }
  }

  /** New keys end what was stolen. */
  #rotate(rotated: readonly (Role | 'root')[]): void {
    this.#publisher.rotate(rotated, this.#now)
  }

  #steal(stolen: readonly Role[]): void {
    for (const role of stolen) {
      this.#stolen.set(role, this.#publisher.repository.signersOf(role))
    }
  }

  #serve(): void {
    const dice = this.#dice
    const { trees, tree } = this.#publisher
    const mirror = this.#mirror
    mirror.fault = undefined
    switch (dice.roll(10)) {
      case 0:
        mirror.tree = dice.pick(trees) ?? tree
        break
      case 1:
        mirror.tree = mixTrees(dice, trees)
        break
      case 2:
        mirror.tree = mixTrees(dice, [tree, dice.pick(trees) ?? tree])
        break
      case 3:
        mirror.tree = damage(dice, dice.pick(trees) ?? tree)
        break
      case 4:
        mirror.tree = tree
        mirror.fault = this.#chooseFault()
        break
      case 5:
        mirror.tree = forge(dice, this.#publisher, imitate(this.#publisher.repository), this.#now)
        break
      case 6:
      case 7:
        mirror.tree = forge(dice, this.#publisher, this.#stolen, this.#now)
        break
      case 8:
        mirror.tree = usurp(dice, this.#publisher, this.#now)
        break
      default:
        mirror.tree = tree
    }
  }

  #chooseFault(): ServedTree['fault'] {
    const letter = this.#dice.pick(['t', 's', 'r', '1', '2', 'k'])
    return this.#dice.roll(2) === 0
      ? () => 'unchanged'
      : (path) =>
          path.includes(letter) ? new UpstreamError('TIMED_OUT', `${path} timed out`) : undefined
  }

  async #ask(): Promise<void> {
    if (this.#dice.roll(3) === 2) this.#client = undefined
    try {
      const client = await this.#open()
      if (this.#dice.roll(4) !== 3) await client.refresh()
      await this.#find(client)
    } catch (error) {
      if (!isTufgateError(error)) throw error
    }
  }

  async #open(): Promise<Repository> {
    this.#client ??= await openClient({
      pinnedRoot: this.#pinned,
      storage: this.#storage,
      mirror: this.#mirror,
      clock: () => this.#now + this.#errorMs,
    })
    return this.#client
  }

  async #find(client: Repository): Promise<void> {
    const found = await client.findRecord('foo')
    for (const [role, expiry] of this.#storage.expiries) {
      requireRule(expiry > this.#now + this.#errorMs, `an answer although ${role} has expired`)
    }
    const number = this.#publisher.records.get(found?.digest ?? '')
    if (number === undefined) {
      requireRule(this.#couldForge(), 'no record, or one that nobody has published')
    } else if (this.#stolen.size === 0) {
      requireRule(number >= this.#newest, 'an older record than before')
      this.#newest = number
    }
  }

  /** Where snapshot has hashes, nothing can be exchanged without its key and that of timestamp. */
  #couldForge(): boolean {
    const { hashes } = this.#publisher.repository
    const isListed = this.#stolen.has('timestamp') && this.#stolen.has('snapshot')
    return (this.#stolen.has('targets') || this.#stolen.has(team)) && (!hashes || isListed)
  }

  /** An honest mirror and a right clock; after a theft, new keys for what was stolen (TUF 5.3.11). */
  async #heal(): Promise<void> {
    this.#errorMs = 0
    this.#mirror.fault = undefined
    if (this.#stolen.size === 0) this.#publisher.publish(this.#now)
    else this.#rotate([...new Set(['timestamp', 'snapshot', ...this.#stolen.keys()] as const)])
    this.#mirror.tree = this.#publisher.tree
    if (this.#dice.roll(2) === 1) this.#client = undefined
    const client = await this.#open()
    try {
      await client.refresh()
      const found = await client.findRecord('foo')
      const number = this.#publisher.records.get(found?.digest ?? '')
      requireSame(number, this.#publisher.number, 'an honest mirror does not heal')
    } catch (error) {
      if (!isTufgateError(error)) throw error
      requireSame(`${error.code} ${error.message}`, '', 'an honest mirror does not heal')
    }
  }
}

interface ClientParts {
  readonly pinnedRoot: Uint8Array
  readonly storage: MemoryStorage
  readonly mirror: ServedTree
  readonly clock: () => number
}

function openClient({ pinnedRoot, storage, mirror, clock }: ClientParts): Promise<Repository> {
  return Repository.open({
    pinnedRoot,
    pinnedRootName: 'pinned.root.json',
    sources: [mirror],
    storage,
    content: storage,
    recordPath: 'simple/{project}/index.json',
    timing: { refreshMs: 60_000, recheckMs: 60_000, patienceMs: 1000, retryMs: 1 },
    maxUnseenMs: 100 * dayMs,
    limits: defaultRefreshLimits,
    maxRecordBytes: 1_000_000,
    maxDelegations: 32,
    clock,
    report: () => undefined,
  })
}

export const workflowTarget: FuzzTarget = {
  name: 'update-workflow',
  rule: 'nothing is accepted that the keys of then have not signed, nothing goes back, and an honest mirror heals',
  seeds: () => [],
  make: (dice) => Uint8Array.from({ length: tapeBytes }, () => dice.roll(256)),
  share: 0.3,
  run: (input) => new Case(readTape(input)).run(),
}
