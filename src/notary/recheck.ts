/**
 * What was ever seen is looked at again in the background, a few projects at a time, so that a change
 * is noticed although nobody asks; and what is past half of its life is signed again.
 */

import { describeError } from '../base/errors.ts'
import type { Notary } from './notary.ts'

export interface Recheck {
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

export interface RecheckOptions {
  readonly everyMs?: number
  readonly reportFault: (message: string) => void
}

const hourMs = 3_600_000
const namesAtOnce = 200
/** The index is asked slowly: there is no hurry. */
const parallel = 2

export function startRecheck(notary: Notary, options: RecheckOptions): Recheck {
  const { everyMs = hourMs, reportFault } = options
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    running = running
      .then(() => recheckAll(notary, everyMs, stopped.signal))
      .catch((error) => {
        reportFault(describeError(error))
      })
  }, everyMs)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      stopped.abort()
      return running
    },
  }
}

/** Everything that was not looked at for so long. */
export async function recheckAll(
  notary: Notary,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<void> {
  await notary.renew()
  let names = notary.listNames('', namesAtOnce)
  while (names.length > 0 && !signal.aborted) {
    await recheckSome(notary, names, { olderThanMs, signal })
    names = notary.listNames(names.at(-1) ?? '', namesAtOnce)
  }
}

async function recheckSome(
  notary: Notary,
  names: readonly string[],
  { olderThanMs, signal }: { readonly olderThanMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const queue = names.values()
  const work = async (): Promise<void> => {
    for (const name of queue) {
      if (signal.aborted) return
      if (notary.ageOf(name) < olderThanMs) continue
      // Whatever came of it was reported; the next one may go better.
      await notary.look(name).catch(() => undefined)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
}
