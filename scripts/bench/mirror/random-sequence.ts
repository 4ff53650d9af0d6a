/** Numbers that look random and are the same in every run: a seed from text, then mulberry32. */

const twoTo32 = 2 ** 32

export class RandomSequence {
  #state: number
  readonly #digest = Buffer.alloc(32)

  constructor(seed: string) {
    // FNV-1a: texts that differ in one letter give sequences that have nothing in common.
    let hash = 2_166_136_261
    for (let at = 0; at < seed.length; at += 1) {
      hash = Math.imul(hash ^ seed.charCodeAt(at), 16_777_619)
    }
    this.#state = hash
  }

  /** From 0 up to, not including, 2^32. */
  nextInteger(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** From 0 up to, not including, 1. */
  nextFraction(): number {
    return this.nextInteger() / twoTo32
  }

  /** Of a normal distribution with mean 0 and deviation 1 (Box and Muller). */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextFraction()))
    return radius * Math.cos(2 * Math.PI * this.nextFraction())
  }

  /** 64 hexadecimal digits: as hard to compress as a real digest, and far cheaper to make. */
  nextDigest(): string {
    for (let at = 0; at < 32; at += 4) this.#digest.writeUInt32LE(this.nextInteger(), at)
    return this.#digest.toString('hex')
  }
}
