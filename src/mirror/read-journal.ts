/** `mirror log`: reads the journal, and proves that it is the one that was written and signed. */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import { readRegular } from '../store/regular-file.ts'
import { findErrno } from '../store/storage-error.ts'
import { parseTimestamp } from '../tuf/parse.ts'
import { acceptTimestamp, noFloors, trustRoot } from '../tuf/trusted-set.ts'
import { verifyJournal, type JournalVerdict, type Witness } from './journal-check.ts'
import { findSignedHead } from './journal-recovery.ts'
import type { JournalEntry, JournalFilter, JournalHead } from './journal.ts'
import { publicFolder, readMirror, type MirrorMemory } from './open-mirror.ts'
import { metadataPath } from './tree-layout.ts'

/** `take` gives `false` when nobody wants the rest. Works while a sync is under way too. */
export function readJournal(
  directory: string,
  filter: JournalFilter,
  take: (entry: JournalEntry) => boolean,
): Promise<void> {
  return readMirror(directory, ({ journal }) => {
    for (const entry of journal.list(filter)) if (!take(entry)) return
  })
}

export interface VerifyJournalOptions {
  /** A head that was kept elsewhere. */
  readonly kept?: JournalHead
}

export interface MirrorJournalVerdict extends JournalVerdict {
  /** As timestamp.json has it; absent where none is there that our keys have signed. */
  readonly signed?: JournalHead
}

export function verifyMirrorJournal(
  directory: string,
  { kept }: VerifyJournalOptions,
): Promise<MirrorJournalVerdict> {
  return readMirror(directory, (memory) => {
    const signed = readPublishedHead(memory, join(directory, publicFolder))
    const witnesses: Witness[] = []
    if (signed !== undefined) witnesses.push({ ...signed, source: 'timestamp.json' })
    if (kept !== undefined) witnesses.push({ ...kept, source: 'the head that was given' })
    const entries = memory.journal.walk(1, Number.MAX_SAFE_INTEGER)
    return { ...verifyJournal(entries, witnesses), ...(signed && { signed }) }
  })
}

/** As of the time of signing: that it has expired since does not make it another one. */
function readPublishedHead(memory: MirrorMemory, tree: string): JournalHead | undefined {
  const timestamp = readFile(tree, metadataPath('timestamp', 0))
  const root = readFile(tree, metadataPath('root', memory.roles.require('root').version))
  if (timestamp === undefined || root === undefined) return undefined
  try {
    const { claimed } = parseTimestamp(timestamp)
    acceptTimestamp(trustRoot(root, noFloors), timestamp, claimed.signedAt ?? 0)
    return findSignedHead(timestamp)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

function readFile(tree: string, path: string): Bytes | undefined {
  try {
    return readRegular(join(tree, path))
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    throw error
  }
}
