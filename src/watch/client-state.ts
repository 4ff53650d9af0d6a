/**
 * What a client of the check remembers: nothing at all (a new one), or what the last check that
 * found nothing left in `DIR/check` (a returning one).
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { createTrustStorage } from '../client/trust-storage.ts'
import type { TrustStorage } from '../client/trusted-state.ts'
import { FloorStore } from '../store/floors.ts'
import { MetadataDirectory } from '../store/metadata-directory.ts'
import { noFloors, type Floors } from '../tuf/floors.ts'
import { clientLimits } from './check-client.ts'

export const checkFolder = 'check'

/** Of a client that has never been here, and leaves nothing behind. */
export function createForgetfulStorage(): TrustStorage {
  return {
    readFloors: () => noFloors,
    readRoot: () => Promise.resolve(undefined),
    saveRoot: () => Promise.resolve(),
    read: () => Promise.resolve(undefined),
    save: () => Promise.resolve(),
    commit: () => Promise.resolve(),
    setAside: () => Promise.resolve(),
  }
}

export interface ReturningState {
  readonly storage: TrustStorage
  /** Before the check. */
  readonly floors: Floors
  /** What was accepted becomes what is remembered: only once the tree is out, and has no fault. */
  keep(): Promise<void>
  close(): void
}

interface Accepted {
  readonly floors: Floors
  readonly metadata: ReadonlyMap<string, Bytes>
}

export async function openReturningState(
  directory: string,
  warn: (message: string) => void,
): Promise<ReturningState> {
  const folder = join(directory, checkFolder)
  const metadata = await MetadataDirectory.open(join(folder, 'metadata'), { onWarning: warn })
  const floors = FloorStore.open(join(folder, 'floors.db'), { onDamaged: warn })
  const storage = createTrustStorage(metadata, floors, clientLimits.refresh)
  // The mirror judges the clock itself; what it once dated ahead must not stop it for ever.
  const known = { ...floors.read(), signedAt: 0 }
  const roots = new Map<number, Bytes>()
  let accepted: Accepted | undefined
  return {
    floors: known,
    storage: {
      ...storage,
      readFloors: () => known,
      // Metadata is read from the tree every time: it is the tree that is checked.
      read: () => Promise.resolve(undefined),
      saveRoot: (version, bytes) => {
        roots.set(version, bytes)
        return Promise.resolve()
      },
      save: () => Promise.resolve(),
      commit: (raised, bytes) => {
        accepted = { floors: raised, metadata: bytes }
        return Promise.resolve()
      },
    },
    keep: async () => {
      for (const [version, bytes] of roots) await storage.saveRoot(version, bytes)
      if (accepted !== undefined) await storage.commit(accepted.floors, accepted.metadata)
    },
    close: () => floors.close(),
  }
}
