import { expect, test } from 'vitest'
import { describeMember } from '../../src/cli/mirror/member-words.ts'
import { describeEntry } from '../../src/cli/mirror/journal-words.ts'
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

test.each([
  [
    { name: '_removed', before: '"2026-03-01T12:00:00Z"' },
    'listed by the index again; it was not since 2026-03-01T12:00:00Z',
  ],
  [
    { name: '_removed', after: '"2026-03-01T12:00:00Z"' },
    'not listed by the index since: 2026-03-01T12:00:00Z',
  ],
  [{ name: '_conflict', after: '"abc"' }, 'the sha256 that the index shows in place of it: abc'],
  [{ name: 'yanked', before: 'true', after: '"it is\\u202e bad"' }, 'yanked: true -> it is? bad'],
  [{ name: 'size', before: '12' }, 'size: no more (was 12)'],
  [
    { name: 'hashes', before: '{"sha256":"a"}', after: '{"sha256":"b"}' },
    'hashes: {"sha256":"a"} -> {"sha256":"b"}',
  ],
])('a member of a record that differs is words: %j', (member, words) => {
  expect(describeMember(member)).toBe(words)
})
