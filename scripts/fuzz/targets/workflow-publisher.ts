/**
 * The honest half of the update workflow: publishes, renews, rotates keys, and keeps every tree that it
 * ever published. Whoever holds some of its keys forges with them here too.
 */

import type { Bytes } from '../../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { metadataPath, targetPath } from '../../../src/client/repository-path.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { TufRepository } from '../../../test/support/tuf-repository.ts'
import { createSigner, type TestSigner } from '../../../test/support/tuf-signers.ts'
import type { Dice } from '../dice.ts'

/** Files of a mirror by their path. */
export type Tree = ReadonlyMap<string, Bytes>

export const dayMs = 86_400_000
export const recordTarget = 'simple/foo/index.json'
export const team = 'team'
export const roles = ['timestamp', 'snapshot', 'targets', team] as const
export type Role = (typeof roles)[number]

export class Publisher {
  readonly repository: TufRepository
  readonly trees: Tree[] = []
  /** Everybody who ever signed, by public key. */
  readonly signers = new Map<string, TestSigner>()
  /** Roots that took keys of timestamp or snapshot away. */
  readonly rotations = new Set<number>()
  readonly records = new Map<string, number>()
  #number = 0

  constructor(dice: Dice, now: number) {
    this.repository = new TufRepository({
      now,
      consistentSnapshot: dice.roll(4) !== 3,
      hashes: dice.roll(2) === 1,
    })
    const { repository } = this
    repository.setKeys('root', [this.#create(), this.#create()], 2)
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
      const count = 1 + dice.roll(2)
      repository.setKeys(role, this.#createMany(count), count)
    }
    repository.root.expires = formatUtcSeconds(now + 3650 * dayMs)
    repository.publishRoot()
    const count = 1 + dice.roll(2)
    repository.delegate(team, {
      paths: ['simple/*/*'],
      signers: this.#createMany(count),
      threshold: count,
      terminating: dice.roll(2) === 1,
    })
    this.publish(now)
  }

  get tree(): Tree {
    return this.trees.at(-1) ?? new Map()
  }

  /** The number of the record that was published last. */
  get number(): number {
    return this.#number
  }

  publish(now: number): void {
    const { repository } = this
    this.#number += 1
    const record = buildRecord(this.#number)
    this.records.set(sha256Hex(record), this.#number)
    repository.targets.version += 1
    repository.addTarget(recordTarget, record, team)
    for (const role of ['targets', team]) {
      repository.role(role).expires = formatUtcSeconds(now + 30 * dayMs)
    }
    repository.snapshot.expires = formatUtcSeconds(now + 7 * dayMs)
    this.#date(now)
    repository.publish()
    this.#keep()
  }

  /** A timestamp alone. */
  renew(now: number): void {
    this.#date(now)
    this.repository.timestamp.version += 1
    this.#keep()
  }

  /** A snapshot of the same files, and a timestamp. */
  relist(now: number): void {
    this.repository.snapshot.expires = formatUtcSeconds(now + 7 * dayMs)
    this.#date(now)
    this.repository.publish()
    this.#keep()
  }

  rotate(rotated: readonly (Role | 'root')[], now: number): void {
    const { repository } = this
    repository.renewRoot(() => {
      for (const role of rotated) {
        if (role !== team) repository.setKeys(role, this.#createMany(this.#countOf(role)))
        if (role !== team) this.#keepThreshold(role)
      }
    })
    if (rotated.includes('timestamp') || rotated.includes('snapshot')) {
      this.rotations.add(repository.root.version)
    }
    if (rotated.includes(team)) this.#rotateTeam()
    this.publish(now)
  }

  #rotateTeam(): void {
    const { delegations } = this.repository.targets
    const [entry] = delegations?.roles ?? []
    if (delegations === undefined || entry === undefined) return
    const signers = this.#createMany(entry.keyids.length)
    this.repository.signers.set(team, signers)
    entry.keyids = signers.map(({ keyid }) => keyid)
    delegations.keys = Object.fromEntries(signers.map(({ keyid, key }) => [keyid, key]))
  }

  #countOf(role: 'root' | 'timestamp' | 'snapshot' | 'targets'): number {
    return this.repository.root.roles[role].keyids.length
  }

  #keepThreshold(role: 'root' | 'timestamp' | 'snapshot' | 'targets'): void {
    const entry = this.repository.root.roles[role]
    entry.threshold = entry.keyids.length
  }

  #date(now: number): void {
    const { timestamp } = this.repository
    timestamp.expires = formatUtcSeconds(now + 2 * dayMs)
    const time = formatUtcSeconds(now)
    timestamp['x-tufgate'] = { signed: time, 'index-seen': time }
  }

  #createMany(count: number): TestSigner[] {
    return Array.from({ length: count }, () => this.#create())
  }

  #create(): TestSigner {
    const signer = createSigner()
    this.signers.set(signer.key.keyval.public, signer)
    return signer
  }

  /** As a mirror does, it keeps what it had where names have versions. */
  #keep(): void {
    const { repository } = this
    const isPrefixed = repository.root.consistent_snapshot === true
    const tree = new Map(this.tree)
    for (const [version, bytes] of repository.publishedRoots) {
      tree.set(metadataPath('root', version), bytes)
    }
    const documents = { snapshot: repository.snapshot, targets: repository.targets }
    for (const [role, { version }] of [
      ...Object.entries(documents),
      ...repository.delegated.entries(),
    ]) {
      tree.set(metadataPath(role, isPrefixed ? version : undefined), repository.render(role))
    }
    tree.set(metadataPath('timestamp', undefined), repository.render('timestamp'))
    for (const [path, bytes] of repository.content) {
      tree.set(targetPath(path, isPrefixed ? sha256Hex(bytes) : undefined), bytes)
    }
    this.trees.push(tree)
  }
}

export function buildRecord(number: number): Bytes {
  const file = {
    filename: `foo-${number}.tar.gz`,
    hashes: { sha256: 'ab'.repeat(32) },
    size: 3,
    url: `https://files.example/foo-${number}.tar.gz`,
  }
  const record = { files: [file], meta: { 'api-version': '1.4' }, name: 'foo', versions: [] }
  return Uint8Array.from(Buffer.from(JSON.stringify(record)))
}
