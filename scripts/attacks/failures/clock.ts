/** F5: the clock of this machine is two days wrong, from the start or in the middle, and right again. */

import { createMovableClock } from '../../../test/e2e/movable-clock.ts'
import type { Attack, Observed } from '../attack.ts'
import { mustTellAndRecover, stageFailure } from './failure.ts'
import type { Place } from './place.ts'

const dayMs = 24 * 3_600_000

interface Clocks {
  readonly start: number
  readonly later: number
}

/** In days. */
async function shiftClock(place: Place, { start, later }: Clocks): Promise<Observed> {
  const clock = await createMovableClock(place.world.trial.folder, 'own', start * dayMs)
  await place.startProxy({ environment: clock.environment })
  const before = await place.ask('page')
  await clock.set(later * dayMs)
  const failed = await place.install()
  const told = await place.ask('page')
  await clock.set(0)
  const notes = start === later ? [] : [`before: ${before.status === 200 ? 'served' : before.line}`]
  return place.conclude(failed, told, await place.recover(), notes)
}

export const clockFailures: readonly Attack[] = [
  stageFailure({
    row: 'F5',
    name: 'the clock is two days behind when it starts',
    behind: (place) => shiftClock(place, { start: -2, later: -2 }),
    judge: mustTellAndRecover({
      line: /timestamp version \d+ was signed \d+ (?:h|d) ahead of the clock of this machine/,
      next: /Check the clock of this machine/,
    }),
  }),
  stageFailure({
    row: 'F5',
    name: 'the clock is two days ahead when it starts',
    isCore: true,
    behind: (place) => shiftClock(place, { start: 2, later: 2 }),
    judge: mustTellAndRecover({
      line: /timestamp version \d+ expired \d+ (?:h|d) ago/,
      next: /the clock of this machine is right/,
    }),
  }),
  stageFailure({
    row: 'F5',
    name: 'the clock goes two days back in the middle',
    behind: (place) => shiftClock(place, { start: 0, later: -2 }),
    judge: mustTellAndRecover({
      line: /the clock of this machine is \d+ (?:h|d) behind a signed time/,
      next: /clock/,
    }),
  }),
  stageFailure({
    row: 'F5',
    name: 'the clock goes two days ahead in the middle',
    behind: (place) => shiftClock(place, { start: 0, later: 2 }),
    judge: mustTellAndRecover({
      line: /timestamp version \d+ expired \d+ (?:h|d) ago/,
      next: /the clock of this machine is right/,
    }),
  }),
]
