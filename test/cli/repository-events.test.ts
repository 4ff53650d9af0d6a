import { expect, test } from 'vitest'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import { toAuditEvent } from '../../src/cli/serve/repository-events.ts'

const error = new VerifyError('EXPIRED', 'timestamp version 2 expired 3 h ago')
const failed = {
  kind: 'failed',
  at: 'refresh',
  failure: { source: 'https://mirror.example/', error },
  isServing: true,
  trust: { root: 1, timestamp: 2, snapshot: 2 },
} as const

test('a bad list that changes nothing: what was trusted before stays in force', () => {
  expect(toAuditEvent('pypi', failed)).toMatchObject({
    kind: 'warning',
    code: 'EXPIRED',
    message:
      'pypi: mirror https://mirror.example/: timestamp version 2 expired 3 h ago; what was trusted before stays in force',
  })
})

test.each([
  ['nothing usable is there', { ...failed, isServing: false }],
  ['a record or a role is what was bad', { ...failed, at: 'fetch' as const }],
  [
    'the mirror is not reached',
    { ...failed, failure: { ...failed.failure, error: new UpstreamError('TIMED_OUT', 'late') } },
  ],
])('nothing is said to stay in force where %s', (_, event) => {
  expect(toAuditEvent('pypi', event).message).not.toContain('in force')
})

test('A3: the audit log says of a frozen list that it is nearly over', () => {
  const source = 'https://mirror.example/'
  const trust = { root: 1, timestamp: 2, snapshot: 2 }
  expect(toAuditEvent('pypi', { kind: 'refreshed', source, trust, leftMs: 7_200_000 })).toEqual({
    kind: 'refresh',
    message: `pypi: checked ${source}: it has nothing newer, and the list expires in 2 h`,
    trust,
  })
})
