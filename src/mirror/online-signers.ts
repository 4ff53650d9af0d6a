/** The keys that sign without a person: one each for the bins, snapshot and timestamp. */

import { join } from 'node:path'
import { StorageError } from '../base/errors.ts'
import { openFileSigner, requireKeyOf, type Signer } from '../signing/signer.ts'
import { parseRoot, parseTargets } from '../tuf/parse.ts'
import { keysFolder, type Mirror } from './open-mirror.ts'
import { metadataPath } from './tree-layout.ts'

export interface OnlineSigners {
  readonly bin: Signer
  readonly snapshot: Signer
  readonly timestamp: Signer
}

export const keyFileNames = {
  bin: 'bins-nn.pem',
  snapshot: 'snapshot.pem',
  timestamp: 'timestamp.pem',
} as const satisfies Record<keyof OnlineSigners, string>

/**
 * Reads the keys and compares them with what the offline roles delegate to: what another key signs
 * would be refused by every client, so it is never published. Throws KEY_INVALID.
 */
export async function openOnlineSigners(mirror: Mirror): Promise<OnlineSigners> {
  const open = (name: string): Promise<Signer> =>
    openFileSigner(join(mirror.directory, keysFolder, name))
  const bin = await open(keyFileNames.bin)
  const snapshot = await open(keyFileNames.snapshot)
  const timestamp = await open(keyFileNames.timestamp)
  const root = parseRoot(await readPublished(mirror, 'root')).claimed
  requireKeyOf('snapshot', root.roles.snapshot.keyids, snapshot)
  requireKeyOf('timestamp', root.roles.timestamp.keyids, timestamp)
  const bins = parseTargets(await readPublished(mirror, 'bins'), 'bins').claimed
  requireKeyOf('bins-NN', bins.delegations?.bins?.keyids ?? [], bin)
  return { bin, snapshot, timestamp }
}

async function readPublished(mirror: Mirror, role: string): Promise<Uint8Array> {
  const path = metadataPath(role, mirror.roles.require(role).version)
  const bytes = await mirror.tree.read(path)
  if (bytes !== undefined) return bytes
  throw new StorageError('STORAGE_FAILED', `${path} is missing in ${mirror.tree.folder}`, {
    role,
    next: 'Put it back from a backup or from a client; it was published once.',
  })
}
