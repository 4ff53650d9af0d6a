import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { searchAudit } from '../../src/audit/search.ts'
import { collect, listFiles, makeLogFolder, openLog, readLinesOf } from './audit-support.ts'

const enough = 1_000_000

async function makeLog(parts = { maxFileBytes: 700 }): Promise<string> {
  const folder = makeLogFolder()
  const { log, clock } = await openLog(folder, parts)
  for (let at = 0; at < 12; at += 1) {
    clock.now += 1000
    await log.append({ kind: 'refused', code: 'DENIED', id: `r-${at}`, project: `p${at}` })
  }
  await log.close()
  // As they were written: on a fast disk several have the same time.
  for (const [at, file] of listFiles(folder).entries()) utimesSync(join(folder, file), at, at)
  return folder
}

test('finds every line of an id, the oldest first', async () => {
  const folder = makeLogFolder()
  const { log, clock } = await openLog(folder)
  await log.append({ kind: 'hidden', id: 'r-1', project: 'a' })
  clock.now += 5
  await log.append({ kind: 'page', id: 'r-1', project: 'a' })
  await log.append({ kind: 'page', id: 'r-2', project: 'a' })
  await log.close()
  const { entries, isWhole } = await searchAudit(folder, { ids: ['r-1'] }, enough)
  expect(entries.map(({ kind }) => kind)).toEqual(['hidden', 'page'])
  expect(isWhole).toBe(true)
})

test('reads from the newest part backwards, no more than it may, and says so', async () => {
  const folder = await makeLog()
  const files = listFiles(folder)
  expect(files.length).toBeGreaterThan(3)
  const newest = statSync(join(folder, files.at(-1)!)).size
  const old = await searchAudit(folder, { ids: ['r-0'] }, newest)
  expect(old).toEqual({ entries: [], isWhole: false, bytes: newest })
  const recent = await searchAudit(folder, { ids: ['r-11'] }, enough)
  expect(recent.entries).toHaveLength(1)
  expect(recent.isWhole).toBe(true)
})

test('looks into the part with the newest line first, whenever its chain began', async () => {
  const folder = await makeLog()
  const [first = ''] = listFiles(folder)
  utimesSync(join(folder, first), 1_000_000, 1_000_000)
  expect((await searchAudit(folder, { ids: ['r-0'] }, 1)).entries).toHaveLength(1)
})

test('finds a request that is only counted, by its id', async () => {
  const folder = makeLogFolder()
  const { log } = await openLog(folder)
  for (let at = 0; at < 90; at += 1) {
    await log.append({
      kind: 'refused',
      code: 'DENIED',
      id: `r-${at}`,
      project: 'a',
      client: '::1',
    })
  }
  await log.close()
  const wanted = { count: 80, project: 'a', code: 'DENIED' }
  const { entries } = await searchAudit(folder, { ids: ['r-12'] }, enough)
  expect(entries).toMatchObject([wanted])
  expect(await collect(folder, { ids: ['r-12'] })).toMatchObject([wanted])
  // The list has an end, whatever comes.
  expect(readLinesOf(folder).find(({ count }) => count === 80)?.['ids']).toHaveLength(64)
  expect((await searchAudit(folder, { ids: ['r-89'] }, enough)).entries).toEqual([])
})

test('keeps what a refusal advised', async () => {
  const folder = makeLogFolder()
  const { log } = await openLog(folder)
  await log.append({ kind: 'refused', id: 'r-1', next: 'n'.repeat(600) })
  await log.close()
  const { entries } = await searchAudit(folder, { ids: ['r-1'] }, enough)
  expect(entries[0]?.next).toBe(`${'n'.repeat(509)}...`)
})
