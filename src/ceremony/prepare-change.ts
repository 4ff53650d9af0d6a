/**
 * `mirror root new`: from the published state and a request to the file that people sign.
 *
 * New online keys are made last, when nothing can be refused any more. They wait beside those in use
 * until the change is published; the mirror works on meanwhile.
 */

import { join } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { catchUp } from '../mirror/catch-up.ts'
import { requireBitLength } from '../mirror/bins.ts'
import type { Delegation } from '../mirror/metadata-documents.ts'
import {
  keysFolder,
  openMirror,
  requireClock,
  type Mirror,
  type MirrorContext,
} from '../mirror/open-mirror.ts'
import { findPendingRoot } from '../mirror/pending-root.ts'
import type { OfflineRole, OnlineRole } from '../mirror/role-names.ts'
import { dayMs } from '../mirror/settings.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import type { KeyKind } from '../signing/key-file.ts'
import { buildNextKey, type NextKey } from '../signing/next-key.ts'
import type { NamedKey } from '../signing/public-key.ts'
import { buildDocuments, type ChangeRequest } from './build-change.ts'
import { renderChange, type Change } from './change-file.ts'
import { checkChange, type CheckedChange } from './check-change.ts'
import { describeChange } from './describe-change.ts'
import type { Draft } from './draft.ts'
import type { HeldKey } from './key-changes.ts'
import { readOfflineDocuments, readRoots } from './published-state.ts'
import { namedIn, readHeldKeys, type ManagedRole } from './role-keys.ts'
import { listRotations } from './stolen-keys.ts'
import type { Bytes } from '../base/bytes.ts'

export interface PrepareOptions extends MirrorContext {
  readonly directory: string
  readonly addKeys?: readonly { readonly role: OfflineRole; readonly key: HeldKey }[]
  readonly removeKeys?: readonly { readonly role: OfflineRole; readonly keyid: string }[]
  readonly thresholds?: ReadonlyMap<OfflineRole, number>
  readonly isRenewal?: boolean
  /** Default 365 days. */
  readonly expiresInMs?: number
  /** With a key, or `undefined` where one is to be made. */
  readonly rotate?: ReadonlyMap<OnlineRole, NamedKey | undefined>
  /** `keyid`: needed where an offline role has several keys. */
  readonly stolen?: readonly { readonly role: ManagedRole; readonly keyid?: string }[]
  readonly bins?: number
  /** Which owners are to be named offline (PEP 480). */
  readonly listClaims?: (mirror: Mirror) => readonly Delegation[]
  /** The roles of owners that are not to be named any more. */
  readonly listReleased?: (mirror: Mirror) => readonly string[]
  readonly acceptLossRisk?: boolean
}

export interface PreparedChange {
  readonly bytes: Bytes
  readonly checked: CheckedChange
  readonly summary: readonly string[]
  /** The online roles for which a key waits now. */
  readonly newKeys: readonly OnlineRole[]
}

const defaultExpiresInMs = 365 * dayMs

export async function prepareChange(options: PrepareOptions): Promise<PreparedChange> {
  const mirror = await openMirror(options.directory, options)
  try {
    const now = mirror.clock()
    requireClock(mirror, now)
    // What a thief has put into the tree must not be taken for what was published.
    if ((options.stolen ?? []).length === 0) await catchUp(mirror)
    await requireNoOtherChange(mirror)
    const published = await readOfflineDocuments(mirror)
    const newKeys = await buildOnlineKeys(mirror, published, options)
    const documents = buildDocuments(published, buildRequest(mirror, published, options, newKeys), {
      expires: now + (options.expiresInMs ?? defaultExpiresInMs),
      nextVersion: (role) => mirror.roles.allocate(role),
    })
    const drafts = new Map<OfflineRole, Draft>(
      [...documents].map(([role, signed]) => [role, { signed, signatures: new Map() }]),
    )
    const previous = new Map(
      [...published].filter(
        ([role]) => role === 'targets' || (role !== 'root' && drafts.has(role)),
      ),
    )
    const change: Change = { roots: await readRoots(mirror), previous, documents: drafts }
    return await finish(mirror, change, newKeys)
  } finally {
    await mirror.close()
  }
}

async function finish(
  mirror: Mirror,
  change: Change,
  newKeys: ReadonlyMap<OnlineRole, NamedKey | NextKey>,
): Promise<PreparedChange> {
  const checked = checkChange(change)
  const summary = describeChange(checked)
  for (const [role, key] of newKeys) {
    if (!('put' in key)) continue
    if (key.isReplacing) warnOfReplaced(mirror, role)
    await key.put()
  }
  return { bytes: renderChange(change, summary), checked, summary, newKeys: [...newKeys.keys()] }
}

