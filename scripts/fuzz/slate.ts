/** What is under way in another thread, which may never answer again. */

import type { Bytes } from '../../src/base/bytes.ts'
import { maxInputBytes } from './mutate.ts'

const headerBytes = 16

export interface UnderWay {
  readonly place: number
  readonly number: number
  readonly input: Bytes
  /** Another one for each input. */
  readonly beat: number
}

export class Slate {
  readonly buffer: SharedArrayBuffer
  readonly #header: Int32Array
  readonly #input: Uint8Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(headerBytes + maxInputBytes)) {
    this.buffer = buffer
    this.#header = new Int32Array(buffer, 0, headerBytes / 4)
    this.#input = new Uint8Array(buffer, headerBytes)
  }

  write(place: number, number: number, input: Bytes): void {
    this.#header[0] = place
    this.#header[1] = number
    this.#header[2] = input.length
    this.#input.set(input)
    Atomics.add(this.#header, 3, 1)
  }

  read(): UnderWay {
    const [place = 0, number = 0, length = 0, beat = 0] = this.#header
    return { place, number, input: Uint8Array.from(this.#input.subarray(0, length)), beat }
  }
}
