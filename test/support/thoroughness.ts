/** How much of what is tried again and again a run tries. */

/** Tests that kill a process at every step kill it at each of them, and at as many moments as they know. */
export const isThorough = (process.env['TUFGATE_TEST_THOROUGH'] ?? '') !== ''

/**
 * Every step in a thorough run; else every second one, beginning at the first or the second by chance:
 * two runs after each other see all of them.
 */
export function chooseSteps(count: number): number[] {
  const all = Array.from({ length: count }, (_, at) => at + 1)
  const first = Math.random() < 0.5 ? 0 : 1
  return isThorough ? all : all.filter((step) => step % 2 === first)
}
