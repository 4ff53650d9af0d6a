import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readAudit } from '../../src/audit/reader.ts'
import { collect, listFiles, makeLogFolder, openLog } from './audit-support.ts'

async function makeLog(): Promise<string> {
  const folder = makeLogFolder()
  const { log, clock } = await openLog(folder, { maxFileBytes: 700 })
  for (let at = 0; at < 12; at += 1) {
    clock.now += 1000
    const kind = at % 2 === 0 ? 'page' : 'refused'
    await log.append({
      kind,
      id: `r-${at}`,
      project: `p${at % 3}`,
      ...(kind === 'refused' && { code: 'DENIED' }),
    })
  }
  await log.close()
  return folder
}

test('gives back every line, across files', async () => {
  const entries = await collect(await makeLog())
  expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 14 }, (_, at) => at + 1))
  expect(entries[3]).toMatchObject({
    kind: 'page',
    id: 'r-2',
    project: 'p2',
    time: Date.UTC(2026, 0, 2, 3, 4, 8),
  })
})

test('selects by project, kind, code, id and time', async () => {
  const folder = await makeLog()
  const idsOf = async (filter: Parameters<typeof collect>[1]): Promise<(string | undefined)[]> =>
    (await collect(folder, filter)).map(({ id }) => id)
  expect(await idsOf({ project: 'p1' })).toEqual(['r-1', 'r-4', 'r-7', 'r-10'])
  expect(await idsOf({ project: 'p1', kinds: ['refused'] })).toEqual(['r-1', 'r-7'])
  expect(await idsOf({ code: 'DENIED', ids: ['r-1', 'r-2', 'r-3'] })).toEqual(['r-1', 'r-3'])
  const start = Date.UTC(2026, 0, 2, 3, 4, 5)
  expect(await idsOf({ since: start + 3000, until: start + 5000 })).toEqual(['r-2', 'r-3'])
  expect(await idsOf({ project: 'absent' })).toEqual([])
})

test('finds names that have to be escaped', async () => {
  const folder = makeLogFolder()
  const { log } = await openLog(folder)
  await log.append({ kind: 'page', project: 'a"b\u202e\\' })
  await log.close()
  expect(await collect(folder, { project: 'a"b\u202e\\' })).toHaveLength(1)
})

test('follows the time across chains that were written at once', async () => {
  const folder = makeLogFolder()
  const first = await openLog(folder, { isAlive: () => true })
  const second = await openLog(folder, { isAlive: () => true })
  for (let at = 0; at < 10; at += 1) {
    const { log, clock } = at % 2 === 0 ? first : second
    clock.now += at * 1000
    await log.append({ kind: 'page', project: `p${at}` })
  }
  await first.log.close()
  await second.log.close()
  const times = (await collect(folder, { kinds: ['page'] })).map(({ time }) => time)
  expect(times).toHaveLength(10)
  expect(times).toEqual(times.toSorted((left, right) => left - right))
})

test('reads the chain of one process alone', async () => {
  const folder = makeLogFolder()
  const chains: string[] = []
  for (const project of ['p1', 'p2']) {
    const { log } = await openLog(folder)
    await log.append({ kind: 'page', project })
    chains.push(log.head().chain)
    await log.close()
  }
  const [first = ''] = chains
  const projects = (await collect(folder, { chain: first })).map(({ project }) => project)
  expect(projects).toEqual([undefined, 'p1', undefined])
  expect(await collect(folder, { chain: 'another' })).toEqual([])
})

test('passes over what is no line, and over files that are not of the log', async () => {
  const folder = makeLogFolder()
  const { log } = await openLog(folder)
  await log.append({ kind: 'page' })
  await log.close()
  const path = join(folder, listFiles(folder)[0] ?? '')
  const junk = [
    '',
    'null',
    '[]',
    '{"v":1}',
    '{"v":1,"seq":"1"}',
    'x'.repeat(200_000),
    '\u0000',
    '{"v":1,"se',
  ]
  writeFileSync(path, junk.join('\n'), { flag: 'a' })
  writeFileSync(join(folder, 'notes.jsonl'), '{}\n')
  expect((await collect(folder)).map(({ kind }) => kind)).toEqual(['start', 'page', 'stop'])
})

test('can be left before its end', async () => {
  const folder = await makeLog()
  for await (const { seq } of readAudit(folder)) {
    if (seq === 3) break
  }
  expect(await collect(folder)).toHaveLength(14)
})
