/**
 * What fails below is spoken of as if a mirror had signed it. Here it is said as it is with trust on
 * first use. By code alone: codes, facts and causes stay, sentences change.
 */

import { isTufgateError, UpstreamError, VerifyError, type ErrorCode } from '../base/errors.ts'

interface Subject {
  readonly index: string
  /** Where it is kept. */
  readonly folder: string
  readonly project: string
}

export function restateFailure(error: unknown, subject: Subject): unknown {
  if (!isTufgateError(error)) return error
  const sentence = sentences.get(error.code)
  if (sentence === undefined) return error
  const { message, next } = sentence(subject)
  const facts = { ...error.facts, next, cause: error }
  return error instanceof VerifyError
    ? new VerifyError(error.code, message, facts)
    : new UpstreamError('METADATA_UNAVAILABLE', message, facts)
}

/** The digests of first use are all that cannot be had again. */
function adviseNewFolder(index: string): string {
  return [
    `tufgate pins export --index ${index} -o pins.txt`,
    `tufgate notary forget --index ${index}`,
    `tufgate pins import pins.txt --index ${index}`,
  ].join(' ; ')
}

export function adviseOnClock(index: string): string {
  return `Set the clock right, then ask again. If it is right now, and was ahead before, begin anew with the digests as they were seen: ${adviseNewFolder(index)}`
}

type Sentence = (subject: Subject) => { message: string; next: string }

const unseen: Sentence = ({ index }) => ({
  message: `${index} has not answered for too long: what was seen first is not served without it`,
  next: 'See to the way to the index, or raise max-unseen in the settings.',
})

const damaged: Sentence = ({ index, project }) => ({
  message: `what was seen first of ${project} does not fit together any more`,
  next: `Look at the disk. The folder of the notary belongs in a backup; to begin anew with the digests as they were seen: ${adviseNewFolder(index)}`,
})

const lost: Sentence = (subject) => ({
  ...damaged(subject),
  next: `Look at the disk. The folder of the notary belongs in a backup; to look again at this project, with the digests as they were seen: tufgate mirror sync ${subject.folder} --project ${subject.project} --full`,
})

const sentences: ReadonlyMap<ErrorCode, Sentence> = new Map<ErrorCode, Sentence>([
  ['INDEX_UNSEEN', unseen],
  ['EXPIRED', unseen],
  ['METADATA_UNAVAILABLE', lost],
  ['DIGEST_MISMATCH', lost],
  ['LENGTH_MISMATCH', lost],
  ['SIGNATURE_THRESHOLD', damaged],
  ['VERSION_ROLLBACK', damaged],
  ['VERSION_MISMATCH', damaged],
  ['ROLE_NOT_IN_SNAPSHOT', damaged],
  [
    'CLOCK_WRONG',
    ({ index }) => ({
      message: 'the clock of this machine is behind what was written down before',
      next: adviseOnClock(index),
    }),
  ],
])
