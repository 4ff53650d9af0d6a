/**
 * The journal of a database that was put back from a backup goes on from the head that was signed.
 * What is missing comes back from the published files where it still follows; else the journal
 * says which entries are lost. A journal that was rewritten is refused.
 */

import type { Bytes } from '../base/bytes.ts'
import { member, readObject } from '../base/decode.ts'
import { isTufgateError, StorageError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'
import { parseJournalFile, listRanges } from './journal-files.ts'
import { readSignedHead, verifyJournal } from './journal-check.ts'
import type { JournalEntry, JournalHead } from './journal.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { journalPath } from './tree-layout.ts'

/** `timestamp` is verified: our key has signed it. Throws STORAGE_FAILED for another journal. */
export async function continueJournal(mirror: Mirror, timestamp: Bytes): Promise<void> {
  const signed = findSignedHead(timestamp)
  if (signed === undefined) return
  const here = mirror.journal.head()
  const digest = mirror.journal.findDigest(signed.sequence)
  if (digest === signed.sha256) return
  if (digest !== undefined || here.sequence > signed.sequence) throw refuse(signed, digest)
  const entries = await readMissing(mirror, here, signed)
  const now = mirror.clock()
  mirror.ledger.database.transaction(() => {
    if (entries === undefined) mirror.journal.skipTo(signed, now)
    else mirror.journal.restore(entries)
    // The file up to the signed head is there, whatever the backup knows of it.
    mirror.settings.put(settings.journalPublished, signed.sequence)
  })
  const [first, last] = [here.sequence + 1, signed.sequence]
  mirror.report({
    kind: 'warning',
    message: `The journal in mirror.db ends before entry ${first}, and ${last} was signed`,
    next:
      entries === undefined
        ? `Entries ${first} to ${last} cannot be read from the published tree: the journal says that they are missing.`
        : `Entries ${first} to ${last} were taken over from the published tree.`,
  })
}

/** Of a timestamp whose signature was checked before. */
export function findSignedHead(timestamp: Bytes): JournalHead | undefined {
  const signed = readObject(member(readObject(parseJson(timestamp)), 'signed'))
  const ours = member(signed, 'x-tufgate')
  return ours === undefined ? undefined : readSignedHead(ours)
}

/** `undefined` where they are not all there, or do not lead from our head to the signed one. */
async function readMissing(
  mirror: Mirror,
  here: JournalHead,
  signed: JournalHead,
): Promise<JournalEntry[] | undefined> {
  const entries: JournalEntry[] = []
  for (const { first, last } of listRanges(here.sequence, signed.sequence)) {
    const bytes = await mirror.tree.read(journalPath(first, last))
    const found = bytes === undefined ? undefined : parseFile(bytes)
    if (found === undefined) return undefined
    entries.push(...found.filter(({ sequence }) => sequence > here.sequence))
  }
  const witness = { ...signed, source: 'timestamp.json' }
  const { findings } = verifyJournal(entries, [witness], here)
  return findings.length === 0 ? entries : undefined
}

function parseFile(bytes: Bytes): JournalEntry[] | undefined {
  try {
    return parseJournalFile(bytes)
  } catch (error) {
    if (isTufgateError(error)) return undefined
    throw error
  }
}

function refuse({ sequence, sha256 }: JournalHead, found: string | undefined): StorageError {
  return new StorageError(
    'STORAGE_FAILED',
    `The journal in mirror.db is not the one that was signed: its entry ${sequence} is another one`,
    {
      expected: sha256,
      found: found ?? 'no such entry',
      next: 'Nothing is signed. "tufgate mirror log FOLDER --verify" says what was changed; put mirror.db back from a backup.',
    },
  )
}
