/**
 * Where tufgate and tuf-js 6 decide differently about the same repository, and who is right. A
 * difference that is not explained here is a finding.
 */

import type { PublishedRepository } from './targets/odd-repository.ts'

export interface Verdict {
  readonly kind: 'accepted' | 'refused'
  /** Length and sha256 of the target, or `nothing`. */
  readonly found: string
  /** Why it was refused. */
  readonly problem: string
}

export interface Disagreement {
  readonly ours: Verdict
  readonly theirs: Verdict
  readonly published: PublishedRepository
}

export interface KnownDifference {
  readonly name: string
  /** Who is right, and by which rule. */
  readonly why: string
  readonly explains: (disagreement: Disagreement) => boolean
}

export const knownDifferences: readonly KnownDifference[] = []

/** Its name. */
export function findDifference(disagreement: Disagreement): string | undefined {
  return knownDifferences.find(({ explains }) => explains(disagreement))?.name
}
