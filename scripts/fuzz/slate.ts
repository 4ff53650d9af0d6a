/** What is under way in another process, which may never answer again: in a file that both have open. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Bytes } from '../../src/base/bytes.ts'

/** Place, number, length and beat, 4 bytes each. */
const headerBytes = 16

export interface UnderWay {
  readonly place: number
  readonly number: number
  readonly input: Bytes
  /** Another one for each input. */
  readonly beat: number
}

export class Slate {
  readonly #file: number
  #beat = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  /** In one write: whoever reads sees all of it, or all of the one before. */
  write(place: number, number: number, input: Bytes): void {
    this.#beat += 1
    const whole = Buffer.alloc(headerBytes + input.length)
    for (const [at, value] of [place, number, input.length, this.#beat].entries()) {
      whole.writeUInt32LE(value % 2 ** 32, at * 4)
    }
    whole.set(input, headerBytes)
    writeSync(this.#file, whole, 0, whole.length, 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Nothing yet where it is empty. */
export function readSlate(path: string): UnderWay {
  const whole = readFileSync(path)
  const header = Buffer.alloc(headerBytes)
  whole.copy(header)
  const [place = 0, number = 0, length = 0, beat = 0] = [0, 4, 8, 12].map((at) =>
    header.readUInt32LE(at),
  )
  const input = Uint8Array.from(whole.subarray(headerBytes, headerBytes + length))
  return { place, number, input, beat }
}
