/** Numbers that look random and are the same for the same seed (mulberry32). */

export interface Random {
  /** 0 to below 1. */
  next(): number
  /** 0 to `below` - 1. */
  integer(below: number): number
  pick<T>(items: readonly T[]): T
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (below: number): number => Math.floor(next() * below)
  return { next, integer, pick: (items) => items[integer(items.length)]! }
}
