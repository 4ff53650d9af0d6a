import { expect, test } from 'vitest'
import { describeEntry } from '../../src/cli/journal-words.ts'
import type { JournalKind } from '../../src/mirror/journal.ts'

function describeDetail(kind: JournalKind, detail: object): string {
  const entry = { sequence: 1, sha256: '', time: 0, prev: '', kind, detail: JSON.stringify(detail) }
  return describeEntry(entry).words
}

test.each([
  ['claim-added', { as: 'pending', keys: ['a', 'b'] }, 'its maintainers may sign it, with a, b'],
  ['claim-added', { as: 'handover', keys: ['a'] }, 'other maintainers may sign it, with a'],
  [
    'owner-signed',
    { version: 3, record: 'targets/x', keys: ['a'] },
    'version 3 of its maintainers, who sign with a',
  ],
  ['claim-promoted', { keys: ['a'] }, 'the offline role claimed names its maintainers: a'],
  ['claim-removed', { was: 'recent' }, 'the mirror signs it again; the claim was recent'],
  ['denied', { sha256: 'x', reasons: ['malware', 'quarantine'] }, 'withdrawn: malware, quarantine'],
  ['deny-lifted', { sha256: 'x', reasons: [] }, 'nothing is withdrawn any more'],
  ['deny-lifted', { sha256: 'x', reasons: ['a'] }, 'less is withdrawn; what is left: a'],
  ['denied', { reasons: 'of a newer program' }, '{"reasons":"of a newer program"}'],
] as const)('%s %j reads: %s', (kind, detail, words) => {
  expect(describeDetail(kind, detail)).toBe(words)
})
