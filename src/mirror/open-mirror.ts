/** A mirror in its folder: lock, database and published tree, opened and closed together. */

import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { ConfigError, StorageError, VerifyError } from '../base/errors.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { openDatabase } from '../store/database.ts'
import { acquireLock } from '../store/lock.ts'
import { isFile, PublishedTree } from '../store/published-tree.ts'
import { Ledger } from './ledger.ts'
import type { Report } from './report.ts'
import { RoleLedger } from './role-ledger.ts'
import { schema, schemaVersion } from './schema.ts'
import { settings, SettingStore } from './settings.ts'

export interface MirrorContext {
  readonly clock: Clock
  readonly report: Report
}

export interface Mirror extends MirrorContext {
  readonly directory: string
  readonly ledger: Ledger
  readonly roles: RoleLedger
  readonly settings: SettingStore
  readonly tree: PublishedTree
  close(): Promise<void>
}

export const publicFolder = 'public'
export const keysFolder = 'keys'
export const databaseName = 'mirror.db'

/** Throws CONFIG_INVALID where there is no mirror, STATE_BUSY while another process works on it. */
export async function openMirror(directory: string, context: MirrorContext): Promise<Mirror> {
  if (!(await isFile(join(directory, databaseName)))) {
    throw new ConfigError('CONFIG_INVALID', `${directory} holds no mirror`, {
      expected: `a file ${databaseName}`,
      next: `Make one with: tufgate mirror init ${directory}`,
    })
  }
  return openParts(directory, context)
}

/** For `init` too, which makes what is missing. */
export async function openParts(directory: string, context: MirrorContext): Promise<Mirror> {
  const lock = acquireLock(join(directory, 'mirror.lock'))
  try {
    const tree = await PublishedTree.open(join(directory, publicFolder))
    const database = openDatabase(join(directory, databaseName), {
      schema,
      version: schemaVersion,
      onDamaged: refuseDamaged,
    })
    return {
      ...context,
      directory,
      tree,
      ledger: new Ledger(database),
      roles: new RoleLedger(database),
      settings: new SettingStore(database),
      close: async () => {
        await tree.close()
        database.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A fresh database would give out versions that were signed already: never go on with one. */
function refuseDamaged(message: string): never {
  throw new StorageError('STORAGE_FAILED', `The mirror database is damaged: ${message}`, {
    found: message,
    next: `Put ${databaseName} back from its backup; the published tree stays as it is meanwhile.`,
  })
}

/**
 * Throws CLOCK_WRONG where the clock is behind what was signed last: expiries and signed times
 * would go back, and clients would refuse them.
 */
export function requireClock(mirror: Mirror, now: number): void {
  const last = mirror.settings.find(settings.lastSignedAt) ?? 0
  if (now >= last) return
  throw new VerifyError(
    'CLOCK_WRONG',
    `The clock says ${formatUtcSeconds(now)}, which is before the last signature`,
    {
      expected: `${formatUtcSeconds(last)} or later`,
      found: formatUtcSeconds(now),
      next: 'Set the clock right, then run the command again.',
    },
  )
}
