/** Tries again after faults that pass, a bounded number of times; a decision is never retried. */

import { isTufgateError } from '../base/errors.ts'
import { BadStatusError } from './failure.ts'

export interface RetryRules {
  /** Further tries after the first. */
  readonly retries: number
  readonly baseDelayMs: number
  /** A server that asks for a longer pause (`Retry-After`) is not asked again. */
  readonly maxDelayMs: number
  /** Which faults may pass, `isPassingFault` unless said; `tries` were made again already. */
  readonly isPassing?: (error: unknown, tries: number) => boolean
  readonly sleep: (milliseconds: number) => Promise<void>
  /** What is left of the caller's own time. */
  readonly remainingMs?: () => number
}

export async function retry<T>(attempt: () => Promise<T>, rules: RetryRules): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      const delayMs = findRetryDelay(error, tries, rules)
      if (delayMs === undefined || delayMs >= (rules.remainingMs?.() ?? Infinity)) throw error
      await rules.sleep(delayMs)
    }
  }
}

/** `tries` were made again already. `undefined`: no further one. */
export function findRetryDelay(
  error: unknown,
  tries: number,
  rules: Pick<RetryRules, 'retries' | 'baseDelayMs' | 'maxDelayMs' | 'isPassing'>,
): number | undefined {
  const isPassing = rules.isPassing ?? isPassingFault
  if (tries >= rules.retries || !isPassing(error, tries)) return undefined
  const asked = error instanceof BadStatusError ? (error.retryAfterMs ?? 0) : 0
  if (asked > rules.maxDelayMs) return undefined
  return Math.min(rules.maxDelayMs, Math.max(asked, rules.baseDelayMs * 2 ** tries))
}

/** Whether the same request may well succeed in a moment, and costs little to repeat. */
export function isPassingFault(error: unknown): boolean {
  if (error instanceof BadStatusError) return isPassingStatus(error.status)
  return isTufgateError(error) && (error.code === 'UNREACHABLE' || error.code === 'BROKEN_OFF')
}

function isPassingStatus(status: number): boolean {
  // 501 and 505 say that the server will never do it.
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
}
