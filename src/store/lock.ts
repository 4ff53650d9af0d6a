/** One process at a time in a folder. */

export interface Lock {
  release(): void
}

/** Throws StorageError STATE_BUSY, naming the holder, while another process holds it. */
export function acquireLock(_path: string): Lock {
  throw new Error('to come')
}
