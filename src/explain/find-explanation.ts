/** The one table from error code to explanation: a new code does not compile without one. */

import type { ErrorCode } from '../base/errors.ts'
import type { TrustKind } from '../base/trust-words.ts'
import type { CodeExplanation } from './code-explanation.ts'
import { checkExplanations } from './explain-checks.ts'
import { bugExplanation, decisionExplanations, requestExplanations } from './explain-decisions.ts'
import { fetchExplanations } from './explain-fetches.ts'
import { firstUseExplanations } from './explain-first-use.ts'
import { configExplanations, storageExplanations } from './explain-own-faults.ts'

export const explanations = {
  ...checkExplanations,
  ...fetchExplanations,
  ...decisionExplanations,
  ...requestExplanations,
  ...storageExplanations,
  ...configExplanations,
} satisfies Record<ErrorCode, CodeExplanation>

/** Of the codes in the log; what has none of the table is a bug. */
export function findExplanation(code: string, kind: TrustKind = 'signed'): CodeExplanation {
  if (!isExplained(code)) return bugExplanation
  const special = kind === 'first-use' ? firstUseExplanations.get(code) : undefined
  return special ?? explanations[code]
}

function isExplained(code: string): code is ErrorCode {
  return Object.hasOwn(explanations, code)
}
