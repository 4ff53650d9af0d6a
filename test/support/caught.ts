/** The error that a function throws, to look at its code and its facts. */

import { isTufgateError, type TufgateError } from '../../src/base/errors.ts'

export function caught(run: () => unknown): TufgateError {
  try {
    run()
  } catch (error) {
    if (isTufgateError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
