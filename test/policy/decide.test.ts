import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideFile, decidePage, type Policy } from '../../src/policy/decide.ts'
import { parseDenyRule } from '../../src/policy/deny-rule.ts'
import { parseRecord, type RecordFile } from '../../src/simple/record.ts'
import { rewritePage } from '../../src/simple/rewrite.ts'
import { fileJson, pageJson, recordFile, sha256Of } from '../support/pages.ts'

const day = 86_400_000
const now = Date.UTC(2026, 5, 10)
const open: Policy = { deny: [], minAgeMs: 0, minAgeExcept: [], showHidden: false }
const careful: Policy = { ...open, minAgeMs: 3 * day }
const daysAgo = (days: number): number => now - days * day
const uploaded = (days: number): string => new Date(daysAgo(days)).toISOString()

function decide(policy: Policy, changes: Partial<RecordFile> = {}, at = now) {
  return decideFile(policy, 'foo', recordFile('foo-1.0.zip', changes), at)
}

describe('the decision on a file', () => {
  it('keeps a file of which nothing is said', () => {
    expect(decide(open)).toEqual({ kind: 'keep' })
  })

  it('refuses what the index lists no more, with the time', () => {
    expect(decide(open, { removed: '2026-03-01T00:00:00Z' })).toEqual({
      kind: 'refuse',
      code: 'REMOVED',
      reason: 'the index has not listed foo-1.0.zip since 2026-03-01T00:00:00Z',
    })
  })

  it('A23: keeps a file whose hash changed later, since the signed one stands', () => {
    expect(decide(open, { conflict: sha256Of('c') })).toEqual({ kind: 'keep' })
  })

  it('refuses what a rule denies, and says which', () => {
    const policy = { ...open, deny: [parseDenyRule('bar'), parseDenyRule('Foo==1.0.0')] }
    expect(decide(policy)).toEqual({
      kind: 'refuse',
      code: 'DENIED',
      reason: 'the policy denies Foo==1.0.0',
    })
  })

  it('gives the strongest reason first', () => {
    const policy = { ...careful, deny: [parseDenyRule('foo')] }
    const removed = '2026-03-01T00:00:00Z'
    expect(decide(policy, { removed, firstSeen: now })).toMatchObject({ code: 'REMOVED' })
    expect(decide(policy, { firstSeen: now })).toMatchObject({ code: 'DENIED' })
  })

  it.each([
    ['both old', 10, 10, 'keep'],
    ['both young', 1, 1, 'hide'],
    ['a back-dated upload time', 1000, 1, 'hide'],
    ['an upload time that is younger than the first sight', 1, 10, 'hide'],
    ['no upload time, seen long ago', undefined, 10, 'keep'],
    ['no upload time, seen lately', undefined, 1, 'hide'],
    ['no first sight, uploaded long ago', 10, undefined, 'keep'],
    ['no first sight, uploaded lately', 1, undefined, 'hide'],
    ['neither', undefined, undefined, 'hide'],
    ['an upload time in the future', -100, 10, 'hide'],
    ['exactly the age', 3, 3, 'keep'],
  ])('minimum age, %s', (_, uploadDays, seenDays, kind) => {
    const decision = decide(careful, {
      ...(uploadDays === undefined ? {} : { uploadTime: uploaded(uploadDays) }),
      ...(seenDays === undefined ? {} : { firstSeen: daysAgo(seenDays) }),
    })
    expect(decision.kind).toBe(kind)
    if (decision.kind !== 'keep') expect(decision.code).toBe('TOO_YOUNG')
  })

  it('says until when, in a sentence that does not change with the time of asking', () => {
    const file = { uploadTime: uploaded(1), firstSeen: daysAgo(2) }
    const decision = decide(careful, file)
    expect(decision).toEqual({
      kind: 'hide',
      code: 'TOO_YOUNG',
      reason: 'foo-1.0.zip is younger than the policy allows, until 2026-06-12T00:00:00Z',
      until: now + 2 * day,
    })
    expect(decide(careful, file, now + day)).toEqual(decision)
    expect(decide(careful, file, now + 2 * day)).toEqual({ kind: 'keep' })
  })

  it('hides a file of unknown age for good, and says why', () => {
    expect(decide(careful)).toEqual({
      kind: 'hide',
      code: 'TOO_YOUNG',
      reason: 'nobody knows the age of foo-1.0.zip: no upload time and no first sight',
    })
    expect(decide(careful, { uploadTime: 'yesterday' })).toMatchObject({ kind: 'hide' })
  })

  it('makes exceptions by project, for the age and for nothing else', () => {
    const policy = { ...careful, minAgeExcept: ['foo'], deny: [parseDenyRule('foo==2')] }
    expect(decide(policy)).toEqual({ kind: 'keep' })
    expect(decideFile(policy, 'foo', recordFile('foo-2.zip'), now)).toMatchObject({
      code: 'DENIED',
    })
    expect(decide({ ...policy, minAgeExcept: ['fo', 'foo-bar'] })).toMatchObject({ kind: 'hide' })
  })

  it('never throws, whatever the times and ages', () => {
    const times = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(Infinity, -Infinity, NaN))
    fc.assert(
      fc.property(times, fc.option(times), times, (minAgeMs, firstSeen, at) => {
        const seen = firstSeen === null ? {} : { firstSeen }
        const decision = decide({ ...open, minAgeMs }, { uploadTime: uploaded(1), ...seen }, at)
        expect(['keep', 'hide']).toContain(decision.kind)
      }),
    )
  })
})

