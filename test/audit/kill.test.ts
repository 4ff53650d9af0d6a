import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyAudit } from '../../src/audit/verifier.ts'
import { collect, makeLogFolder, openLog } from './audit-support.ts'

test(
  'a process that is killed loses no line that it had acknowledged',
  { timeout: 60_000 },
  async () => {
    const folder = makeLogFolder()
    const child = join(import.meta.dirname, 'append-lines.child.ts')
    const acknowledged = new Set<string>()
    for (let round = 0; round < 15; round += 1) {
      const writer = fork(child, [folder, String(round)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      writer.on('message', (id: string) => void acknowledged.add(id))
      for (let lines = 0; lines <= round; lines += 1) await once(writer, 'message')
      writer.kill('SIGKILL')
      await once(writer, 'exit')
    }
    const { log } = await openLog(folder)
    await log.close()
    expect((await verifyAudit(folder, { head: log.head() })).findings).toEqual([])
    const written = new Set((await collect(folder, { kinds: ['page'] })).map(({ id }) => id))
    expect([...acknowledged].filter((id) => !written.has(id))).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(100)
  },
)
