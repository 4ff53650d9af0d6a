/** A mirror in its folder: lock, database and published tree, opened and closed together. */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { ConfigError, StorageError, VerifyError } from '../base/errors.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { AskPassphrase } from '../signing/passphrase.ts'
import { openDatabase, type Database } from '../store/database.ts'
import { acquireLock } from '../store/lock.ts'
import { isFile, PublishedTree } from '../store/published-tree.ts'
import { Holds } from './hold.ts'
import { Journal } from './journal.ts'
import { Ledger } from './ledger.ts'
import type { Report } from './report.ts'
import { RoleLedger } from './role-ledger.ts'
import { schema, schemaVersion } from './schema.ts'
import { settings, SettingStore } from './settings.ts'
import { requireFinished } from './unfinished.ts'

export interface MirrorContext {
  readonly clock: Clock
  readonly report: Report
  /** The last word before clients see anything of a publication; left out, nothing is asked. */
  readonly check?: CheckPublication
  /** For online keys that are encrypted; left out, such a key is refused. */
  readonly askPassphrase?: AskPassphrase
}

/** What appears last, and is not there yet. */
export interface StagedPublication {
  readonly timestamp: Bytes
  /** A new root, which appears just before it. */
  readonly root?: { readonly path: string; readonly bytes: Bytes }
}

/**
 * Asked once everything is on disk but timestamp.json, which is given as it would be published. Where
 * it throws, nothing becomes visible. What it gives back is told whether the timestamp is out.
 */
export type CheckPublication = (
  mirror: Mirror,
  staged: StagedPublication,
) => Promise<(isOut: boolean) => Promise<void>>

/** What a mirror remembers. */
export interface MirrorMemory {
  readonly ledger: Ledger
  readonly roles: RoleLedger
  readonly settings: SettingStore
  readonly journal: Journal
  readonly holds: Holds
}

export interface Mirror extends MirrorContext, MirrorMemory {
  readonly directory: string
  readonly tree: PublishedTree
  close(): Promise<void>
}

export const publicFolder = 'public'
export const keysFolder = 'keys'
const databaseName = 'mirror.db'

/** Throws CONFIG_INVALID where there is no mirror, STATE_BUSY while another process works on it. */
export async function openMirror(directory: string, context: MirrorContext): Promise<Mirror> {
  await requireMirror(directory)
  return openParts(directory, context)
}

/** For `init` too, which makes what is missing. */
export async function openParts(directory: string, context: MirrorContext): Promise<Mirror> {
  const lock = acquireLock(join(directory, 'mirror.lock'))
  try {
    const tree = await PublishedTree.open(join(directory, publicFolder))
    const memory = openMemory(directory)
    const close = async (): Promise<void> => {
      await tree.close()
      memory.ledger.close()
      lock.release()
    }
    return { ...context, ...memory, directory, tree, close }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** For a process that keeps what a mirror remembers open, and takes its lock only while it works. */
export interface SharedMirror {
  readonly directory: string
  /** To read; what others committed last is seen. */
  readonly memory: MirrorMemory
  /** Throws STATE_BUSY while another process works on it. */
  use<T>(work: (mirror: Mirror) => Promise<T>): Promise<T>
  close(): void
}

/** Throws CONFIG_INVALID where there is no mirror. */
export async function shareMirror(
  directory: string,
  context: MirrorContext,
): Promise<SharedMirror> {
  await requireMirror(directory)
  // What a power cut takes from the database is in the tree, which is durable: see `catchUp`.
  const memory = openMemory(directory, false)
  return {
    directory,
    memory,
    use: (work) => useShared({ ...context, ...memory, directory }, work),
    close: () => memory.ledger.close(),
  }
}

async function useShared<T>(
  shared: Omit<Mirror, 'tree' | 'close'>,
  work: (mirror: Mirror) => Promise<T>,
): Promise<T> {
  const lock = acquireLock(join(shared.directory, 'mirror.lock'))
  try {
    requireInPlace(shared.ledger.database)
    // Each time: it clears away what another process that was killed has left staged.
    const folder = join(shared.directory, publicFolder)
    const tree = await PublishedTree.open(folder, { hasTwins: false })
    const close = (): Promise<void> => tree.close()
    try {
      return await work({ ...shared, tree, close })
    } finally {
      await close()
    }
  } finally {
    lock.release()
  }
}

/** What is written to a file that was moved away is lost. */
function requireInPlace(database: Database): void {
  if (!database.isReplaced()) return
  throw new StorageError('STORAGE_FAILED', `${database.path} was replaced or removed`, {
    found: 'another file, or none',
    next: 'Start tufgate again, so that it works with what is there now.',
  })
}

/** To read only, without the lock: while another process works it sees what was committed last. */
export async function readMirror<T>(
  directory: string,
  read: (memory: MirrorMemory) => T,
): Promise<T> {
  await requireMirror(directory)
  const memory = openMemory(directory)
  try {
    return read(memory)
  } finally {
    memory.ledger.close()
  }
}

/** Throws CONFIG_INVALID where there is none, or only a part of one. */
export async function requireMirror(directory: string): Promise<void> {
  await requireFinished(directory)
  if (await isFile(join(directory, databaseName))) return
  if (await isFile(directory)) {
    throw new ConfigError('CONFIG_INVALID', `${directory} is a file, and no folder of a mirror`, {
      next: 'Is the path right? The folder of the mirror is named first.',
    })
  }
  throw new ConfigError('CONFIG_INVALID', `${directory} holds no mirror`, {
    expected: `a file ${databaseName}`,
    next: `Is the path right? A new mirror is made with: tufgate mirror init ${directory}`,
  })
}

function openMemory(directory: string, isDurable = true): MirrorMemory {
  const database = openDatabase(join(directory, databaseName), {
    schema,
    version: schemaVersion,
    onDamaged: refuseDamaged,
    isDurable,
  })
  return {
    ledger: new Ledger(database),
    roles: new RoleLedger(database),
    settings: new SettingStore(database),
    journal: new Journal(database),
    holds: new Holds(database),
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
      next: 'Set the clock right, then run the command again. If it is right now, and was ahead before: tufgate mirror sync --accept-clock.',
    },
  )
}
