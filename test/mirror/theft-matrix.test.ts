/** What the matrix says of stolen keys, against a thief who tries it on our own client. */

import { beforeAll, describe, expect, test } from 'vitest'
import { judgeTheft, type MirrorShape } from '../../src/mirror/theft-matrix.ts'
import { listThefts } from '../../src/mirror/theft-rows.ts'
import { TheftTrial, type Question } from './theft-trial.ts'
import { StolenRepository } from './thief.ts'

describe.each([
  ['snapshot says the sha256 of the bins', true],
  ['snapshot says the version of the bins alone', false],
])('where %s', (_what, hasBinHashes) => {
  let trial: TheftTrial
  beforeAll(async () => {
    trial = await TheftTrial.create(hasBinHashes)
  })

  test.each<[string, Question, number]>([
    [
      'a malicious update reaches returning clients exactly where the matrix says so',
      'returning clients',
      512 + 32,
    ],
    ['and new clients, to which lists of before a claim can be shown', 'new clients', 512 + 32],
    ['a freeze ends when the first role expires that the thief cannot sign', 'freeze', 256],
    [
      'a mix of versions that were never published together needs the key of snapshot, and that of timestamp',
      'mix',
      256,
    ],
    ['no key reaches a client whose thief has no way to it', 'no path', 512 + 32],
  ])('%s', async (_title, question, thefts) => {
    const found = await trial.compareAll(question)
    expect(found).toHaveLength(thefts)
    expect(found.filter(({ said, seen }) => said !== seen)).toEqual([])
  })

  test('the bins key alone is worth what the shape says', () => {
    const { malicious, reasons, freeze } = trial.judge(['bins-nn'])
    expect(malicious).toBe(hasBinHashes ? 'nothing' : 'unclaimed')
    expect(reasons.join(' ')).toContain(hasBinHashes ? 'says their sha256' : 'by version alone')
    expect(freeze).toMatchObject({ endedBy: 'timestamp', needsNoKey: true })
  })

  test('every role alone, but those of root, is worth nothing to whoever has no way to a client', () => {
    for (const row of listThefts(trial.repository.shape)) {
      const isOwner = row.stolen.startsWith("one owner's keys")
      expect(row.withoutPath).toMatchObject({
        malicious: isOwner ? 'one' : 'nothing',
        inconsistency: 'no',
      })
    }
  })
})

describe('the rows of the matrix', () => {
  const shape = new StolenRepository(true).shape
  const rowOf = (stolen: string, of: MirrorShape = shape) =>
    listThefts(of).find((row) => row.stolen === stolen)?.withPath

  test('are those of PEP 480', () => {
    expect(rowOf('timestamp, snapshot')).toMatchObject({
      malicious: 'nothing',
      inconsistency: 'yes',
    })
    expect(rowOf('timestamp, snapshot, bins-nn')?.malicious).toBe('unclaimed')
    expect(rowOf('every online key')).toMatchObject({
      malicious: 'not-claimed',
      maliciousForNew: 'everything',
    })
    expect(rowOf('every online key, claimed')?.malicious).toBe('everything')
    expect(rowOf("one owner's keys, timestamp, snapshot")?.malicious).toBe('one')
    expect(rowOf('enough keys of root')).toMatchObject({
      malicious: 'everything',
      freeze: { needsNoKey: false },
    })
    expect(rowOf('enough keys of root')?.freeze.until).toBeUndefined()
  })

  test('say nothing of owners where nobody signs for himself', () => {
    const empty = { ...shape, projects: { claimed: 0, recentlyClaimed: 0, unclaimed: 4 } }
    expect(listThefts(empty).filter(({ stolen }) => stolen.includes('owner'))).toEqual([])
  })

  test('count a key for every role that has it', () => {
    const shared = shape.roles.get('timestamp')!.keyids
    const roles = new Map(shape.roles)
    for (const role of ['snapshot', 'bins-nn'] as const)
      roles.set(role, { ...shape.roles.get(role)!, keyids: shared })
    const row = rowOf('the one key of timestamp, snapshot, bins-nn', { ...shape, roles })
    expect(row?.malicious).toBe('unclaimed')
    expect(rowOf('timestamp', { ...shape, roles })?.malicious).toBe('unclaimed')
  })

  test('count a key that is too few for its role as nothing', () => {
    const roles = new Map(shape.roles)
    const root = shape.roles.get('root')!
    roles.set('root', { ...root, keyids: [...root.keyids, 'a', 'b'], threshold: 2 })
    const judged = judgeTheft(
      { ...shape, roles },
      { keyids: new Set(root.keyids), hasOwner: false, hasPath: true },
    )
    expect(judged).toMatchObject({ malicious: 'nothing', forged: [] })
  })
})