describe('the decision on a page', () => {
  const files = [1, 2, 10].map((days) =>
    fileJson(`foo-1.${days}.zip`, { 'upload-time': uploaded(days) }),
  )
  const record = parseRecord(pageJson('foo', files), 'foo')

  it('names the files that are not kept, and when that changes next', () => {
    const { rulings, until, outcome } = decidePage(record, careful, now)
    expect([...rulings.keys()].map((file) => file.filename)).toEqual(['foo-1.1.zip', 'foo-1.2.zip'])
    expect(until).toBe(now + day)
    expect(outcome).toMatch(/^[0-9a-f]{32}$/)
    const page = rewritePage(record, rulings, careful)
    expect(page.files.map((file) => file.filename)).toEqual(['foo-1.10.zip'])
    expect(page.versions).toEqual(['1.10'])
  })

  it('has one outcome as long as the page is the same, and another when it changes', () => {
    const { outcome } = decidePage(record, careful, now)
    expect(decidePage(record, careful, now + day - 1).outcome).toBe(outcome)
    expect(decidePage(record, careful, now + day).outcome).not.toBe(outcome)
    expect(decidePage(record, { ...careful, showHidden: true }, now).outcome).not.toBe(outcome)
    const denied = { ...careful, deny: [parseDenyRule('foo==1.10')] }
    expect(decidePage(record, denied, now).outcome).not.toBe(outcome)
  })

  it('has nothing to say where there is no policy', () => {
    const { rulings, until, outcome } = decidePage(record, open, now)
    expect([rulings.size, until, outcome]).toEqual([0, undefined, 'all'])
  })

  it('agrees with the decision on each file', () => {
    const policy = { ...careful, deny: [parseDenyRule('foo==1.10'), parseDenyRule('bar')] }
    const { rulings } = decidePage(record, policy, now)
    for (const file of record.files) {
      expect(rulings.get(file) ?? { kind: 'keep' }).toEqual(decideFile(policy, 'foo', file, now))
    }
  })

  it('is not slowed down by a long list of rules for other projects', () => {
    const deny = Array.from({ length: 20_000 }, (_, at) => parseDenyRule(`p${at}`))
    const many = Array.from({ length: 5000 }, (_, at) => fileJson(`foo-${at}.zip`))
    const large = parseRecord(pageJson('foo', many), 'foo')
    expect(decidePage(large, { ...careful, deny }, now).rulings.size).toBe(0)
  })
})
