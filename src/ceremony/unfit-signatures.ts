/**
 * Signatures in a change file that are none of what it says now. Whoever made them has signed something
 * else, so it was altered since, or damaged on its way. A publication leaves them out; somebody who is
 * about to sign has to know of them first.
 */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import type { CheckedChange } from './check-change.ts'
import { collectChangeNames, renderNamedKey } from './key-names.ts'

/** More than ever sign; a file can hold any number. */
const maxNamed = 20

/** Key ids. One that has no say is meant too: the file has lost the say that it signed with. */
function listUnfit({ documents }: CheckedChange): string[] {
  return [...new Set(documents.flatMap(({ bad, idle }) => [...bad, ...idle]))]
}

/** Whose they are, in a sentence; `undefined` where all are good. */
export function describeUnfit(checked: CheckedChange): string | undefined {
  const unfit = listUnfit(checked)
  if (unfit.length === 0) return undefined
  const names = collectChangeNames(checked.change)
  const named = unfit.slice(0, maxNamed).map((keyid) => renderNamedKey(keyid, names))
  const rest = unfit.length > maxNamed ? [`${unfit.length - maxNamed} more`] : []
  const whose = toPrintable([...named, ...rest].join(' and '), 4000)
  return unfit.length === 1
    ? `The signature of ${whose} does not fit what this file says: it was changed after that was signed`
    : `The signatures of ${whose} do not fit what this file says: it was changed after they signed`
}

export const unfitAdvice =
  'Do not sign. Ask them what they have signed, by another way than the one this file came.'

/** Throws CONFIG_INVALID where a signature is not good. */
export function requireFitting(checked: CheckedChange): void {
  const problem = describeUnfit(checked)
  if (problem === undefined) return
  throw new ConfigError('CONFIG_INVALID', problem, {
    next: `${unfitAdvice}\n  Should it be right all the same, whoever signs says so at a terminal; --yes does not.`,
  })
}
