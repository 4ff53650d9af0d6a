/** What a look that failed means: for the project alone, for the index, or for all of us. */

import type { TufgateError } from '../base/errors.ts'

const unansweredCodes: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'TIMED_OUT',
  'TOO_SLOW',
  'BROKEN_OFF',
])

/** The index did not answer, or only that it cannot. */
export function isUnanswered({ code, facts }: TufgateError): boolean {
  return unansweredCodes.has(code) || (code === 'BAD_STATUS' && /^5\d\d$/.test(facts.found ?? ''))
}

/** Our own disk is everybody's problem; anything else is one project's. */
export function isOfProject({ code }: TufgateError): boolean {
  return !['DISK_FULL', 'STORAGE_FAILED', 'STATE_BUSY', 'AUDIT_FAILED'].includes(code)
}
