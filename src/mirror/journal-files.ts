/**
 * The journal as files of the published tree, so that anybody can follow it without the database:
 * `journal/1-500.jsonl`, `journal/501-1000.jsonl` and so on, which never change, and one with the
 * entries after those up to the signed head. Their names follow from the head alone.
 *
 * A line is an entry in canonical form, and its sha256 is the `prev` of the next.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { parseJournalLine } from './journal-check.ts'
import { renderEntry, type Journal, type JournalEntry } from './journal.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { journalPath } from './tree-layout.ts'

/** The last file is written anew at each publication with news: a few milliseconds of work. */
const entriesPerFile = 500
/** Each is held open, with its twin. */
const filesAtOnce = 16

interface Range {
  readonly first: number
  readonly last: number
}

/** Writes what was not published yet. To be visible before the timestamp that signs its head. */
export async function publishJournal(mirror: Mirror, now: number): Promise<void> {
  const { sequence } = mirror.journal.head()
  const done = mirror.settings.find(settings.journalPublished) ?? 0
  if (sequence <= done) return
  let staged = 0
  for (const range of listRanges(done, sequence)) {
    const hasTwin = isWhole(range)
    const bytes = renderRange(mirror.journal, range)
    await mirror.tree.stage(journalPath(range.first, range.last), bytes, { hasTwin })
    staged += 1
    if (staged % filesAtOnce === 0) await mirror.tree.publish()
  }
  await mirror.tree.publish()
  mirror.ledger.database.transaction(() => {
    const before = findOpen(done)
    // The timestamp that is out now still leads to it.
    if (before !== undefined) mirror.ledger.putSuperseded(journalPath(before.first, done), now)
    mirror.settings.put(settings.journalPublished, sequence)
  })
}

/** The files that hold the entries after `done`, up to `last`. */
export function listRanges(done: number, last: number): Range[] {
  const ranges: Range[] = []
  for (let first = done - (done % entriesPerFile) + 1; first <= last; first += entriesPerFile) {
    ranges.push({ first, last: Math.min(first + entriesPerFile - 1, last) })
  }
  return ranges
}

function isWhole({ first, last }: Range): boolean {
  return last - first + 1 === entriesPerFile
}

/** The file that would be written anew with one more entry. */
function findOpen(last: number): Range | undefined {
  return last % entriesPerFile === 0
    ? undefined
    : { first: last - (last % entriesPerFile) + 1, last }
}

function renderRange(journal: Journal, { first, last }: Range): Bytes {
  const lines = Array.from(journal.walk(first, last), (entry) => `${renderEntry(entry)}\n`)
  return encodeUtf8(lines.join(''))
}

/** The entries of one file, as far as they go; throws VerifyError where a line is none. */
export function parseJournalFile(bytes: Bytes): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0x0a, from)
    const to = end < 0 ? bytes.length : end
    entries.push(parseJournalLine(bytes.subarray(from, to)))
    from = to + 1
  }
  return entries
}
