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

/** Refused by tufgate, with this problem; tuf-js accepts. */
function stricter(name: string, problem: RegExp, why: string): KnownDifference {
  return {
    name,
    why,
    explains: ({ ours, theirs }) =>
      ours.kind === 'refused' && theirs.kind === 'accepted' && problem.test(ours.problem),
  }
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'one key, two ids',
    why: 'TAP 12: a key counts once. tuf-js counts key ids, so that one key meets a threshold of two.',
    explains: ({ ours, theirs, published }) =>
      theirs.kind === 'accepted' &&
      ours.problem.startsWith('SIGNATURE_THRESHOLD') &&
      published.changes.some((change) => change.includes('one key under two ids')),
  },
  stricter(
    'form of a time',
    /: expected a time of the form/,
    'TUF 4.2.3: YYYY-MM-DDTHH:MM:SSZ. tuf-js takes whatever Date reads, in local time too.',
  ),
  stricter(
    'form of a number',
    /is not an integer that|expected an integer of at least/,
    'TUF 4.3: versions, lengths and thresholds are positive integers. tuf-js takes 0, -1 and 1.0.',
  ),
  stricter(
    'member twice',
    /stands twice in one object/,
    'Two parsers would read two documents. tuf-js takes the last.',
  ),
  stricter(
    'no hash',
    /no hash is listed/,
    'An empty list of hashes leaves the content to anybody. tuf-js takes it.',
  ),
  stricter(
    'form of a hash',
    /not a digest of/,
    'A hash becomes part of a file name. tuf-js compares it later, when a file is fetched.',
  ),
  stricter(
    'neither roles nor bins',
    /expected either roles or succinct_roles/,
    'TAP 15: one or the other. tuf-js takes delegations to nobody.',
  ),
  stricter(
    'neither paths nor prefixes',
    /expected either paths or path_hash_prefixes/,
    'TUF 4.5: one or the other. tuf-js takes a delegation of nothing.',
  ),
  stricter(
    'malformed pattern',
    /in the pattern is not closed|in a pattern has no agreed meaning|runs backwards/,
    'TUF 4.5: what readers take for different patterns is refused. tuf-js takes it for text.',
  ),
  {
    name: 'language of patterns',
    why: 'TUF 4.5: `*`, `?` and classes within a segment. tuf-js has minimatch, where `!`, `{a,b}`, `+(a)`, `**`, `#` and `[[:alpha:]]` mean more.',
    explains: ({ ours, theirs, published }) =>
      `${ours.kind} ${ours.found}` !== `${theirs.kind} ${theirs.found}` &&
      published.changes.some((change) => /: pattern (?:[!#]|.*(?:\{|\+\(|\*\*|\[\[))/.test(change)),
  },
  {
    name: 'scheme of a key',
    why: 'TUF 4.2.2: a key verifies by its own scheme only. tuf-js goes by the kind of the key.',
    explains: ({ ours, theirs, published }) =>
      theirs.kind === 'accepted' &&
      ours.problem.startsWith('SIGNATURE_THRESHOLD') &&
      published.changes.some((change) => /\.(?:scheme|keytype) "/.test(change)),
  },
  {
    name: 'unusable key',
    why: 'TUF 4.3: one key that cannot be read counts for nothing, and takes no other with it.',
    explains: ({ ours, theirs }) =>
      ours.kind === 'accepted' && /keyval must be/.test(theirs.problem),
  },
  {
    name: 'names of Object.prototype',
    why: 'tuf-js keeps roles in a plain object, in which `constructor` is always there.',
    explains: ({ ours, theirs, published }) =>
      ours.kind === 'accepted' &&
      theirs.kind === 'refused' &&
      published.changes.some((change) => change.endsWith(' to constructor')),
  },
  {
    name: 'unknown hash',
    why: 'TUF 4.4: a hash of an unknown algorithm is no reason to refuse, while a known one fits.',
    explains: ({ ours, theirs }) =>
      ours.kind === 'accepted' &&
      /Hash algorithm .* not supported|Digest method not supported/.test(theirs.problem),
  },
  {
    name: 'order of delegations',
    why: 'tuf-js keeps roles in an object, which puts names like 9 and 10 first: what it then signs over is another text (TUF 4.5: roles are in order).',
    explains: ({ ours, theirs, published }) =>
      ours.kind === 'accepted' &&
      /was signed by 0\/1 keys/.test(theirs.problem) &&
      published.changes.some((change) => /delegates \S+ to \d+$/.test(change)),
  },
]

/** Its name. */
export function findDifference(disagreement: Disagreement): string | undefined {
  return knownDifferences.find(({ explains }) => explains(disagreement))?.name
}
