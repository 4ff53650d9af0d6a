import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/audit/event.ts'
import { RecentEvents } from '../../src/proxy/recent-events.ts'
import { Traffic } from '../../src/proxy/traffic.ts'

function refusal(at: number, more: Partial<AuditEvent> = {}): AuditEvent {
  const id = `r-${at}`
  return { kind: 'refused', code: 'DIGEST_MISMATCH', project: `p${at}`, id, ...more }
}

describe('the last refusals', () => {
  test('are the newest first, and no more than fifty', () => {
    const recent = new RecentEvents()
    for (let at = 0; at < 80; at += 1) recent.note(refusal(at), at)
    expect(recent.decided).toHaveLength(50)
    expect(recent.decided[0]?.event).toMatchObject({ project: 'p79', time: 79 })
  })

  test('come to the front again when they are repeated, with their number and the newest id', () => {
    const recent = new RecentEvents()
    for (const [at, project] of ['a', 'b', 'a'].entries()) recent.note(refusal(at, { project }), at)
    expect(recent.decided.map(({ event, times }) => [event.project, event.id, times])).toEqual([
      ['a', 'r-2', 2],
      ['b', 'r-1', 1],
    ])
  })

  test('are found by each of their ids, of which the oldest go', () => {
    const recent = new RecentEvents()
    for (let at = 0; at < 600; at += 1) recent.note(refusal(at, { project: 'same' }), at)
    expect(recent.find('r-99')).toEqual([])
    expect(recent.find('r-100')).toMatchObject([{ id: 'r-100', time: 100 }])
    expect(recent.decided).toMatchObject([{ times: 600 }])
  })

  test('keep no more of a header than the log does', () => {
    const recent = new RecentEvents()
    recent.note(refusal(1, { found: 'x'.repeat(100_000), code: 'HOST_NOT_ALLOWED' }), 1)
    expect(recent.failed[0]?.event.found).toHaveLength(512)
  })

  test.each([
    'NOT_FOUND',
    'NOT_SIGNED',
    'UNREACHABLE',
    'BAD_REQUEST',
    'DISK_FULL',
    'BUG',
    'toString',
  ])('have a place of their own for %s, of which there is no end', (code) => {
    const recent = new RecentEvents()
    recent.note(refusal(1), 1)
    for (let at = 2; at < 100; at += 1) recent.note(refusal(at, { code }), at)
    expect(recent.decided).toHaveLength(1)
    expect(recent.failed).toHaveLength(50)
  })

  test('are not what was handed out', () => {
    const recent = new RecentEvents()
    for (const kind of ['page', 'released', 'warning'] as const) recent.note({ kind, id: 'r-1' }, 1)
    expect([...recent.decided, ...recent.failed, ...recent.find('r-1')]).toEqual([])
  })
})

describe('what went through', () => {
  test('is counted by what became of it', () => {
    const traffic = new Traffic(() => 5)
    traffic.note({ kind: 'page', project: 'a', bytes: 10, ms: 2 })
    traffic.note({ kind: 'page' })
    traffic.note({ kind: 'page', code: 'PASSED_UNVERIFIED', found: 'begun.test:443' })
    traffic.note({ kind: 'page', code: 'PASSED_UNVERIFIED', bytes: 7 })
    traffic.note({ kind: 'released', project: 'a', bytes: 90, ms: 200 })
    traffic.note(refusal(1))
    traffic.note({ kind: 'hidden', code: 'TOO_YOUNG' })
    traffic.note({ kind: 'warning', code: 'EXPIRED' })
    const counts = Array.from(traffic.answers, ([kind, { count, bytes }]) => [kind, count, bytes])
    expect(counts).toEqual([
      ['page', 1, 10],
      ['file', 1, 90],
      ['own', 1, 0],
      ['passed', 1, 7],
      ['refused', 1, 0],
    ])
    expect([...traffic.refused, ...traffic.hidden]).toEqual([
      ['DIGEST_MISMATCH', 1],
      ['TOO_YOUNG', 1],
    ])
  })

  test('has no more codes than the program, whatever an event says', () => {
    const traffic = new Traffic(() => 5)
    for (const code of ['BUG', 'made up', '__proto__', 'constructor']) {
      traffic.note({ kind: 'refused', code })
    }
    expect([...traffic.refused]).toEqual([['BUG', 4]])
  })
})
