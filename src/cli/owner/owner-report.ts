/** What `owner sign` tells a maintainer of what he has just signed: above all, what he has not checked. */

import { formatUtcSeconds } from '../../base/clock.ts'
import { toPrintable } from '../../base/bytes.ts'
import type { OwnerView } from '../../client/repository.ts'
import type { UnverifiedClaim } from '../../owner/claim.ts'
import type { ReleaseReview } from '../../owner/review-release.ts'
import type { SignedRelease } from '../../owner/sign-release.ts'

export function describeSigned(
  project: string,
  { draft, version, expires, isFirst }: SignedRelease,
  { denials }: OwnerView,
): string[] {
  const { checked, takenOver, leftOut, removed, unsigned, remarks } = draft
  return [
    `${project}: release ${version}${isFirst ? ', the first that its maintainers sign' : ''}, until ${formatUtcSeconds(expires)}`,
    ...listFiles('checked byte for byte', checked),
    ...listFiles(
      isFirst ? 'taken over, NOT CHECKED BY YOU' : 'taken over from before, not checked now',
      takenOver,
    ),
    ...listFiles('left out (--only-checked)', leftOut),
    ...listFiles('removed', removed),
    ...listFiles('on the index and NOT SIGNED: if it is yours, sign it too', unsigned),
    ...remarks.map(({ file, remark }) => `  ${toPrintable(file)}: ${remark}`),
    ...denials.map(
      ({ reason, files }) =>
        `  withdrawn by the mirror, whatever is signed: ${files === 'all' ? 'all files' : files.map((name) => toPrintable(name)).join(', ')} (${toPrintable(reason)})`,
    ),
  ]
}

/** To whoever adds his signature to a claim: with whose keys the project is signed from then on. */
export function describeClaim({ claim, signatures }: UnverifiedClaim): string[] {
  const { project, threshold, keys } = claim
  const others = [...signatures.keys()].filter((keyid) => !keys.has(keyid))
  return [
    `${project}: from now on signed by ${threshold} of ${keys.size} ${keys.size === 1 ? 'key' : 'keys'}`,
    ...[...keys.keys()].map(
      (keyid) => `  key ${keyid}${signatures.has(keyid) ? ', has signed' : ''}`,
    ),
    ...others.map(
      (keyid) => `  ${toPrintable(keyid)} has signed, and is none of them: the key of before?`,
    ),
  ]
}

/** To whoever adds his signature to what another owner has made. */
export function describeReview(review: ReleaseReview): string[] {
  const { project, version, expires, checked, unchecked } = review
  return [
    `${project}: release ${version}, until ${formatUtcSeconds(expires)}`,
    ...listFiles('the same as yours, byte for byte', checked),
    ...listFiles('NOT CHECKED BY YOU: give the files that you have', unchecked),
  ]
}

function listFiles(title: string, files: readonly string[]): string[] {
  if (files.length === 0) return []
  return [`  ${title}: ${files.length}`, ...files.map((file) => `    ${toPrintable(file)}`)]
}
