import { mkdirSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AuditLog } from '../../src/audit/log.ts'
import { EntrySearch } from '../../src/cli/log/entry-search.ts'

let folder = ''
const clock = { now: 1_000_000 }
let search: EntrySearch
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-entry-search-'))
  search = new EntrySearch(folder, () => clock.now)
  const log = await AuditLog.open(folder, {
    maxFileBytes: 1_000_000,
    maxTotalBytes: 2_000_000,
    clock: Date.now,
    owner: { id: '1.1.n1', isAlive: () => false },
  })
  for (const id of ['r-aaaaaaaa', 'r-bbbbbbbb']) {
    await log.append({ kind: 'refused', id, code: 'DENIED', project: 'foo' })
  }
  await log.close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A part of the size that a long day fills, without a line in it. */
function addLargePart(bytes: number): void {
  const path = join(folder, '20990102T030405000Z_1.1.n1_aaaaaaaa.000001.jsonl')
  writeFileSync(path, '')
  truncateSync(path, bytes)
  utimesSync(path, Date.now() / 1000, Date.now() / 1000 + 60)
}

test('finds the lines of an id in the log on disk', async () => {
  const { entries, searched } = await search.find('r-aaaaaaaa')
  expect(entries).toMatchObject([{ id: 'r-aaaaaaaa', project: 'foo' }])
  expect(searched).toBe('whole')
})

test('answers all who ask for one id at once with one look', async () => {
  const both = [search.find('r-aaaaaaaa'), search.find('r-aaaaaaaa')]
  const [first, second] = await Promise.all(both)
  expect(first).toBe(second)
})

test('does not look for two at once', async () => {
  const first = search.find('r-aaaaaaaa')
  expect(await search.find('r-bbbbbbbb')).toEqual({ entries: [], searched: 'busy' })
  expect((await first).entries).toHaveLength(1)
})

test('pauses after a look for as long as it was expensive, but not for what it has found', async () => {
  addLargePart(40_960_000)
  expect((await search.find('r-aaaaaaaa')).searched).toBe('whole')
  expect((await search.find('r-bbbbbbbb')).searched).toBe('busy')
  expect((await search.find('r-aaaaaaaa')).entries).toHaveLength(1)
  clock.now += 9000
  expect((await search.find('r-bbbbbbbb')).searched).toBe('busy')
  clock.now += 2000
  expect((await search.find('r-bbbbbbbb')).entries).toHaveLength(1)
})

test('goes on after a clock that was set back', async () => {
  addLargePart(40_960_000)
  await search.find('r-aaaaaaaa')
  clock.now -= 3_600_000
  expect((await search.find('r-bbbbbbbb')).searched).toBe('whole')
})

test('does not read older parts beyond its limit', async () => {
  addLargePart(67_108_864)
  expect(await search.find('r-aaaaaaaa')).toEqual({ entries: [], searched: 'partly' })
})

test('a part that cannot be read is no way to have the others read again and again', async () => {
  addLargePart(40_960_000)
  mkdirSync(join(folder, '20990102T030405000Z_1.1.n1_bbbbbbbb.000001.jsonl'))
  const refusal = await search.find('r-aaaaaaaa').catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    code: 'AUDIT_FAILED',
    message: expect.stringMatching(/^cannot look for lines in the audit log: EISDIR/) as string,
  })
  expect(await search.find('r-aaaaaaaa')).toEqual({ entries: [], searched: 'busy' })
  clock.now += 17_000
  await expect(search.find('r-aaaaaaaa')).rejects.toThrow('EISDIR')
})
