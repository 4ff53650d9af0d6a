import { expect, test } from 'vitest'
import { createFaultReport } from '../../src/cli/serve/fault-report.ts'

test('a fault that every request meets is one line a minute, another one a line of its own', () => {
  let now = 0
  const lines: string[] = []
  const report = createFaultReport(
    (level, message) => void lines.push(`${level} ${message}`),
    () => now,
  )
  for (let at = 0; at < 1000; at += 1) report(`cannot write vault/tmp/${at}`, 'DISK_FULL ENOSPC')
  report('cannot write the audit log', 'AUDIT_FAILED ENOSPC')
  report('not listening')
  now += 60_000
  report('cannot write vault/tmp/1000', 'DISK_FULL ENOSPC')
  expect(lines).toEqual([
    'error cannot write vault/tmp/0',
    'error cannot write the audit log',
    'error not listening',
    'error cannot write vault/tmp/1000',
  ])
})
