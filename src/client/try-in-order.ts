/**
 * Several mirrors, tried in the order given: one that is bad or gone costs time, not
 * updates. What fails on our own side (disk, a bug) is not a mirror's fault and ends it at once.
 */

import { UpstreamError, VerifyError, type TufgateError } from '../base/errors.ts'
import type { RepositorySource } from './repository-source.ts'

export interface SourceFailure {
  readonly source: string
  readonly error: TufgateError
}

/** What happened, to which mirror; a place that the error names already is not said twice. */
export function describeSourceFailure({ source, error }: SourceFailure): string {
  return error.message.includes(source) ? error.message : `${source}: ${error.message}`
}

/**
 * The first success. When all fail: the first VerifyError where any mirror sent something that does
 * not verify, else METADATA_UNAVAILABLE with every reason.
 */
export async function tryInOrder<T>(
  sources: Iterable<RepositorySource>,
  attempt: (source: RepositorySource) => Promise<T>,
  onFailure: (failure: SourceFailure) => void = () => undefined,
): Promise<T> {
  const failures: SourceFailure[] = []
  for (const source of sources) {
    try {
      return await attempt(source)
    } catch (error) {
      if (!(error instanceof VerifyError || error instanceof UpstreamError)) throw error
      const failure = { source: source.name, error }
      failures.push(failure)
      onFailure(failure)
    }
  }
  throw combine(failures)
}

function combine(failures: readonly SourceFailure[]): TufgateError {
  const invalid = failures.find(({ error }) => error instanceof VerifyError)
  if (invalid !== undefined) return invalid.error
  const reasons = failures.map(describeSourceFailure)
  return new UpstreamError(
    'METADATA_UNAVAILABLE',
    `No mirror could be read: ${reasons.join('; ')}`,
    {
      cause: failures.length === 1 ? failures[0]?.error : failures.map(({ error }) => error),
      next: 'Check that the mirror is up, and that this machine can resolve its name and reach it.',
    },
  )
}
