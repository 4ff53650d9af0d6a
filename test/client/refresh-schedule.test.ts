import { expect, test } from 'vitest'
import { RefreshSchedule } from '../../src/client/refresh-schedule.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Patience is so long that a test which waited for it would run out of time. */
const timing = {
  refreshMs: minuteMs,
  recheckMs: 5 * minuteMs,
  patienceMs: hourMs,
  retryMs: 5000,
}

test('A6: of a check that never ends all requests together wait so long, not each of them', async () => {
  let now = 0
  let checks = 0
  const check = (): Promise<void> => {
    checks += 1
    return checks === 1 ? Promise.resolve() : new Promise(() => {})
  }
  const schedule = new RefreshSchedule(check, timing, () => now)
  await schedule.run()
  now += 10 * minuteMs
  const first = schedule.ensure(() => true).then(() => 'served')
  expect(await Promise.race([first, Promise.resolve('still waiting')])).toBe('still waiting')
  now += hourMs
  for (let request = 0; request < 100; request += 1) await schedule.ensure(() => true)
  expect(checks).toBe(2)
})

test('a check that ends in time is waited for', async () => {
  let now = 0
  let end: (() => void) | undefined
  const check = (): Promise<void> => new Promise((resolve) => (end = resolve))
  const schedule = new RefreshSchedule(check, timing, () => now)
  const started = schedule.run()
  end?.()
  await started
  now += 10 * minuteMs
  const request = schedule.ensure(() => true)
  now += hourMs / 2
  const follower = schedule.ensure(() => true)
  end?.()
  await Promise.all([request, follower])
})
