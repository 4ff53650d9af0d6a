/** The keys that sign without a person, one for each online role. */

import { join } from 'node:path'
import { ConfigError, StorageError } from '../base/errors.ts'
import { adoptNextKey, findNextSigner } from '../signing/next-key.ts'
import { openKeySigner } from '../signing/open-signer.ts'
import type { AskPassphrase } from '../signing/passphrase.ts'
import { requireKeyOf, type Signer } from '../signing/signer.ts'
import type { DelegatedRole } from '../tuf/metadata.ts'
import { parseRoot, parseTargets } from '../tuf/parse.ts'
import { keysFolder, type Mirror } from './open-mirror.ts'
import { findPendingRoot } from './pending-root.ts'
import type { OnlineRole } from './role-names.ts'
import { metadataPath } from './tree-layout.ts'

export type OnlineSigners = Readonly<Record<OnlineRole, Signer>>

/**
 * Reads the keys and compares them with what the offline roles delegate to: what another key signs
 * would be refused by every client, so it is never published. Throws KEY_INVALID.
 */
export async function openOnlineSigners(mirror: Mirror): Promise<OnlineSigners> {
  const keyids = await readKeyids(mirror)
  const open = (role: OnlineRole): Promise<Signer> =>
    openOnlineSigner(mirror, role, keyids.get(role) ?? [])
  return {
    deny: await open('deny'),
    'recently-claimed': await open('recently-claimed'),
    'bins-nn': await open('bins-nn'),
    snapshot: await open('snapshot'),
    timestamp: await open('timestamp'),
  }
}

/** Once a change has made the next key the right one, it takes its place under the role's name. */
async function openOnlineSigner(
  { directory, askPassphrase }: Mirror,
  role: OnlineRole,
  keyids: readonly string[],
): Promise<Signer> {
  const folder = join(directory, keysFolder)
  const { signer, isNext } = await findOnlineSigner(folder, role, keyids, askPassphrase)
  if (!isNext) return signer
  await adoptNextKey(folder, role)
  return openKeySigner(folder, role, { askPassphrase })
}

/** Changes nothing. Throws KEY_INVALID where neither the key in use nor the next one is the right one. */
export async function findOnlineSigner(
  folder: string,
  role: OnlineRole,
  keyids: readonly string[],
  askPassphrase?: AskPassphrase,
): Promise<{ readonly signer: Signer; readonly isNext: boolean }> {
  const inUse = await openInUse(folder, role, askPassphrase)
  if ('signer' in inUse && keyids.includes(inUse.signer.keyid)) {
    return { signer: inUse.signer, isNext: false }
  }
  const next = await findNextSigner(folder, role, { askPassphrase })
  if (next !== undefined && keyids.includes(next.keyid)) return { signer: next, isNext: true }
  if ('problem' in inUse) throw inUse.problem
  requireKeyOf(role, keyids, inUse.signer)
  return { signer: inUse.signer, isNext: false }
}

/** First: what waits, and may be half written, must not stop a mirror whose key is right. */
async function openInUse(
  folder: string,
  role: OnlineRole,
  askPassphrase?: AskPassphrase,
): Promise<{ readonly signer: Signer } | { readonly problem: ConfigError }> {
  try {
    return { signer: await openKeySigner(folder, role, { askPassphrase }) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { problem: error }
  }
}

/** Of each online role, as the published offline roles have them. */
async function readKeyids(mirror: Mirror): Promise<ReadonlyMap<string, readonly string[]>> {
  const root = parseRoot(await readPublished(mirror, 'root')).claimed
  const targets = parseTargets(await readPublished(mirror, 'targets'), 'targets').claimed
  const bins = parseTargets(await readPublished(mirror, 'bins'), 'bins').claimed
  return new Map([
    ...[...(targets.delegations?.roles.values() ?? [])].map(listKeyids),
    ['bins-nn', bins.delegations?.bins?.keyids ?? []],
    ['snapshot', root.roles.snapshot.keyids],
    ['timestamp', root.roles.timestamp.keyids],
  ])
}

function listKeyids({ name, keyids }: DelegatedRole): readonly [string, readonly string[]] {
  return [name, keyids]
}

/** The newest published version of a role; of root one that is about to appear. Throws STORAGE_FAILED where it is missing. */
export async function readPublished(mirror: Mirror, role: string): Promise<Uint8Array> {
  const pending = role === 'root' ? findPendingRoot(mirror) : undefined
  if (pending !== undefined) return pending.bytes
  const path = metadataPath(role, mirror.roles.require(role).version)
  const bytes = await mirror.tree.read(path)
  if (bytes !== undefined) return bytes
  throw new StorageError('STORAGE_FAILED', `${path} is missing in ${mirror.tree.folder}`, {
    role,
    next: 'Put it back from a backup or from a client; it was published once.',
  })
}
