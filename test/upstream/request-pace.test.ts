import { beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { BadStatusError } from '../../src/upstream/failure.ts'
import { RequestPace, type PaceLimits } from '../../src/upstream/request-pace.ts'

/** Time passes only while somebody sleeps; all who sleep wake at their own time, in order. */
class SleepingClock {
  now = 0
  readonly sleeps: number[] = []
  sleep = async (milliseconds: number): Promise<void> => {
    this.sleeps.push(milliseconds)
    const until = this.now + milliseconds
    await Promise.resolve()
    this.now = Math.max(this.now, until)
  }
}

let clock: SleepingClock
beforeEach(() => {
  clock = new SleepingClock()
})

function createPace(limits: Partial<PaceLimits> = {}): RequestPace {
  return new RequestPace({ limits, now: () => clock.now, sleep: clock.sleep })
}

function failWith(...errors: readonly Error[]): {
  attempt: () => Promise<string>
  count(): number
} {
  let at = 0
  return {
    count: () => at,
    attempt: async () => {
      const error = errors[at]
      at += 1
      if (error !== undefined) throw error
      return 'answer'
    },
  }
}

function answered(status: number, retryAfterMs?: number): BadStatusError {
  return new BadStatusError(new URL('https://index.test/simple/foo/'), status, retryAfterMs)
}

describe('a request at the pace of the index', () => {
  test('is tried again after faults that pass, waiting twice as long each time, without jitter', async () => {
    const broken = new UpstreamError('BROKEN_OFF', 'it broke off')
    const request = failWith(broken, answered(500), answered(502))
    expect(await createPace().run(request.attempt)).toBe('answer')
    expect(clock.sleeps).toEqual([500, 1000, 2000])
  })

  test('is tried five times in all', async () => {
    const request = failWith(...Array.from({ length: 9 }, () => answered(500)))
    await expect(createPace().run(request.attempt)).rejects.toMatchObject({ status: 500 })
    expect(request.count()).toBe(5)
  })

  test.each([404, 403, 501])('is not tried again after %i', async (status) => {
    const request = failWith(answered(status))
    await expect(createPace().run(request.attempt)).rejects.toMatchObject({ status })
    expect(request.count()).toBe(1)
  })

  test('waits as long as Retry-After says', async () => {
    const request = failWith(answered(503, 90_000))
    expect(await createPace().run(request.attempt)).toBe('answer')
    expect(clock.now).toBe(90_000)
  })

  test('waits after 429 also where nothing says how long', async () => {
    const request = failWith(answered(429))
    await createPace({ baseDelayMs: 500 }).run(request.attempt)
    expect(clock.now).toBe(1000)
  })
})

describe('a pause', () => {
  test('is kept by every request, not only by the one that was told', async () => {
    const pace = createPace()
    const times: number[] = []
    const told = failWith(answered(429, 60_000))
    const first = pace.run(told.attempt)
    await Promise.resolve()
    await Promise.resolve()
    const others = Array.from({ length: 3 }, () =>
      pace.run(async () => {
        times.push(clock.now)
      }),
    )
    await Promise.all([first, ...others])
    expect(times).toEqual([60_000, 60_000, 60_000])
  })

  test('that many parallel requests are told of counts once', async () => {
    const pace = createPace({ maxPauses: 1 })
    const requests = Array.from({ length: 8 }, () => failWith(answered(429, 1000)))
    const answers = await Promise.all(requests.map(({ attempt }) => pace.run(attempt)))
    expect(answers).toEqual(Array.from({ length: 8 }, () => 'answer'))
    expect(clock.now).toBe(1000)
  })

  test('longer than anybody can wait for ends the round: nothing more is asked until its end', async () => {
    const pace = createPace({ maxPauseMs: 300_000 })
    const request = failWith(answered(503, 7_200_000))
    await expect(pace.run(request.attempt)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'the index asks not to be asked for another 2 h',
    })
    const next = failWith()
    await expect(pace.run(next.attempt)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(next.count()).toBe(0)
    expect(clock.sleeps).toEqual([])
    clock.now = 7_200_000
    expect(await pace.run(next.attempt)).toBe('answer')
  })

  test('after pause, in a storm, is not kept up for ever', async () => {
    const pace = createPace({ maxPauses: 5, retries: 100 })
    const storm = failWith(...Array.from({ length: 100 }, () => answered(429, 60_000)))
    await expect(pace.run(storm.attempt)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(storm.count()).toBe(6)
    const rest = await Promise.allSettled(
      Array.from({ length: 800 }, () => pace.run(storm.attempt)),
    )
    expect(rest.every(({ status }) => status === 'rejected')).toBe(true)
    expect(storm.count()).toBe(6)
  })

  test('is forgiven with the first good answer', async () => {
    const pace = createPace({ maxPauses: 1 })
    for (let round = 0; round < 5; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the matter
      expect(await pace.run(failWith(answered(429, 1000)).attempt)).toBe('answer')
    }
  })
})
