/** The floors under which no trusted version may go. */

import type { Floors } from '../tuf/trusted-set.ts'

/** `lost`: there were floors once, and they are gone. Both `new` and `lost` are a first contact. */
export type Contact = 'known' | 'new' | 'lost'

export interface FloorStoreOptions {
  readonly onDamaged?: (message: string) => void
}

export class FloorStore {
  static open(_path: string, _options?: FloorStoreOptions): FloorStore {
    return new FloorStore()
  }

  get contact(): Contact {
    throw new Error('to come')
  }

  isFirstContact(): boolean {
    return this.contact !== 'known'
  }

  read(): Floors {
    throw new Error('to come')
  }

  raise(_floors: Floors, _write: () => void): void {}

  close(): void {}
}
