/**
 * Looks for few lines from the newest part of the log backwards, with a bound on how much is read: for
 * a page that anybody may ask for again and again. The whole log is for `readAudit`.
 */

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseEntry, type AuditEntry } from './entry.ts'
import { createPrefilter, isWanted, type AuditFilter } from './filter.ts'
import { readLines } from './line-reader.ts'
import { sortParts } from './part-name.ts'

export interface AuditSearch {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[]
  /** false: older parts were not looked at. */
  readonly isWhole: boolean
  /** That were looked at. */
  readonly bytes: number
}

/** A part is read whole or not at all; the newest one always is. */
export async function searchAudit(
  directory: string,
  filter: AuditFilter,
  maxBytes: number,
): Promise<AuditSearch> {
  const found: AuditEntry[] = []
  let bytes = 0
  for (const { path, chain, size } of listNewestFirst(directory)) {
    if (bytes > 0 && bytes + size > maxBytes) return { entries: sort(found), isWhole: false, bytes }
    bytes += size
    // oxlint-disable-next-line no-await-in-loop -- the bound is on all of them together
    found.push(...(await searchPart(path, chain, filter)))
  }
  return { entries: sort(found), isWhole: true, bytes }
}

/** By their last line: a chain that was begun long ago may have the newest one. */
function listNewestFirst(directory: string): { path: string; chain: string; size: number }[] {
  return sortParts(readdirSync(directory))
    .toReversed()
    .flatMap(({ file, chain }) => {
      const path = join(directory, file)
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats === undefined ? [] : [{ path, chain, size: stats.size, time: stats.mtimeMs }]
    })
    .toSorted((left, right) => right.time - left.time)
}

async function searchPart(path: string, chain: string, filter: AuditFilter): Promise<AuditEntry[]> {
  const isCandidate = createPrefilter(filter)
  const found: AuditEntry[] = []
  for await (const lines of readLines(path)) {
    const candidates = lines.filter(({ bytes, state }) => state === 'whole' && isCandidate(bytes))
    const entries = candidates.flatMap(({ bytes }) => parseEntry(bytes, chain) ?? [])
    found.push(...entries.filter((entry) => isWanted(entry, filter)))
  }
  return found
}

function sort(entries: readonly AuditEntry[]): AuditEntry[] {
  return entries.toSorted((left, right) => left.time - right.time || left.seq - right.seq)
}
