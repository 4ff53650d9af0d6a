/**
 * Appends the lines of one chain. Whatever waits is written with one write and one sync; a line is
 * acknowledged when it is on disk, and the chain goes on from the last such line.
 *
 * After a failure the part is cut back to that line and a fresh part is begun by the next write:
 * so the log heals with the disk. The lines that failed are told as a number.
 */

import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { buildAuditError, findErrno } from './audit-error.ts'
import type { AuditHead } from './head.ts'
import { noLineBefore, renderBody, renderLine } from './line.ts'
import type { PartDisk, PartFile } from './part-file.ts'
import { buildPartName } from './part-name.ts'

export interface ChainWriterOptions {
  readonly directory: string
  readonly chain: string
  readonly maxFileBytes: number
  readonly disk: PartDisk
  /** Called when a part is begun; its lines come after those that wait. */
  readonly onPart: () => readonly LineToWrite[]
}

export interface LineToWrite {
  /** Milliseconds. */
  readonly time: number
  /** From `renderBody`. */
  readonly body: string
  /** Of so many events. Default 1. */
  readonly events?: number
}

interface Waiting extends LineToWrite {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const maxWaitingLines = 16_384
const maxWaitingCharacters = 16 * 1024 * 1024
/** So many parts in a row may stand in the way of a fresh one. */
const maxPartTries = 100

export class ChainWriter {
  readonly #options: ChainWriterOptions
  #head: AuditHead
  #waiting: Waiting[] = []
  #waitingCharacters = 0
  #draining: Promise<void> | undefined
  #file: PartFile | undefined
  #part = 0
  #partBytes = 0
  /** Of the part that failed: to be cut before anything else. */
  #toCut: { readonly path: string; readonly length: number } | undefined
  #lost = { events: 0, since: 0 }

  constructor(options: ChainWriterOptions) {
    this.#options = options
    this.#head = { chain: options.chain, seq: 0, digest: noLineBefore }
  }

  get head(): AuditHead {
    return this.#head
  }

  isHealthy(): boolean {
    return this.#lost.events === 0
  }

  /** Resolves once the line is on disk. Rejects with StorageError AUDIT_FAILED. */
  write(line: LineToWrite): Promise<void> {
    const characters = this.#waitingCharacters + line.body.length
    if (this.#waiting.length >= maxWaitingLines || characters > maxWaitingCharacters) {
      this.#noteLoss([line])
      const reason = new Error(`${this.#waiting.length} lines wait for the disk already`)
      return Promise.reject(buildAuditError(reason, 'write the audit log'))
    }
    this.#waitingCharacters = characters
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...line, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves once nothing is under way; what failed was told to its writer. */
  async settle(): Promise<void> {
    await this.#draining
  }

  async close(): Promise<void> {
    await this.settle()
    await this.#closeFile()
  }

  async #drain(): Promise<void> {
    // In the next turn, so that the lines of one turn share a sync.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      this.#waitingCharacters = 0
      await this.#writeOrReject(batch)
    }
    this.#draining = undefined
  }

  async #writeOrReject(batch: readonly Waiting[]): Promise<void> {
    try {
      const more = await this.#openPart()
      await this.#appendLines([...this.#describeLoss(batch[0]?.time ?? 0), ...batch, ...more])
      this.#lost = { events: 0, since: 0 }
      for (const { resolve } of batch) resolve()
    } catch (error) {
      this.#noteLoss(batch)
      await this.#giveUpPart()
      const failure = buildAuditError(error, `write the audit log in ${this.#options.directory}`)
      for (const { reject } of batch) reject(failure)
    }
  }

  /** The lines that tell of what was done for a fresh part. */
  async #openPart(): Promise<readonly LineToWrite[]> {
    if (this.#file !== undefined && this.#partBytes < this.#options.maxFileBytes) return []
    await this.#closeFile()
    if (this.#toCut !== undefined) {
      const { path, length } = this.#toCut
      await this.#options.disk.cut(path, length)
      // A part without a line is gone then; its number is free again.
      if (length === 0) this.#part -= 1
      this.#toCut = undefined
    }
    this.#file = await this.#createPart()
    this.#partBytes = 0
    return this.#options.onPart()
  }

  async #createPart(): Promise<PartFile> {
    for (let tries = 1; ; tries += 1) {
      this.#part += 1
      try {
        return await this.#options.disk.create(this.#path())
      } catch (error) {
        if (findErrno(error) !== 'EEXIST' || tries >= maxPartTries) throw error
        // Left by an attempt that failed after it had made the file.
      }
    }
  }

  async #appendLines(lines: readonly LineToWrite[]): Promise<void> {
    let { seq, digest } = this.#head
    let text = ''
    for (const { time, body } of lines) {
      seq += 1
      const line = renderLine({ seq, time: new Date(time).toISOString(), prev: digest }, body)
      digest = sha256Hex(encodeUtf8(line))
      text += `${line}\n`
    }
    const bytes = encodeUtf8(text)
    await this.#file?.append(bytes)
    await this.#file?.sync()
    if ((await this.#file?.isLinked()) !== true) throw new Error(`${this.#path()} was deleted`)
    this.#partBytes += bytes.length
    this.#head = { chain: this.#options.chain, seq, digest }
  }

  #describeLoss(time: number): LineToWrite[] {
    const { events, since } = this.#lost
    if (events === 0) return []
    const message = `${events} events could not be written; their requests were refused`
    const extras = { count: events, since: new Date(since).toISOString() }
    return [{ time, body: renderBody({ kind: 'warning', code: 'AUDIT_FAILED', message }, extras) }]
  }

  #noteLoss(lines: readonly LineToWrite[]): void {
    const events = lines.reduce((sum, line) => sum + (line.events ?? 1), 0)
    const since = this.#lost.events === 0 ? (lines[0]?.time ?? 0) : this.#lost.since
    this.#lost = { events: this.#lost.events + events, since }
  }

  /** What the disk holds beyond the last acknowledged line is not known. */
  async #giveUpPart(): Promise<void> {
    if (this.#file === undefined) return
    this.#toCut = { path: this.#path(), length: this.#partBytes }
    try {
      await this.#closeFile()
    } catch {
      // It is given up in any case, and the failure that led here is the one to tell.
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #path(): string {
    return join(this.#options.directory, buildPartName(this.#options.chain, this.#part).file)
  }
}
