/**
 * `mirror audit-keys`: every key of this mirror, where it is as far as this machine knows, and what it
 * would be worth to a thief, computed from what is published.
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { listKeys, type FoundKey } from '../signing/found-key.ts'
import { readRegular } from '../store/regular-file.ts'
import type { RoleKeys, Root, Snapshot, Targets, Timestamp } from '../tuf/metadata.ts'
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../tuf/parse.ts'
import { keysFolder, publicFolder, readMirror, type MirrorMemory } from './open-mirror.ts'
import { findPendingRoot } from './pending-root.ts'
import { onlineRoles } from './role-names.ts'
import type { MatrixRole, MirrorShape, RoleShape } from './theft-matrix.ts'
import { listThefts, type TheftRow } from './theft-rows.ts'
import { metadataPath } from './tree-layout.ts'

export interface AuditedKey {
  readonly role: MatrixRole
  readonly keyid: string
  readonly threshold: number
  /** Of so many keys of the role. */
  readonly keys: number
  /** Absent: not on this machine, as far as it was looked for. */
  readonly place?: FoundKey
  readonly isOnline: boolean
}

export interface KeyAudit {
  readonly keys: readonly AuditedKey[]
  readonly projects: MirrorShape['projects']
  readonly thefts: readonly TheftRow[]
  readonly warnings: readonly string[]
}

/** Reads only; works while the mirror does. Throws MALFORMED or a StorageError where it is damaged. */
export async function auditKeys(directory: string): Promise<KeyAudit> {
  const shape = await readMirrorShape(directory)
  const places = await findPlaces(directory)
  const keys = listAuditedKeys(shape, places)
  const warnings = [...warnOfKeys(keys), ...warnOfRoot(shape), ...warnOfFiles(places)]
  return { keys, projects: shape.projects, thefts: listThefts(shape), warnings }
}

/** Who can sign what here: all that the worth of a stolen key depends on. */
export function readMirrorShape(directory: string): Promise<MirrorShape> {
  return readMirror(directory, (memory) => readShape(memory, join(directory, publicFolder)))
}

interface Published {
  readonly root: Root
  readonly targets: Targets
  readonly claimed: Targets
  readonly recent: Targets
  readonly bins: Targets
  readonly snapshot: Snapshot
  readonly timestamp: Timestamp
}

function readShape(memory: MirrorMemory, tree: string): MirrorShape {
  const published = readPublished(memory, tree)
  const { claimed, recent } = published
  const claimedNames = new Set(claimed.delegations?.roles.keys())
  const recentNames = [...(recent.delegations?.roles.keys() ?? [])]
  const recentlyClaimed = recentNames.filter((name) => !claimedNames.has(name)).length
  const owned = claimedNames.size + recentlyClaimed
  const unclaimed = Math.max(0, memory.ledger.countProjects() - owned)
  return {
    roles: readRoles(memory, published),
    projects: { claimed: claimedNames.size, recentlyClaimed, unclaimed },
  }
}

function readPublished(memory: MirrorMemory, tree: string): Published {
  const read = (role: string): Bytes =>
    readRegular(join(tree, metadataPath(role, memory.roles.require(role).version)))
  const readTargets = (role: string): Targets => parseTargets(read(role), role).claimed
  return {
    root: parseRoot(findPendingRoot(memory)?.bytes ?? read('root')).claimed,
    targets: readTargets('targets'),
    claimed: readTargets('claimed'),
    recent: readTargets('recently-claimed'),
    bins: readTargets('bins'),
    snapshot: parseSnapshot(read('snapshot')).claimed,
    timestamp: parseTimestamp(read('timestamp')).claimed,
  }
}

