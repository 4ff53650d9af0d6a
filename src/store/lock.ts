/**
 * One process at a time in a folder, such as the one where a mirror keeps its keys and its journal.
 *
 * The lock is the kernel's, held through SQLite: it ends with the process, even by kill -9, so that
 * there are no stale locks to guess about. The file beside it only says who holds it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { toPrintable } from '../base/bytes.ts'
import { StorageError } from '../base/errors.ts'
import { removeIfThere } from './atomic-file.ts'
import { holdExclusively } from './database.ts'

export interface Lock {
  release(): void
}

/** Throws StorageError STATE_BUSY, naming the holder, while another process holds it. */
export function acquireLock(path: string): Lock {
  const held = holdOrExplain(path)
  const holderPath = `${path}.holder`
  writeFileSync(holderPath, `process ${process.pid} since ${new Date().toISOString()}\n`, {
    mode: 0o600,
  })
  return {
    release: () => {
      removeIfThere(holderPath)
      held.close()
    },
  }
}

function holdOrExplain(path: string): { close(): void } {
  try {
    return holdExclusively(path, 0)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'STATE_BUSY') throw error
    const holder = findHolder(`${path}.holder`)
    throw new StorageError('STATE_BUSY', `${path} is held by ${holder}`, {
      found: holder,
      next: 'wait for that process to end, or stop it',
      cause: error,
    })
  }
}

function findHolder(path: string): string {
  try {
    return toPrintable(readFileSync(path, 'utf8').trim(), 120)
  } catch {
    // The holder has only just come or is about to go.
    return 'another process'
  }
}
