/**
 * What fails below is spoken of as if a mirror had signed it. Here it is said as it is with trust on
 * first use. By code alone: codes, facts and causes stay, sentences change.
 */

import { isTufgateError, UpstreamError, VerifyError, type ErrorCode } from '../base/errors.ts'

interface Subject {
  readonly index: string
  readonly project: string
}

export function restateFailure(error: unknown, { index, project }: Subject): unknown {
  if (!isTufgateError(error)) return error
  const sentence = sentences.get(error.code)
  if (sentence === undefined) return error
  const { message, next } = sentence(index, project)
  const facts = { ...error.facts, next, cause: error }
  return error instanceof VerifyError
    ? new VerifyError(error.code, message, facts)
    : new UpstreamError('METADATA_UNAVAILABLE', message, facts)
}

type Sentence = (index: string, project: string) => { message: string; next: string }

const unseen: Sentence = (index) => ({
  message: `${index} has not answered for too long: what was seen first is not served without it`,
  next: 'See to the way to the index, or raise max-unseen in the settings.',
})

const damaged: Sentence = (index, project) => ({
  message: `what was seen first of ${project} does not fit together any more`,
  next: `Look at the disk. The folder of the notary belongs in a backup; to begin anew: tufgate notary forget --index ${index}`,
})

const sentences: ReadonlyMap<ErrorCode, Sentence> = new Map<ErrorCode, Sentence>([
  ['INDEX_UNSEEN', unseen],
  ['EXPIRED', unseen],
  ['METADATA_UNAVAILABLE', damaged],
  ['DIGEST_MISMATCH', damaged],
  ['LENGTH_MISMATCH', damaged],
  ['SIGNATURE_THRESHOLD', damaged],
  ['VERSION_ROLLBACK', damaged],
  ['VERSION_MISMATCH', damaged],
  ['ROLE_NOT_IN_SNAPSHOT', damaged],
  [
    'CLOCK_WRONG',
    () => ({
      message: 'the clock of this machine is behind what was written down before',
      next: 'Set the clock right, then ask again.',
    }),
  ],
])