function readRoles(
  { roles }: MirrorMemory,
  { root, targets, bins, snapshot, timestamp }: Published,
): ReadonlyMap<MatrixRole, RoleShape> {
  const expiryOf = (role: string): number => roles.require(role).expires
  const describe = (role: MatrixRole, keys: RoleKeys | undefined): [MatrixRole, RoleShape] => [
    role,
    {
      keyids: keys?.keyids ?? [],
      threshold: keys?.threshold ?? 1,
      expires: expiryOf(role),
      isPinned: isPinned(snapshot, (name) => name === role),
    },
  ]
  const delegated = (role: MatrixRole): [MatrixRole, RoleShape] =>
    describe(role, targets.delegations?.roles.get(role))
  const binExpiries = roles.listBins().map(({ expires }) => expires)
  const bin: RoleShape = {
    keyids: bins.delegations?.bins?.keyids ?? [],
    threshold: bins.delegations?.bins?.threshold ?? 1,
    expires: binExpiries.reduce((latest, expires) => Math.max(latest, expires), 0),
    isPinned: isPinned(snapshot, (name) => name.startsWith('bins-')),
  }
  const owners = isPinned(snapshot, (name) => name.startsWith('owner-'))
  return new Map<MatrixRole, RoleShape>([
    describe('root', root.roles.root),
    describe('targets', root.roles.targets),
    delegated('deny'),
    delegated('claimed'),
    delegated('recently-claimed'),
    delegated('bins'),
    ['bins-nn', bin],
    [
      'snapshot',
      { ...describe('snapshot', root.roles.snapshot)[1], isPinned: isHashed(timestamp.snapshot) },
    ],
    describe('timestamp', root.roles.timestamp),
    ['owner', { keyids: [], threshold: 1, expires: 0, isPinned: owners }],
  ])
}

function isHashed({ hashes }: { readonly hashes?: unknown }): boolean {
  return hashes !== undefined
}

/** TUF 4.4: a snapshot may say the version of a role alone. */
function isPinned({ meta }: Snapshot, isMeant: (role: string) => boolean): boolean {
  for (const [file, listed] of meta) {
    if (isMeant(file.replace(/\.json$/, '')) && !isHashed(listed)) return false
  }
  return true
}

/** In the folder of keys, and where `init` puts those that ought to be elsewhere. */
async function findPlaces(directory: string): Promise<readonly FoundKey[]> {
  const folders = [join(directory, keysFolder), `${directory.replace(/\/+$/, '')}-offline-keys`]
  return (await Promise.all(folders.map(listKeys))).flat()
}

function listAuditedKeys(shape: MirrorShape, places: readonly FoundKey[]): AuditedKey[] {
  const byKeyid = new Map(places.map((place) => [place.keyid, place]))
  return [...shape.roles].flatMap(([role, { keyids, threshold }]) =>
    keyids.map((keyid) => {
      const place = byKeyid.get(keyid)
      const isOnline = onlineRoles.some((online) => online === role)
      return { role, keyid, threshold, keys: keyids.length, isOnline, ...(place && { place }) }
    }),
  )
}

function warnOfKeys(keys: readonly AuditedKey[]): string[] {
  const offlineHere = keys.filter(({ isOnline, place }) => !isOnline && place !== undefined)
  const missing = keys.filter(({ isOnline, place }) => isOnline && place === undefined)
  return [
    ...(offlineHere.length === 0 ? [] : [warnOfOffline(offlineHere)]),
    ...missing.map(
      ({ role, keyid }) =>
        `The key of ${role} (${keyid.slice(0, 12)}) was not found in ${keysFolder}: nothing of it can be signed here.`,
    ),
    ...warnOfShared(keys),
  ]
}

function warnOfOffline(keys: readonly AuditedKey[]): string {
  const paths = keys.map(({ place }) => place?.path ?? '')
  return `Offline keys lie on this machine: whoever takes the machine has them. Move them to a medium that you then disconnect: ${paths.join(', ')}`
}

function warnOfShared(keys: readonly AuditedKey[]): string[] {
  const byKeyid = new Map<string, string[]>()
  for (const { keyid, role } of keys) byKeyid.set(keyid, [...(byKeyid.get(keyid) ?? []), role])
  return [...byKeyid].flatMap(([keyid, roles]) =>
    roles.length > 1
      ? [
          `${roles.join(', ')} have one key (${keyid.slice(0, 12)}): one theft is worth all of them. Give each a key of its own with: tufgate mirror root new`,
        ]
      : [],
  )
}

function warnOfRoot({ roles }: MirrorShape): string[] {
  const { keyids = [], threshold = 1 } = roles.get('root') ?? {}
  if (threshold === 1) return ['One stolen key of root is enough to own every client.']
  return keyids.length === threshold
    ? [`All ${threshold} keys of root are needed: the loss of one ends the mirror.`]
    : []
}

function warnOfFiles(places: readonly FoundKey[]): string[] {
  return places.flatMap(({ path, problem }) =>
    problem === undefined ? [] : [`${path} could not be looked at: ${problem}`],
  )
}
