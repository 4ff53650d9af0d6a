/** What the index shows otherwise than it is signed: until when it is said. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgeConflicts, countConflicts, listConflicts } from '../../src/mirror/conflicts.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { JournalFixture } from './journal-fixture.ts'
import { dayMs, MirrorFixture } from './mirror-fixture.ts'

const file = 'foo-1.0.tar.gz'

describe('a file with another sha256', () => {
  let mirror: MirrorFixture
  beforeEach(async () => {
    mirror = await MirrorFixture.create()
    await mirror.init()
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    await show('a')
    await mirror.sync({ all: true })
  })
  afterEach(() => mirror.remove())

  const show = (digit: string): Promise<void> =>
    mirror.putPage('foo', [{ filename: file, sha256: digit.repeat(64) }])
  const open = (): Promise<string[]> =>
    readMirror(mirror.directory, (memory) =>
      listConflicts(memory, mirror.now, 10).map(({ project }) => project),
    )
  const acknowledge = (...projects: readonly string[]): Promise<string[]> =>
    acknowledgeConflicts({ ...mirror.context, ...(projects.length > 0 && { projects }) })

  test('is counted by each sync, for as long as it is open', async () => {
    expect(await mirror.sync()).toMatchObject({ conflicts: 0 })
    await show('b')
    expect(await mirror.sync()).toMatchObject({ changed: 1, conflicts: 1, exitCode: 0 })
    expect(await mirror.sync()).toMatchObject({ changed: 0, conflicts: 1 })
    expect(await open()).toEqual(['foo'])
  })

  test('ends by itself after seven days', async () => {
    await show('b')
    await mirror.sync()
    mirror.now += 7 * dayMs
    expect(await open()).toEqual(['foo'])
    mirror.now += 1000
    expect(await open()).toEqual([])
  })

  test('is still open when the index shows the signed one again: somebody should know', async () => {
    await show('b')
    await mirror.sync()
    await show('a')
    expect(await mirror.sync()).toMatchObject({ conflicts: 1 })
  })

  test('ends when it is acknowledged, which the journal tells, and what comes next is new', async () => {
    await show('b')
    await mirror.sync()
    expect(await acknowledge('foo')).toEqual(['foo'])
    expect(await mirror.sync()).toMatchObject({ conflicts: 0 })
    const journal = new JournalFixture(mirror)
    expect((await journal.lines('foo')).at(-1)).toMatchObject({
      kind: 'acknowledged',
      since: '2026-03-01T12:00:00Z',
    })
    expect((await journal.verify()).findings).toEqual([])
    await show('c')
    expect(await mirror.sync()).toMatchObject({ conflicts: 1 })
    expect(await acknowledge()).toEqual(['foo'])
    expect(await acknowledge()).toEqual([])
  })

  test('of which nothing is open cannot be acknowledged', async () => {
    await expect(acknowledge('bar')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'bar is in no conflict that is open',
      facts: { next: `tufgate mirror health ${mirror.directory} says which are.` },
    })
  })

  test('is found without reading the journal', async () => {
    const plan = await readMirror(mirror.directory, (memory) => {
      expect(countConflicts(memory, mirror.now)).toBe(0)
      return memory.ledger.database.all(
        `EXPLAIN QUERY PLAN SELECT project FROM journal AS seen
         WHERE substr(detail, 1, 13) = '{"act":"kept"' AND time >= 1 AND project IS NOT NULL`,
      )
    })
    expect(JSON.stringify(plan)).toContain('journal_conflict')
  })
})

describe('of a project whose maintainers sign it', () => {
  let it: ClaimedMirror
  beforeEach(async () => {
    it = await ClaimedMirror.create()
    await it.claimWhole()
  })
  afterEach(() => it.remove())

  test('what the index shows otherwise is open until they sign anew, and it is theirs', async () => {
    await it.mirror.putPage('foo', ['foo-1.1.tar.gz', 'foo-1.2.tar.gz'])
    expect(await it.sync()).toMatchObject({ conflicts: 1 })
    await it.accept(await it.signVersion('1.2'))
    const count = await readMirror(it.mirror.directory, (memory) =>
      countConflicts(memory, it.mirror.now),
    )
    expect(count).toBe(0)
  })
})
