/** Appends lines until it is killed, and tells of each that was acknowledged. */

import { AuditLog } from '../../src/audit/log.ts'

const [folder = '', round = ''] = process.argv.slice(2)
const log = await AuditLog.open(folder, {
  maxFileBytes: 4000,
  maxTotalBytes: 100_000_000,
  clock: Date.now,
  owner: { id: `${process.pid}.${round}`, isAlive: () => false },
})
await Promise.all(Array.from({ length: 8 }, (_, lane) => appendForEver(lane)))

async function appendForEver(lane: number): Promise<void> {
  for (let at = 0; ; at += 1) {
    const id = `${round}-${lane}-${at}`
    await log.append({ kind: 'page', id, project: `p${id}`, message: 'x'.repeat(at % 300) })
    process.send?.(id)
  }
}
