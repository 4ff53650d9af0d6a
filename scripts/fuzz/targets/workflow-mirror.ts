/** The hostile half: replays, mixes, cuts, bends and forges what was published, by the dice. */

import type { Bytes } from '../../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { UpstreamError } from '../../../src/base/errors.ts'
import { metadataPath, targetPath } from '../../../src/client/repository-path.ts'
import type { FetchedMetadata, RepositorySource } from '../../../src/client/repository-source.ts'
import { signDocument } from '../../../test/support/tuf-repository.ts'
import type { MetaEntry } from '../../../test/support/tuf-documents.ts'
import {
  createSignerFor,
  createSigner,
  type TestSigner,
} from '../../../test/support/tuf-signers.ts'
import type { Dice } from '../dice.ts'
import {
  buildRecord,
  dayMs,
  recordTarget,
  roles,
  team,
  type Publisher,
  type Role,
  type Tree,
} from './workflow-publisher.ts'

export class ServedTree implements RepositorySource {
  readonly name = 'mirror'
  tree: Tree = new Map()
  /** In place of a file: an error, or "not modified" although it is. */
  fault: ((path: string) => 'unchanged' | Error | undefined) | undefined

  async fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<FetchedMetadata | 'absent' | 'unchanged'> {
    const bytes = await this.fetchTarget(path, maxBytes)
    if (bytes === undefined) return 'absent'
    const found = `"${sha256Hex(bytes)}"`
    const isUnchanged = etag === found || this.fault?.(path) === 'unchanged'
    return etag !== undefined && isUnchanged ? 'unchanged' : { bytes, etag: found }
  }

  async fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined> {
    const fault = this.fault?.(path)
    if (fault instanceof Error) throw fault
    const bytes = this.tree.get(path)
    if (bytes !== undefined && bytes.length > maxBytes) {
      throw new UpstreamError('TOO_LARGE', `${path} is longer than ${maxBytes} bytes`)
    }
    return bytes
  }
}

/** One file of each from any of the trees. */
export function mixTrees(dice: Dice, trees: readonly Tree[]): Tree {
  const paths = new Set(trees.flatMap((tree) => [...tree.keys()]))
  const mixed = new Map<string, Bytes>()
  for (const path of paths) {
    const bytes = dice.pick(trees)?.get(path)
    if (bytes !== undefined) mixed.set(path, bytes)
  }
  return mixed
}

/** One file is cut off, bent, gone, longer or in the place of another. */
export function damage(dice: Dice, tree: Tree): Tree {
  const path = dice.pick([...tree.keys()])
  const other = dice.pick([...tree.values()])
  const bytes = path === undefined ? undefined : tree.get(path)
  if (path === undefined || bytes === undefined || other === undefined) return tree
  const damaged = new Map(tree)
  const at = dice.roll(bytes.length)
  switch (dice.roll(7)) {
    case 5:
    case 6:
      return swapVersions(dice, tree)
    case 0:
      damaged.set(path, bytes.slice(0, at))
      break
    case 1:
      damaged.delete(path)
      break
    case 2:
      damaged.set(path, other)
      break
    case 3:
      damaged.set(path, Uint8Array.from([...bytes, 0x20]))
      break
    default:
      damaged.set(path, bytes.with(at, (bytes[at] ?? 0) ^ (1 << dice.roll(8))))
  }
  return damaged
}

/** Another version of the same role, under the name of the one that is asked for. */
function swapVersions(dice: Dice, tree: Tree): Tree {
  const swapped = new Map(tree)
  const names = [...tree.keys()].flatMap((path) => /^metadata\/\d+(\..*)$/.exec(path)?.[1] ?? [])
  const role = dice.pick([...new Set(names)])
  if (role === undefined) return tree
  const versions = [...tree].filter(([path]) => path.endsWith(role))
  for (const [path] of versions) {
    const [, bytes] = dice.pick(versions) ?? []
    if (bytes !== undefined) swapped.set(path, bytes)
  }
  return swapped
}