function warnOfReplaced({ report, directory }: Mirror, role: OnlineRole): void {
  report({
    kind: 'warning',
    message: `The key that waited for ${role} is gone, and this change has a new one: one that was prepared earlier with it cannot be published any more`,
    next: `Throw the earlier change file away; to publish that one after all, put back its ${role}.next.pem in ${join(directory, keysFolder)} from a backup.`,
  })
}

/** Two at once would have the same version of root: one of them could never be published. */
async function requireNoOtherChange(mirror: Mirror): Promise<void> {
  if (findPendingRoot(mirror) !== undefined) {
    throw new ConfigError('HELD', 'A change was begun to be published, and is not out yet', {
      role: 'root',
      next: `Finish it first: tufgate mirror root publish ${mirror.directory} with the file of that change, or tufgate mirror renew.`,
    })
  }
  const path = metadataPath('root', mirror.roles.require('root').version + 1)
  if ((await mirror.tree.read(path)) === undefined) return
  throw new ConfigError('HELD', `mirror.db does not know ${path}, which is published`, {
    role: 'root',
    next: `The database is older than the tree: run tufgate mirror sync ${mirror.directory} first.`,
  })
}

async function buildOnlineKeys(
  mirror: Mirror,
  published: ReadonlyMap<OfflineRole, Draft>,
  { rotate = new Map(), stolen = [] }: PrepareOptions,
): Promise<Map<OnlineRole, NamedKey | NextKey>> {
  const folder = join(mirror.directory, keysFolder)
  const roles = new Set([...rotate.keys(), ...listRotations(stolen.map(({ role }) => role))])
  const keys = new Map<OnlineRole, NamedKey | NextKey>()
  for (const role of roles) {
    const given = rotate.get(role)
    keys.set(role, given ?? (await buildNextKey(folder, role, kindOf(role, published))))
  }
  return keys
}

const kinds: ReadonlyMap<unknown, KeyKind> = new Map([
  ['ed25519', 'ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-p256'],
  ['ecdsa-sha2-nistp384', 'ecdsa-p384'],
  ['rsassa-pss-sha256', 'rsa-pss'],
])

/** The same as that of the key which it replaces. */
function kindOf(role: OnlineRole, published: ReadonlyMap<OfflineRole, Draft>): KeyKind {
  const document = published.get(namedIn[role])
  const [key] = document === undefined ? [] : readHeldKeys(document.signed, role).keys.values()
  return kinds.get(key?.['scheme']) ?? 'ed25519'
}

function buildRequest(
  mirror: Mirror,
  published: ReadonlyMap<OfflineRole, Draft>,
  options: PrepareOptions,
  onlineKeys: ReadonlyMap<OnlineRole, NamedKey>,
): ChangeRequest {
  const {
    addKeys,
    removeKeys = [],
    thresholds,
    isRenewal,
    bins,
    listClaims,
    listReleased,
  } = options
  return {
    ...(addKeys !== undefined && { addKeys }),
    removeKeys: [...removeKeys, ...listStolenKeys(published, options)],
    ...(thresholds !== undefined && { thresholds }),
    ...(isRenewal !== undefined && { isRenewal }),
    onlineKeys,
    ...(bins !== undefined && { bitLength: requireBitLength(bins) }),
    ...(listClaims !== undefined && { claims: listClaims(mirror) }),
    ...(listReleased !== undefined && { released: listReleased(mirror) }),
    acceptLossRisk: options.acceptLossRisk === true,
  }
}

/** Of offline roles; the key of an online one is replaced as a whole. */
function listStolenKeys(
  published: ReadonlyMap<OfflineRole, Draft>,
  { stolen = [] }: PrepareOptions,
): { role: OfflineRole; keyid: string }[] {
  return stolen.flatMap(({ role, keyid }) => {
    if (!isOffline(role)) return []
    const document = published.get(namedIn[role])
    const keyids =
      document === undefined ? [] : [...readHeldKeys(document.signed, role).keys.keys()]
    const [only, ...others] = keyids
    if (keyid !== undefined) return [{ role, keyid }]
    if (only !== undefined && others.length === 0) return [{ role, keyid: only }]
    throw new ConfigError(
      'CONFIG_INVALID',
      `${role} has ${keyids.length} keys: which was stolen?`,
      {
        role,
        expected: keyids.join(', '),
        next: `Say --stolen ${role}=KEYID; the beginning of the key id is enough.`,
      },
    )
  })
}

function isOffline(role: ManagedRole): role is OfflineRole {
  return role === 'root' || role === 'targets' || role === 'claimed' || role === 'bins'
}
