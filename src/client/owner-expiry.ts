/**
 * A project that signs for itself has a signature with an expiry of its own: when it is over, the
 * refusal says whose signature that is and who can renew it. Other projects go on.
 */

import { VerifyError } from '../base/errors.ts'
import { ownerRole } from '../simple/project-targets.ts'

/** The same error with a better sentence, where it is that of the project's own role. */
export function explainOwnerExpiry(error: unknown, project: string): unknown {
  if (!(error instanceof VerifyError) || error.code !== 'EXPIRED') return error
  if (error.facts.role !== ownerRole(project)) return error
  const { found = '' } = error.facts
  return new VerifyError(
    error.code,
    `The maintainers of ${project} sign it themselves, and their signature expired at ${found}`,
    {
      ...error.facts,
      next: `Ask the maintainers of ${project} to sign it again (tufgate owner sign), and whoever runs the mirror to publish it. No other project is affected.`,
      cause: error,
    },
  )
}
