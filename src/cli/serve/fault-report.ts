/**
 * What fails on our own side, on standard error. A disk that is full fails every request, and standard
 * error may go to that very disk: a line a minute for each kind of fault.
 */

import type { Clock } from '../../base/clock.ts'
import type { Log } from '../logger.ts'
import { OnceAMinute } from '../once-a-minute.ts'

/** @returns takes the line and, where names and numbers in it change, what kind of fault it is */
export function createFaultReport(
  log: Log,
  clock: Clock,
): (message: string, kind?: string) => void {
  const limit = new OnceAMinute(clock)
  return (message, kind = message) => {
    if (limit.isDue(kind)) log('error', message)
  }
}
