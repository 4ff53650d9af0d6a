import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FloorStore } from '../../src/store/floors.ts'
import { MetadataDirectory } from '../../src/store/metadata-directory.ts'
import { makeTempFolder } from './temp-folder.ts'

test(
  'a process that is killed leaves floors that never go down, and whole metadata above them',
  { timeout: 60_000 },
  async () => {
    const folder = makeTempFolder()
    const child = join(import.meta.dirname, 'refresh.child.ts')
    let acknowledged = 0
    for (let round = 0; round < 15; round += 1) {
      const writer = fork(child, [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      writer.on(
        'message',
        (version: number) => void (acknowledged = Math.max(acknowledged, version)),
      )
      for (let refreshes = 0; refreshes <= round % 4; refreshes += 1) await once(writer, 'message')
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      const floors = FloorStore.open(join(folder, 'floors.db'))
      const floor = floors.read().versions.get('timestamp') ?? 0
      expect(floors.contact).toBe('known')
      expect(floor).toBeGreaterThanOrEqual(acknowledged)
      floors.close()
      const metadata = await MetadataDirectory.open(join(folder, 'metadata'))
      for (const role of ['timestamp', 'snapshot'] as const) {
        const text = Buffer.from((await metadata.readTop(role, 100_000)) ?? []).toString()
        const { version, end } = JSON.parse(text) as { version: number; end: boolean }
        expect(version).toBeGreaterThanOrEqual(floor)
        expect(end).toBe(true)
      }
    }
    expect(acknowledged).toBeGreaterThan(15)
  },
)
