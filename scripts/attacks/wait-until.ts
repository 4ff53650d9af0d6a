import { setTimeout as sleep } from 'node:timers/promises'

const lookEveryMs = 20

/** For what nobody tells of; whether it held before the time was over. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  patienceMs: number,
): Promise<boolean> {
  const until = Date.now() + patienceMs
  for (;;) {
    if (await holds()) return true
    if (Date.now() >= until) return false
    await sleep(lookEveryMs)
  }
}
