/** Inputs that are nearly good: a seed with a few bytes, words, chunks or JSON values changed. */

import type { Bytes } from '../../src/base/bytes.ts'
import type { Dice } from './dice.ts'
import { mutateJson } from './mutate-json.ts'

export const maxInputBytes = 64 * 1024

const usualWords: readonly string[] = [
  '\0',
  '\r\n',
  '\n',
  '\t',
  ' ',
  '"',
  "'",
  '\\',
  '/',
  '//',
  '../',
  '%2e%2e%2f',
  '%00',
  '%',
  '#',
  '?',
  '@',
  ':',
  ';',
  ',',
  '=',
  '-',
  '*',
  '[',
  ']',
  '{',
  '}',
  '<',
  '>',
  '&amp;',
  '&#0;',
  '__proto__',
  'constructor',
  'toString',
  '\u{feff}',
  '\u{2028}',
  '\u{fffd}',
  '\u{1f600}',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '18446744073709551616',
  '0x10',
  'null',
  'true',
  'https://files.pythonhosted.org/packages/a/foo-1.0.tar.gz',
]

export function mutate(
  dice: Dice,
  seeds: readonly (Bytes | string)[],
  words: readonly string[] = [],
): Bytes {
  const seed = Buffer.from(dice.pick(seeds) ?? '')
  const bent = dice.roll(2) === 0 ? mutateJson(dice, seed.toString()) : undefined
  let input: Buffer = bent === undefined ? seed : Buffer.from(bent)
  const changes = bent === undefined ? 1 + dice.roll(6) : dice.roll(2)
  for (let done = 0; done < changes; done += 1) {
    input = change(dice, input, { seeds, words: [...words, ...words, ...usualWords] })
  }
  return Uint8Array.from(input.subarray(0, maxInputBytes))
}

interface Material {
  readonly seeds: readonly (Bytes | string)[]
  readonly words: readonly string[]
}

function change(dice: Dice, input: Buffer, { seeds, words }: Material): Buffer {
  const at = dice.roll(input.length + 1)
  const length = Math.min(input.length - at, dice.roll(dice.pick([4, 16, 256])) + 1)
  const replace = (piece: Uint8Array, gone = 0): Buffer =>
    Buffer.concat([input.subarray(0, at), piece, input.subarray(at + gone)])
  switch (dice.roll(9)) {
    case 0: // a bit
      return replace(Buffer.of((input[at] ?? 0) ^ (1 << dice.roll(8))), 1)
    case 1: // a byte
      return replace(Buffer.of(dice.roll(256)), dice.roll(2))
    case 2: // gone
      return replace(Buffer.alloc(0), length)
    case 3: // twice
      return replace(input.subarray(at, at + length))
    case 4: // many times, up to the limit: what is not linear shows here
      return dice.roll(4) === 0 ? repeat(dice, input, at, length) : replace(Buffer.from(' '))
    case 5: // a piece of another
      return replace(cutPiece(dice, Buffer.from(dice.pick(seeds) ?? '')), dice.roll(length + 1))
    case 6: // the end is missing
      return dice.roll(4) === 0 ? input.subarray(0, at) : replace(Buffer.alloc(0), 1)
    default:
      return replace(Buffer.from(dice.pick(words) ?? ''), dice.roll(3) === 0 ? length : 0)
  }
}

function repeat(dice: Dice, input: Buffer, at: number, length: number): Buffer {
  const piece = input.subarray(at, at + length)
  if (piece.length === 0) return input
  const room = Math.max(0, maxInputBytes - input.length)
  const times = Math.floor(room / piece.length / (1 + dice.roll(8)))
  const many = Buffer.alloc(times * piece.length, piece)
  return Buffer.concat([input.subarray(0, at), many, input.subarray(at)])
}

function cutPiece(dice: Dice, seed: Buffer): Buffer {
  const start = dice.roll(seed.length + 1)
  return seed.subarray(start, start + dice.roll(64) + 1)
}

/** Nothing but chance; for tapes. */
export function makeTape(dice: Dice): Bytes {
  const length = 8 + dice.roll(56)
  return Uint8Array.from({ length }, () => dice.roll(256))
}
