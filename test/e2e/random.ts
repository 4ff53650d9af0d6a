/** The same numbers again for the same seed, so that what failed once can fail again. */

export type Random = () => number

/** mulberry32: numbers in [0, 1). */
export function createRandom(seed: number): Random {
  let state = seed
  return () => {
    state = Math.trunc(state + 0x6d2b79f5)
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** TUFGATE_TEST_SEED, or any; printed, so that it can be given again. */
export function chooseSeed(test: string): number {
  const given = process.env['TUFGATE_TEST_SEED']
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
  process.stderr.write(`${test}: TUFGATE_TEST_SEED=${seed}\n`)
  return seed
}
