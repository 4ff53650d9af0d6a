/** One piece of work in this process: processor time, wall time, and what went to the disk. */

import { readFileSync } from 'node:fs'

export interface Cost {
  readonly cpuMs: number
  readonly wallMs: number
  /** What the kernel was given to write to files, in whatever way. */
  readonly writtenBytes: number
}

export async function measureWork(work: () => Promise<void>): Promise<Cost> {
  const writtenBefore = readWrittenBytes()
  const startedAt = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return {
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - startedAt,
    writtenBytes: readWrittenBytes() - writtenBefore,
  }
}

function readWrittenBytes(): number {
  const [, written] = /^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8')) ?? []
  return Number(written)
}
