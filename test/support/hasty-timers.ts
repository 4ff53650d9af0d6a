/**
 * Loaded into a process before the program (`node --import`): timers of the lengths that
 * TUFGATE_TEST_TIMERS names ring earlier: `8000=20` after 20 ms in place of 8000.
 */

const named = (process.env['TUFGATE_TEST_TIMERS'] ?? '').split(',')
const shortened = new Map(named.map((entry) => entry.split('=').map(Number) as [number, number]))
const realSetTimeout = globalThis.setTimeout

globalThis.setTimeout = Object.assign(
  (callback: () => void, ms?: number, ...args: []) =>
    realSetTimeout(callback, shortened.get(ms ?? 0) ?? ms, ...args),
  realSetTimeout,
)
