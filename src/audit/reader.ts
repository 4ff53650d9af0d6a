/**
 * Reads the log back, in the order of time across chains, without holding it in memory. It does not
 * prove anything, and passes over lines that cannot be read: the verifier tells of those.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseEntry, type AuditEntry } from './entry.ts'
import { createPrefilter, isWanted, type AuditFilter } from './filter.ts'
import { readLines } from './line-reader.ts'
import { readChainStart, sortParts, type PartName } from './part-name.ts'

export type { AuditEntry } from './entry.ts'
export type { AuditFilter } from './filter.ts'

export async function* readAudit(
  directory: string,
  filter: AuditFilter = {},
): AsyncGenerator<AuditEntry, void> {
  const waiting = groupByChain(directory, filter.chain)
  const open: Cursor[] = []
  while (waiting.length > 0 || open.length > 0) {
    const first = findEarliest(open)
    const [next] = waiting
    // A chain is only opened when its time has come: of many there are few open at once.
    if (next !== undefined && (first === undefined || next.start <= first.time)) {
      waiting.shift()
      const cursor = new Cursor(readChain(directory, next.parts, filter))
      if (await cursor.advance()) open.push(cursor)
    } else if (first !== undefined) {
      yield first.entry
      if (!(await first.cursor.advance())) open.splice(open.indexOf(first.cursor), 1)
    }
  }
}

interface Chain {
  readonly start: number
  readonly parts: readonly PartName[]
}

/** By their start. */
function groupByChain(directory: string, wanted: string | undefined): Chain[] {
  const chains = new Map<string, PartName[]>()
  for (const part of sortParts(readdirSync(directory))) {
    if (wanted !== undefined && part.chain !== wanted) continue
    const parts = chains.get(part.chain)
    if (parts === undefined) chains.set(part.chain, [part])
    else parts.push(part)
  }
  return [...chains].map(([chain, parts]) => ({ start: readChainStart(chain), parts }))
}

/** One chain, one entry after the other; the next one can be looked at before it is taken. */
class Cursor {
  readonly #batches: AsyncGenerator<readonly AuditEntry[], void>
  #batch: readonly AuditEntry[] = []
  #at = 0

  constructor(batches: AsyncGenerator<readonly AuditEntry[], void>) {
    this.#batches = batches
  }

  get entry(): AuditEntry | undefined {
    return this.#batch[this.#at]
  }

  /** Whether there is an entry now. */
  async advance(): Promise<boolean> {
    this.#at += 1
    while (this.#at >= this.#batch.length) {
      const next = await this.#batches.next()
      if (next.done === true) return false
      this.#batch = next.value
      this.#at = 0
    }
    return true
  }
}

function findEarliest(
  open: readonly Cursor[],
): { readonly cursor: Cursor; readonly entry: AuditEntry; readonly time: number } | undefined {
  let earliest: ReturnType<typeof findEarliest>
  for (const cursor of open) {
    const { entry } = cursor
    if (entry === undefined || (earliest !== undefined && entry.time >= earliest.time)) continue
    earliest = { cursor, entry, time: entry.time }
  }
  return earliest
}

async function* readChain(
  directory: string,
  parts: readonly PartName[],
  filter: AuditFilter,
): AsyncGenerator<readonly AuditEntry[], void> {
  const isCandidate = createPrefilter(filter)
  for (const { file, chain } of parts) {
    for await (const lines of readLines(join(directory, file))) {
      const candidates = lines.filter(({ bytes, state }) => state === 'whole' && isCandidate(bytes))
      yield candidates
        .flatMap(({ bytes }) => parseEntry(bytes, chain) ?? [])
        .filter((entry) => isWanted(entry, filter))
    }
  }
}