interface Document {
  version: number
  expires: string
  meta?: Record<string, MetaEntry>
  targets?: Record<string, object>
}

/**
 * The newest tree with some roles written anew, from the inside out, so that lengths, hashes and
 * versions fit wherever the keys reach. `keys`: with what each of them is signed.
 */
export function forge(
  dice: Dice,
  { repository, tree }: Publisher,
  keys: ReadonlyMap<Role, readonly TestSigner[]>,
  now: number,
): Tree {
  const forged = new Map(tree)
  const isPrefixed = repository.root.consistent_snapshot === true
  const evil = buildRecord(1_000_000)
  const listed = new Map<string, { readonly version: number; readonly bytes: Bytes }>()
  for (const role of [team, 'targets', 'snapshot', 'timestamp'] as const) {
    const signers = keys.get(role)
    if (signers === undefined) continue
    const document = readNewest(repository.render(role))
    document.version += dice.pick([0, 1, 1, 1000, -1])
    document.expires = formatUtcSeconds(now + dice.pick([1, 2, 400]) * dayMs)
    if (role === team) document.targets = { [recordTarget]: describe(evil) }
    if (document.meta !== undefined) relist(document.meta, listed, repository.hashes)
    if (document.meta !== undefined && dice.roll(4) === 3) bendList(dice, document.meta)
    const bytes = signDocument(document, signers)
    const isVersioned = isPrefixed && role !== 'timestamp'
    forged.set(metadataPath(role, isVersioned ? document.version : undefined), bytes)
    listed.set(`${role}.json`, { version: document.version, bytes })
  }
  if (keys.has(team))
    forged.set(targetPath(recordTarget, isPrefixed ? sha256Hex(evil) : undefined), evil)
  return forged
}

function readNewest(bytes: Bytes): Document {
  return (JSON.parse(Buffer.from(bytes).toString()) as { signed: Document }).signed
}

function describe(bytes: Bytes): { length: number; hashes: { sha256: string } } {
  return { length: bytes.length, hashes: { sha256: sha256Hex(bytes) } }
}

function relist(
  meta: Record<string, MetaEntry>,
  listed: ReadonlyMap<string, { readonly version: number; readonly bytes: Bytes }>,
  isHashed: boolean,
): void {
  for (const [file, { version, bytes }] of listed) {
    if (meta[file] !== undefined) meta[file] = { version, ...(isHashed && describe(bytes)) }
  }
}

/** An older file than before, or none. */
function bendList(dice: Dice, meta: Record<string, MetaEntry>): void {
  const file = dice.pick(Object.keys(meta)) ?? ''
  const entry = meta[file]
  if (entry === undefined) return
  if (dice.roll(2) === 0) Reflect.deleteProperty(meta, file)
  else meta[file] = { version: Math.max(1, entry.version - 1 - dice.roll(3)) }
}

/** A next root that names nobody but a stranger, signed by him, and perhaps by one who may. */
export function usurp(dice: Dice, publisher: Publisher, now: number): Tree {
  const { repository } = publisher
  const stranger = createSigner()
  const root = structuredClone(repository.root)
  root.version += 1
  root.keys = { [stranger.keyid]: stranger.key }
  for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
    root.roles[role] = { keyids: [stranger.keyid], threshold: 1 }
  }
  const thief = dice.roll(2) === 0 ? [] : repository.signersOf('root').slice(0, 1)
  const keys = new Map(roles.map((role) => [role, [stranger]] as const))
  const tree = forge(dice, publisher, keys, now)
  const bytes = signDocument(root, [stranger, ...thief])
  return new Map([...tree, [metadataPath('root', root.version), bytes]])
}

/** Under the ids of the true keys, and by nobody who has them. */
export function imitate(repository: Publisher['repository']): Map<Role, TestSigner[]> {
  return new Map(
    roles.map((role) => [
      role,
      repository
        .signersOf(role)
        .map(({ keyid }) => createSignerFor(createSigner().privateKey, 'ed25519', keyid)),
    ]),
  )
}
