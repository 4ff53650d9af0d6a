/** Choices that are the same again for the same seed, or that are read from a tape of bytes. */

import type { Bytes } from '../../src/base/bytes.ts'
import { createRandom } from '../../test/e2e/random.ts'

export interface Dice {
  /** 0 to `sides` - 1. */
  roll(sides: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  pick<T>(items: readonly T[]): T | undefined
}

/** FNV-1a over the parts: other numbers for each target and each input. */
export function createDice(seed: number, ...parts: readonly (string | number)[]): Dice {
  let hash = 0x811c9dc5
  for (const letter of `${seed} ${parts.join(' ')}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193)
  }
  const random = createRandom(hash)
  return withPick((sides) => Math.floor(random() * sides))
}

/** Where the tape ends, the first of all sides: a shorter tape is a simpler case. */
export function readTape(tape: Bytes): Dice {
  let at = 0
  return withPick((sides) => {
    const found = ((tape[at] ?? 0) << 8) | (tape[at + 1] ?? 0)
    at += 2
    return found % sides
  })
}

function withPick(roll: (sides: number) => number): Dice {
  return { roll, pick: <T>(items: readonly T[]): T => items[roll(items.length)] as T }
}
