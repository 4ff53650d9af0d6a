/** The disk budget of the log: the oldest parts go, never one that a process is writing. */

import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sortParts, type PartName } from './part-name.ts'

/** `tufgate run` begins a chain for each command: many small files. */
const maxParts = 2000

export interface Budget {
  readonly maxTotalBytes: number
  readonly isAlive: (owner: string) => boolean
}

interface Part extends PartName {
  readonly bytes: number
  readonly written: number
}

/** The file names that went, oldest first. */
export function removeOldestParts(directory: string, { maxTotalBytes, isAlive }: Budget): string[] {
  const parts = listParts(directory)
  let excessBytes = parts.reduce((sum, part) => sum + part.bytes, 0) - maxTotalBytes
  let excessParts = parts.length - maxParts
  const running = findRunning(parts, isAlive)
  const removed: string[] = []
  for (const part of parts.toSorted((left, right) => left.written - right.written)) {
    if (excessBytes <= 0 && excessParts <= 0) break
    if (running.has(part.file)) continue
    rmSync(join(directory, part.file), { force: true })
    removed.push(part.file)
    excessBytes -= part.bytes
    excessParts -= 1
  }
  return removed
}

function listParts(directory: string): Part[] {
  return sortParts(readdirSync(directory)).flatMap((name) => {
    const stats = statSync(join(directory, name.file), { throwIfNoEntry: false })
    return stats === undefined ? [] : [{ ...name, bytes: stats.size, written: stats.mtimeMs }]
  })
}

/** The last part of each chain whose process lives. */
function findRunning(parts: readonly Part[], isAlive: (owner: string) => boolean): Set<string> {
  const last = new Map(parts.map((part) => [part.chain, part]))
  return new Set([...last.values()].filter(({ owner }) => isAlive(owner)).map(({ file }) => file))
}
