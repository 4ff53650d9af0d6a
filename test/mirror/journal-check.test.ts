/** Any change to any journal shows, as long as somebody knows its head. */

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseJournalHead,
  parseJournalLine,
  renderJournalHead,
  verifyJournal,
} from '../../src/mirror/journal-check.ts'
import {
  digestEntry,
  noEntryBefore,
  renderEntry,
  type JournalEntry,
} from '../../src/mirror/journal.ts'
import { caught } from '../support/caught.ts'

type Event = Pick<JournalEntry, 'kind' | 'time' | 'detail'> & { readonly project?: string }

function chain(events: readonly Event[]): JournalEntry[] {
  let prev = noEntryBefore.sha256
  return events.map((event, at) => {
    const entry = { ...event, sequence: at + 1, prev }
    prev = digestEntry(entry)
    return { ...entry, sha256: prev }
  })
}

const event: fc.Arbitrary<Event> = fc.record(
  {
    kind: fc.constantFrom('yanked', 'file-added', 'details-changed'),
    time: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    project: fc.stringMatching(/^[a-z]{1,8}$/),
    detail: fc
      .record({ count: fc.nat(), file: fc.string({ unit: 'grapheme' }) })
      .filter(({ file }) => file.isWellFormed())
      .map((detail) => JSON.stringify(detail)),
  },
  { requiredKeys: ['kind', 'time', 'detail'] },
)

type Tamper = (entries: JournalEntry[], at: number) => JournalEntry[]

const tampers: Readonly<Record<string, Tamper>> = {
  dropped: (entries, at) => entries.toSpliced(at, 1),
  doubled: (entries, at) => entries.toSpliced(at, 0, entries[at]!),
  'moved to the end': (entries, at) => [...entries.toSpliced(at, 1), entries[at]!],
  'given another kind': (entries, at) => entries.with(at, { ...entries[at]!, kind: 'unyanked' }),
  'given another time': (entries, at) =>
    entries.with(at, { ...entries[at]!, time: entries[at]!.time + 1000 }),
  'given another project': (entries, at) => entries.with(at, { ...entries[at]!, project: 'EVIL' }),
  'given another detail': (entries, at) => entries.with(at, { ...entries[at]!, detail: '{}' }),
  'given another digest': (entries, at) =>
    entries.with(at, { ...entries[at]!, sha256: 'a'.repeat(64) }),
  'called a gap': (entries, at) => {
    const entry = entries[at]!
    const detail = JSON.stringify({ first: 1, last: at + 1, prev: entry.prev })
    return entries.with(at, { ...entry, kind: 'entries-missing', detail })
  },
}

function tamper(how: Tamper, entries: JournalEntry[], at: number): JournalEntry[] {
  const changed = how(entries, at)
  // Moving the last one to the end changes nothing.
  return JSON.stringify(changed) === JSON.stringify(entries) ? entries.slice(0, -1) : changed
}

test.each(Object.entries(tampers))('an entry that was %s shows', (_what, how) => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 8 }), fc.nat(), (events, raw) => {
      const entries = chain(events)
      const { sequence, sha256 } = entries.at(-1)!
      const witness = { sequence, sha256, source: 'timestamp.json' }
      expect(verifyJournal(entries, [witness]).findings).toEqual([])
      const changed = tamper(how, entries, raw % entries.length)
      expect(verifyJournal(changed, [witness]).findings).not.toEqual([])
      // And where everything behind it is made to fit.
      const fitted = chain(changed)
      // What is added after the head is not signed yet.
      if (JSON.stringify(fitted.slice(0, sequence)) !== JSON.stringify(entries))
        expect(verifyJournal(fitted, [witness]).findings).not.toEqual([])
    }),
  )
})

test('a line is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 3 }), (events) => {
      const entries = chain(events)
      const read = entries.map((entry) => parseJournalLine(Buffer.from(renderEntry(entry))))
      expect(read.map(({ sha256 }) => sha256)).toEqual(entries.map(({ sha256 }) => sha256))
      expect(verifyJournal(read, []).findings).toEqual([])
    }),
  )
})

test.each(['', '{', '[]', '{"sequence":0}', '{"sequence":1,"time":"now"}', '"x"', '\u00ff'])(
  'a line such as %j is malformed',
  (line) => {
    const error = caught(() => parseJournalLine(Buffer.from(line, 'latin1')))
    expect(error).toMatchObject({ code: 'MALFORMED' })
  },
)

test('a head is written as it is read, and nothing else is one', () => {
  const head = { sequence: 12, sha256: 'a'.repeat(64) }
  expect(parseJournalHead(renderJournalHead(head))).toEqual(head)
  for (const text of ['', '12', `0:${head.sha256}`, `-1:${head.sha256}`, `12:${'A'.repeat(64)}`]) {
    expect(parseJournalHead(text)).toBeUndefined()
  }
})
