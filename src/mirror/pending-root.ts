/**
 * A new root that has been decided and that no client has seen yet. It appears in the same breath as
 * the timestamp that its keys sign, so that clients never wait between the two; until then it is
 * kept in the database, committed together with everything that depends on it.
 */

import { decodeUtf8, encodeUtf8, type Bytes } from '../base/bytes.ts'
import { readString } from '../base/decode.ts'
import type { MirrorMemory } from './open-mirror.ts'
import { metadataPath } from './tree-layout.ts'
import type { Setting } from './settings.ts'

const pendingRoot: Setting<string> = { name: 'pending-root', read: readString }

export interface PendingRoot {
  readonly bytes: Bytes
  readonly path: string
}

export function putPendingRoot({ settings }: MirrorMemory, bytes: Bytes): void {
  settings.put(pendingRoot, decodeUtf8(bytes))
}

export function findPendingRoot({ settings, roles }: MirrorMemory): PendingRoot | undefined {
  const text = settings.find(pendingRoot)
  if (text === undefined) return undefined
  return { bytes: encodeUtf8(text), path: metadataPath('root', roles.require('root').version) }
}

/** Once it is out. */
export function clearPendingRoot({ ledger }: MirrorMemory): void {
  ledger.database.run('DELETE FROM setting WHERE name = ?', pendingRoot.name)
}
