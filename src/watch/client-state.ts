/**
 * What a client of the check remembers: nothing at all (a new one), or the versions that it has seen (a
 * returning one), as the last check that found nothing left them in `DIR/check`. Metadata is never
 * remembered: it is the tree that is checked.
 */

import { join } from 'node:path'
import type { TrustStorage } from '../client/trusted-state.ts'
import { FloorStore } from '../store/floors.ts'
import { makeFolder } from '../store/published-tree.ts'
import { noFloors, type Floors } from '../tuf/floors.ts'

const checkFolder = 'check'

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
  keep(): void
  close(): void
}

export async function openReturningState(
  directory: string,
  warn: (message: string) => void,
): Promise<ReturningState> {
  const folder = join(directory, checkFolder)
  await makeFolder(folder)
  const store = FloorStore.open(join(folder, 'floors.db'), { onDamaged: warn })
  // The mirror judges the clock itself; what it once dated ahead must not stop it for ever.
  const floors = { ...store.read(), signedAt: 0 }
  let accepted: Floors | undefined
  return {
    floors,
    storage: {
      ...createForgetfulStorage(),
      readFloors: () => floors,
      commit: (raised) => {
        accepted = raised
        return Promise.resolve()
      },
    },
    keep: () => {
      if (accepted !== undefined) store.raise(accepted, () => undefined)
    },
    close: () => store.close(),
  }
}
