/** Parsers with one fault each, as the watch over the fuzzer's process is to find them. */

import { DecodeError } from '../../src/base/decode.ts'
import type { FuzzTarget } from '../../scripts/fuzz/target.ts'

/** A fault that only some inputs meet. */
function plant(name: string, bug: () => unknown): FuzzTarget {
  return {
    name,
    rule: 'none',
    seeds: () => ['{"name":"foo"}'],
    run: (input) => {
      if (Buffer.from(input).includes('__proto__')) return bug()
      throw new DecodeError('refused')
    },
  }
}

const kept: unknown[] = []

export const allTargets: readonly FuzzTarget[] = [
  plant('loops', () => {
    for (;;);
  }),
  plant('waits', () => new Promise(() => undefined)),
  plant('waits-busily', async () => {
    const timer = setInterval(() => undefined, 10)
    await new Promise(() => undefined)
    clearInterval(timer)
  }),
  plant('grows', () => {
    for (;;) kept.push({ more: kept.length })
  }),
  plant('grows-outside', async () => {
    for (;;) {
      kept.push(Buffer.alloc(20_000_000, 1))
      // oxlint-disable-next-line no-await-in-loop -- it never ends
      await new Promise((resolve) => void setImmediate(resolve))
    }
  }),
  plant('passes-a-peak', () => {
    Buffer.alloc(400_000_000, 1)
  }),
  plant('throws-later', async () => {
    setImmediate(() => {
      throw new RangeError('thrown where nobody listens')
    })
    await new Promise((resolve) => void setTimeout(resolve, 1000))
  }),
  plant('is-sound', () => {
    throw new DecodeError('refused')
  }),
]
