/**
 * Whether a journal is the one that was written: no entry changed, dropped, inserted or moved, and
 * nothing cut off before a head that somebody else bears witness to.
 */

import { decodeUtf8, encodeUtf8, type Bytes } from '../base/bytes.ts'
import { encodeCanonicalDocument } from '../base/canonical-json.ts'
import {
  DecodeError,
  readInteger,
  readMember,
  readObject,
  readOptional,
  readString,
} from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import { readSha256, readUtcTime } from '../base/read-values.ts'
import { digestEntry, noEntryBefore, type JournalEntry, type JournalHead } from './journal.ts'

export interface JournalFinding {
  readonly sequence: number
  readonly what: string
  readonly expected: string
  readonly found: string
}

export interface JournalGap {
  readonly first: number
  readonly last: number
}

export interface JournalVerdict {
  readonly entries: number
  readonly head: JournalHead
  /** Entries that were lost with a database, and said to be. */
  readonly missing: readonly JournalGap[]
  /** At most 1000. */
  readonly findings: readonly JournalFinding[]
}

/** A head as others know it. */
export interface Witness extends JournalHead {
  /** Who says so: `timestamp.json`. */
  readonly source: string
}

const maxFindings = 1000

/** The entries from the first to the newest one, each with what it is said to follow in `prev`. */
export function verifyJournal(
  entries: Iterable<JournalEntry>,
  witnesses: readonly Witness[],
  start: JournalHead = noEntryBefore,
): JournalVerdict {
  const check = new JournalCheck(start, witnesses)
  for (const entry of entries) check.take(entry)
  return check.finish()
}

class JournalCheck {
  readonly #witnesses: readonly Witness[]
  readonly #findings: JournalFinding[] = []
  readonly #missing: JournalGap[] = []
  #entries = 0
  #head: JournalHead

  constructor(start: JournalHead, witnesses: readonly Witness[]) {
    this.#head = start
    this.#witnesses = witnesses
  }

  take(entry: JournalEntry): void {
    const gap = findGap(entry)
    if (gap === undefined) this.#requireNext(entry)
    else this.#skip(entry, gap)
    const prev = gap === undefined ? this.#head.sha256 : gap.prev
    const found = computeDigest({ ...entry, prev })
    if (found !== entry.sha256) this.#add(entry.sequence, 'was changed', entry.sha256, found)
    this.#entries += 1
    this.#head = { sequence: entry.sequence, sha256: entry.sha256 }
    this.#hear(this.#head)
  }

  #requireNext(entry: JournalEntry): void {
    const expected = this.#head.sequence + 1
    if (entry.sequence !== expected) {
      const gone = `${expected} to ${entry.sequence - 1}`
      this.#add(
        entry.sequence,
        `entries ${gone} are gone`,
        String(expected),
        String(entry.sequence),
      )
    }
    if (entry.prev !== this.#head.sha256) {
      this.#add(entry.sequence, 'does not follow the one before', this.#head.sha256, entry.prev)
    }
  }

  /** That entries are missing is no finding where the journal itself says so. */
  #skip({ sequence }: JournalEntry, { first, last, prev }: JournalGap & { prev: string }): void {
    const isFitting = first === this.#head.sequence + 1 && last === sequence - 1 && first <= last
    if (!isFitting) {
      const expected = `${this.#head.sequence + 1} to ${sequence - 1}`
      this.#add(sequence, 'says that others are missing', expected, `${first} to ${last}`)
    }
    this.#missing.push({ first, last })
    for (const witness of this.#witnesses) {
      if (witness.sequence === last && witness.sha256 !== prev) this.#contradict(witness, prev)
    }
  }

  #hear({ sequence, sha256 }: JournalHead): void {
    for (const witness of this.#witnesses) {
      if (witness.sequence === sequence && witness.sha256 !== sha256)
        this.#contradict(witness, sha256)
    }
  }

  #contradict({ sequence, source, sha256 }: Witness, found: string): void {
    this.#add(sequence, `is not the one that ${source} knows`, sha256, found)
  }

  #add(sequence: number, what: string, expected: string, found: string): void {
    if (this.#findings.length < maxFindings) {
      this.#findings.push({ sequence, what, expected, found })
    }
  }

  finish(): JournalVerdict {
    const { sequence: last } = this.#head
    for (const { sequence, source } of this.#witnesses) {
      if (sequence <= last) continue
      const what = `and those from ${last + 1} on are cut off: ${source} knows them`
      this.#add(sequence, what, `${sequence} entries`, `${last} entries`)
    }
    return {
      entries: this.#entries,
      head: this.#head,
      missing: this.#missing,
      findings: this.#findings,
    }
  }
}

/** `undefined` for every other kind, and for what does not say it well. */
function findGap({ kind, detail }: JournalEntry): (JournalGap & { prev: string }) | undefined {
  if (kind !== 'entries-missing') return undefined
  try {
    const gap = readObject(JSON.parse(detail))
    const read = (name: string): number => readMember(gap, name, (value) => readInteger(value, 1))
    return { first: read('first'), last: read('last'), prev: readMember(gap, 'prev', readString) }
  } catch {
    // Then it is an entry like any other, and its number gives it away.
    return undefined
  }
}

function computeDigest(entry: JournalEntry): string {
  try {
    return digestEntry(entry)
  } catch {
    // Whatever stands there now, an object it is not.
    return 'not an entry'
  }
}

/** One line of a published file, without its line feed. Throws VerifyError MALFORMED. */
export function parseJournalLine(line: Bytes): JournalEntry {
  try {
    const text = decodeUtf8(line)
    const object = readObject(JSON.parse(text))
    const { sequence: _1, time: _2, prev: _3, kind: _4, project: _5, ...rest } = object
    const kind = readMember(object, 'kind', readString)
    const prev = readMember(object, 'prev', readSha256)
    const project = readOptional(object, 'project', readString)
    // The newest of a gap names its predecessor itself.
    const detail = kind === 'entries-missing' ? { ...rest, prev } : rest
    return {
      sequence: readMember(object, 'sequence', (value) => readInteger(value, 1)),
      time: readMember(object, 'time', readUtcTime),
      prev,
      kind,
      ...(project !== undefined && { project }),
      detail: encodeCanonicalDocument(detail),
      sha256: sha256Hex(encodeUtf8(text)),
    }
  } catch (cause) {
    if (!isReadingProblem(cause)) throw cause
    throw new VerifyError('MALFORMED', `A line of the journal is malformed: ${cause.message}`, {
      cause,
    })
  }
}

function isReadingProblem(error: unknown): error is Error {
  return error instanceof DecodeError || error instanceof SyntaxError || error instanceof TypeError
}

/** In `x-tufgate` of timestamp.json; `undefined` where there is none. */
export function readSignedHead(value: unknown): JournalHead | undefined {
  return readOptional(readObject(value), 'journal', (raw) => {
    const head = readObject(raw)
    return {
      sequence: readMember(head, 'sequence', (item) => readInteger(item, 1)),
      sha256: readMember(head, 'sha256', readSha256),
    }
  })
}

/** `SEQ:DIGEST`, as a head is kept elsewhere; `undefined` for anything else. */
export function parseJournalHead(text: string): JournalHead | undefined {
  const [, raw = '', sha256 = ''] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text.trim()) ?? []
  return sha256 === '' ? undefined : { sequence: Number(raw), sha256 }
}

export function renderJournalHead({ sequence, sha256 }: JournalHead): string {
  return `${sequence}:${sha256}`
}
