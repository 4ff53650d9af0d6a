import { expect } from 'vitest'
import { TufgateError, type ErrorCode } from '../../src/base/errors.ts'
import { containing, matching } from './expecting.ts'

/** Runs what must be refused, and gives the refusal. */
export async function refusalOf(act: () => unknown): Promise<TufgateError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof TufgateError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** Asserts the code and a part of the message, which must say what to do next as well. */
export async function expectRefusal(
  act: () => unknown,
  code: ErrorCode,
  message: string | RegExp,
): Promise<TufgateError> {
  const refusal = await refusalOf(act)
  expect({ code: refusal.code, message: refusal.message }).toEqual({
    code,
    message: typeof message === 'string' ? containing(message) : matching(message),
  })
  expect(refusal.facts.next).toMatch(/\w/)
  return refusal
}
