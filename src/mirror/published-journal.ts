/**
 * The journal of a published tree, for whoever has a copy of the tree, a pinned root, and nothing else
 * of the mirror. What is read is proven by the signed head; nothing in the tree is believed before.
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { readRegular } from '../store/regular-file.ts'
import { findErrno } from '../store/storage-error.ts'
import { parseTimestamp } from '../tuf/parse.ts'
import {
  acceptRoot,
  acceptTimestamp,
  noFloors,
  trustRoot,
  type TrustedSet,
} from '../tuf/trusted-set.ts'
import { verifyJournal, type Witness } from './journal-check.ts'
import { listRanges, parseJournalFile } from './journal-files.ts'
import { findSignedHead } from './journal-recovery.ts'
import type { JournalEntry, JournalHead } from './journal.ts'
import type { MirrorJournalVerdict } from './read-journal.ts'
import { journalPath, metadataPath } from './tree-layout.ts'

const maxRootUpdates = 256

export interface PublishedJournalOptions {
  /** What clients pin. */
  readonly root: Bytes
  /** A head that was kept elsewhere. */
  readonly kept?: JournalHead
}

/** Throws VerifyError for what no client would trust, CONFIG_INVALID where there is no published tree. */
export function verifyPublishedJournal(
  folder: string,
  { root, kept }: PublishedJournalOptions,
): MirrorJournalVerdict {
  const timestamp = readTree(folder, metadataPath('timestamp', 0))
  if (timestamp === undefined) throw refuseFolder(folder)
  const trusted = followRoots(folder, trustRoot(root, noFloors))
  const { claimed } = parseTimestamp(timestamp)
  // As of the time of signing: whether it is fresh is what clients ask.
  acceptTimestamp(trusted, timestamp, claimed.signedAt ?? 0)
  const signed = findSignedHead(timestamp)
  const witnesses: Witness[] = []
  if (signed !== undefined) witnesses.push({ ...signed, source: 'timestamp.json' })
  if (kept !== undefined) witnesses.push({ ...kept, source: 'the head that was given' })
  const entries = readEntries(folder, signed?.sequence ?? 0)
  return { ...verifyJournal(entries, witnesses), ...(signed && { signed }) }
}

/** TUF 5.3.4 to 5.3.9. */
function followRoots(folder: string, pinned: TrustedSet): TrustedSet {
  let trusted = pinned
  for (let count = 0; count < maxRootUpdates; count += 1) {
    const next = readTree(folder, metadataPath('root', trusted.root.version + 1))
    if (next === undefined) return trusted
    trusted = acceptRoot(trusted, next)
  }
  return trusted
}

/** One file at a time; what is missing shows in the chain. */
function* readEntries(folder: string, last: number): Generator<JournalEntry> {
  for (const range of listRanges(0, last)) {
    const bytes = readTree(folder, journalPath(range.first, range.last))
    if (bytes !== undefined) yield* parseJournalFile(bytes)
  }
}

function readTree(folder: string, path: string): Bytes | undefined {
  try {
    return readRegular(join(folder, path))
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    throw error
  }
}

function refuseFolder(folder: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${folder} is no published tree`, {
    expected: 'a folder that contains metadata/timestamp.json',
    next: 'Give a copy of what the mirror publishes, with metadata/ and journal/.',
  })
}
