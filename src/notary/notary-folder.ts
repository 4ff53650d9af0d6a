/**
 * Where the notary of an index keeps what it saw: a mirror folder with all keys in it, made at the
 * first start. It is never made a second time by itself: first sight cannot be repeated.
 */

import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError, isTufgateError, StorageError } from '../base/errors.ts'
import { initMirror } from '../mirror/init.ts'
import { keysFolder, publicFolder } from '../mirror/open-mirror.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import {
  findMark,
  forgetFolder,
  isWhole,
  listSubjects,
  makePrivateFolder,
  makeWhole,
  moveFolder,
  putMark,
  type FirstUseFolder,
} from '../store/first-use-folder.ts'
import { acquireLock, type Lock } from '../store/lock.ts'
import { forgetOwnRoot, hasOwnRoot } from '../store/state-directory.ts'
import { waitWhileBusy } from '../store/wait-while-busy.ts'
import { normalizeIndexUrl } from './index-address.ts'

export interface NotaryPlace extends FirstUseFolder {
  readonly stateHome: string
  /** The URL of the index. */
  readonly index: string
  readonly rootPath: string
  /** What a mirror would publish. */
  readonly publicFolder: string
}

/** Projects of one installation, not of a whole index. */
const bins = 16
const databaseName = 'mirror.db'

/** `<state home>/notary/pypi.org-1a2b3c4d5e6f` */
export function findNotaryPlace(stateHome: string, rawIndex: string): NotaryPlace {
  const index = normalizeIndexUrl(rawIndex)
  const host = (URL.parse(index)?.host ?? '').replaceAll(/[^a-z0-9.]+/g, '-')
  const name = `${host}-${sha256Hex(encodeUtf8(index)).slice(0, 12)}`
  const path = join(stateHome, 'notary', name)
  const tree = join(path, publicFolder)
  const rootPath = join(tree, metadataPath('root', 1))
  return { stateHome, index, path, markPath: `${path}.json`, rootPath, publicFolder: tree }
}

/** The indexes of which anything was seen here. */
export function listNotaryIndexes(stateHome: string): string[] {
  return listSubjects(join(stateHome, 'notary'))
}

/** Makes it where there never was one. Throws STORAGE_FAILED where what was seen is lost. */
export async function requireNotary(place: NotaryPlace, clock: Clock): Promise<void> {
  makePrivateFolder(join(place.path, '..'))
  const lock = await waitWhileBusy(async () => acquireLock(`${place.path}.lock`))
  await withLock(lock, async () => {
    if (await isWhole(place, databaseName)) return finishMaking(place)
    if (wasThere(place)) throw buildLostError(place, `${databaseName} is gone`)
    await makeWhole(place, (folder) => makeMirror(folder, clock))
    await finishMaking(place)
  })
}

/** `lost`: it was there once. */
export async function hasNotary(place: NotaryPlace): Promise<'whole' | 'lost' | 'never'> {
  if (await isWhole(place, databaseName)) return 'whole'
  return wasThere(place) ? 'lost' : 'never'
}

/** Its mark may be gone with it; that its root was trusted is remembered elsewhere too. */
function wasThere(place: NotaryPlace): boolean {
  return findMark(place) !== undefined || hasOwnRoot(place.stateHome, place.rootPath)
}

/** Where it was put aside; `undefined` where it was lost already. */
export async function forgetNotary(place: NotaryPlace, time: string): Promise<string | undefined> {
  const lock = await waitWhileBusy(async () => acquireLock(`${place.path}.lock`))
  try {
    const aside = `${place.path}.forgotten-${time.replaceAll(/[-:]/g, '')}`
    const isThere = await forgetFolder(place, aside)
    forgetOwnRoot(place.stateHome, place.rootPath)
    return isThere ? aside : undefined
  } finally {
    lock.release()
  }
}

/** It may have been made by a start that was killed before it could leave the mark. */
async function finishMaking(place: NotaryPlace): Promise<void> {
  if (findMark(place) !== undefined) return
  await putMark(place, place.index)
}

async function makeMirror(folder: string, clock: Clock): Promise<string> {
  const directory = join(folder, 'mirror')
  const offlineKeysDirectory = join(folder, 'offline')
  makePrivateFolder(directory)
  await initMirror({ directory, offlineKeysDirectory, bins, clock, report: () => undefined })
  // Whoever can read one of its keys can read them all: there is nobody to keep them apart from.
  await moveFolder(offlineKeysDirectory, join(directory, keysFolder, 'offline'))
  return directory
}

async function withLock(lock: Lock, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } finally {
    lock.release()
  }
}

/** What is lost with it is said before anything is begun anew. */
export function buildLostError({ index, path }: NotaryPlace, problem: string): StorageError {
  return new StorageError(
    'STORAGE_FAILED',
    `What was seen first of ${index} is lost or damaged: ${problem} (${path})`,
    {
      found: problem,
      next: `Put the folder back from a backup. To begin anew, and to trust what the index shows from now on: tufgate notary forget --index ${index} (digests that can still be read are kept by tufgate pins export before it and tufgate pins import after it).`,
    },
  )
}

/** A damaged or missing part, as the loss that it is; anything else is thrown as it came. */
export function explainLoss(place: NotaryPlace, error: unknown): unknown {
  if (!isTufgateError(error)) return error
  const isLoss = error instanceof ConfigError || error.code === 'STORAGE_FAILED'
  if (!isLoss || error.code === 'STATE_NEWER') return error
  return buildLostError(place, error.message)
}
