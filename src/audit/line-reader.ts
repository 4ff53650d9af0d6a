/** The lines of one part as bytes, some at a time, without believing in their length. */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Bytes } from '../base/bytes.ts'
import { findErrno } from './audit-error.ts'
import { maxLineBytes } from './line.ts'

export interface RawLine {
  /** Without the line feed; only the beginning of a line that is too long. */
  readonly bytes: Bytes
  /** From 1. */
  readonly number: number
  /** `torn`: the file ends before the line does. */
  readonly state: 'whole' | 'torn' | 'too long'
}

const lineFeed = 0x0a
const chunkBytes = 256 * 1024
// A FIFO in the place of a part would never end.
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** Nothing where the file has gone: the disk budget may take it at any time. */
export async function* readLines(path: string): AsyncGenerator<readonly RawLine[], void> {
  const splitter = new LineSplitter()
  try {
    const handle = await open(path, flags)
    for await (const chunk of handle.createReadStream({ highWaterMark: chunkBytes })) {
      yield splitter.split(chunk as Buffer)
    }
  } catch (error) {
    if (findErrno(error) !== 'ENOENT') throw error
    return
  }
  yield splitter.end()
}

class LineSplitter {
  #number = 0
  /** What came before, of a line that has not ended. */
  #begun: Buffer = Buffer.alloc(0)
  #isTooLong = false

  split(chunk: Buffer): RawLine[] {
    const lines: RawLine[] = []
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      lines.push(this.#finish(chunk.subarray(start, end), 'whole'))
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return lines
  }

  end(): RawLine[] {
    const isTorn = this.#begun.length > 0 || this.#isTooLong
    return isTorn ? [this.#finish(Buffer.alloc(0), 'torn')] : []
  }

  #finish(rest: Buffer, state: 'whole' | 'torn'): RawLine {
    this.#keep(rest)
    const bytes = this.#begun
    const isTooLong = this.#isTooLong
    this.#begun = Buffer.alloc(0)
    this.#isTooLong = false
    this.#number += 1
    return { bytes, number: this.#number, state: isTooLong ? 'too long' : state }
  }

  #keep(rest: Buffer): void {
    if (this.#isTooLong || rest.length === 0) return
    this.#isTooLong = this.#begun.length + rest.length > maxLineBytes
    const kept = this.#isTooLong ? rest.subarray(0, maxLineBytes - this.#begun.length) : rest
    this.#begun = this.#begun.length === 0 ? kept : Buffer.concat([this.#begun, kept])
  }
}
