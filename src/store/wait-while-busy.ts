/** A lock that another process holds only for a moment: asked for again until it is free. */

import { setTimeout as sleep } from 'node:timers/promises'
import { isTufgateError } from '../base/errors.ts'

const pauseMs = 25
const maxTries = 400

/** Throws STATE_BUSY when it was held for all of 10 s. */
export async function waitWhileBusy<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isTufgateError(error) || error.code !== 'STATE_BUSY' || tries >= maxTries) throw error
      await sleep(pauseMs)
    }
  }
}
