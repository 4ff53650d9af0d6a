/**
 * The append-only log: JSON lines, each bound to the one before by its digest, one chain a process.
 *
 * An append resolves once its line is on disk. Where it rejects, whoever asked has to be refused:
 * nothing is done that the log cannot tell of.
 */

import { mkdirSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/errors.ts'
import { buildAuditError } from './audit-error.ts'
import { ChainWriter, type LineToWrite } from './chain-writer.ts'
import type { AuditEvent } from './event.ts'
import { renderHead, type AuditHead } from './head.ts'
import { renderBody, type LineExtras } from './line.ts'
import { realDisk, type PartDisk } from './part-file.ts'
import { buildChainId } from './part-name.ts'
import { findNewestHead, mendTornLines } from './recovery.ts'
import { Repeats } from './repeats.ts'
import { removeOldestParts, type Budget } from './retention.ts'

/** Tells a living process's files from those of a dead one. */
export interface LogOwner {
  /** Of lower-case letters, digits and full stops. */
  readonly id: string
  readonly isAlive: (id: string) => boolean
}

export interface AuditLogOptions {
  /** A part that has reached it is followed by the next one. */
  readonly maxFileBytes: number
  /** Of all parts of all chains; at least two parts of one chain are kept. */
  readonly maxTotalBytes: number
  readonly clock: Clock
  readonly owner: LogOwner
  /** Stands in the first line, whose kind is `start`. */
  readonly start?: Omit<AuditEvent, 'kind'>
  /** Default: the files of this machine. */
  readonly disk?: PartDisk
}

const repeatsMs = 60_000
const removedInOneLine = 100

/** `counted`: it stands behind a later line with a number. */
export type Appended = 'written' | 'counted'

export class AuditLog {
  readonly #writer: ChainWriter
  readonly #clock: Clock
  readonly #repeats = new Repeats()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(writer: ChainWriter, clock: Clock) {
    this.#writer = writer
    this.#clock = clock
  }

  /** Writes the first lines, so that a log that cannot be written is known at the start. */
  static async open(directory: string, options: AuditLogOptions): Promise<AuditLog> {
    const { clock, owner } = options
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const mended = mendTornLines(directory, owner.isAlive)
      const previous = findNewestHead(directory)
      const chain = buildChainId(clock(), owner.id)
      const log = new AuditLog(createWriter(directory, chain, options), clock)
      const extras = { chain, ...(previous && { previous: renderHead(previous) }) }
      await log.#write({ ...options.start, kind: 'start' }, extras)
      await Promise.all(mended.map((event) => log.#write(event)))
      return log
    } catch (error) {
      throw buildAuditError(error, `open the audit log in ${directory}`)
    }
  }

  /** Resolves once the line is on disk, or it is counted. Rejects with StorageError AUDIT_FAILED. */
  async append(event: AuditEvent): Promise<Appended> {
    if (!this.#isOpen()) throw buildAuditError(new Error('it was closed'), 'write the audit log')
    const time = this.#clock()
    this.#writeEnded(time)
    if (this.#repeats.isCollapsed(event, time)) {
      await this.#writer.settle()
      // While the disk fails nothing is collapsed: each append tries it again.
      if (this.#writer.isHealthy() && this.#isOpen()) {
        this.#collapse(event, time)
        return 'counted'
      }
    }
    await this.#write(event)
    return 'written'
  }

  /** The last line that is on disk. */
  head(): AuditHead {
    return this.#writer.head
  }

  /** Writes the numbers of what was collapsed so far. */
  async flush(): Promise<void> {
    const lines = this.#repeats.takeAll(this.#clock())
    await Promise.all(lines.map((line) => this.#writer.write(line)))
  }

  /** Writes a last line, whose kind is `stop`. */
  async close(stop: Omit<AuditEvent, 'kind'> = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    try {
      await this.flush()
      await this.#write({ ...stop, kind: 'stop' })
    } finally {
      await this.#writer.close()
    }
  }

  #write(event: AuditEvent, extras: LineExtras = {}): Promise<void> {
    return this.#writer.write({ time: this.#clock(), body: renderBody(event, extras) })
  }

  #isOpen(): boolean {
    return !this.#isClosed
  }

  #collapse(event: AuditEvent, time: number): void {
    this.#repeats.collapse(event, time)
    this.#timer ??= setTimeout(() => this.#wake(), repeatsMs).unref()
  }

  #wake(): void {
    this.#timer = undefined
    this.#writeEnded(this.#clock())
  }

  #writeEnded(time: number): void {
    for (const line of this.#repeats.takeEnded(time)) {
      // The writer counts what it could not write, and tells the number when it can again.
      this.#writer.write(line).catch(() => undefined)
    }
  }
}

function createWriter(directory: string, chain: string, options: AuditLogOptions): ChainWriter {
  const { maxTotalBytes, clock, owner, disk = realDisk } = options
  const maxFileBytes = Math.min(options.maxFileBytes, Math.ceil(maxTotalBytes / 2))
  const budget = { maxTotalBytes: maxTotalBytes - maxFileBytes, isAlive: owner.isAlive }
  const onPart = (): LineToWrite[] => keepBudget(directory, budget, clock())
  return new ChainWriter({ directory, chain, maxFileBytes, disk, onPart })
}

/** Old files that cannot be removed are no reason to refuse requests, as long as there is room. */
function keepBudget(directory: string, budget: Budget, time: number): LineToWrite[] {
  try {
    return describeRemoved(removeOldestParts(directory, budget), time)
  } catch (error) {
    const message = `the oldest files of the log cannot be removed: ${describeError(error)}`
    return [{ time, body: renderBody({ kind: 'warning', message }) }]
  }
}

/** So that the verifier can tell a part that the budget took from one that somebody took. */
function describeRemoved(files: readonly string[], time: number): LineToWrite[] {
  const lines: LineToWrite[] = []
  for (let at = 0; at < files.length; at += removedInOneLine) {
    const removed = files.slice(at, at + removedInOneLine)
    const message = `the disk budget of the log took its ${removed.length} oldest files`
    lines.push({ time, body: renderBody({ kind: 'warning', message }, { removed }) })
  }
  return lines
}
