/**
 * Where tufgate and tuf-js 6 decide differently about the same repository, and who is right. Each is
 * recognised by what both said and by its reason in the files. What is not explained here is a finding.
 */

import { DelegatedRole } from '@tufjs/models/dist/role.js'
import {
  hasMemberTwice,
  hasOddKeyval,
  hasOddNumber,
  hasOddTime,
  isMatch,
  listDocuments,
  listKeys,
  listKeysOf,
  listNamed,
  listPatterns,
  listRoles,
  publicOf,
  type Document,
  hasListNamed,
} from './evidence.ts'
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

/**
 * Refused by tufgate, which says that this role is malformed; tuf-js accepts. What is said must be true
 * of a file of that role.
 */
function stricter(
  name: string,
  problem: RegExp,
  isTrue: (document: Document) => boolean,
  why: string,
): KnownDifference {
  return {
    name,
    why,
    explains: ({ ours, theirs, published }) => {
      const role = /^MALFORMED: (.+?) is malformed: /.exec(ours.problem)?.[1]
      return (
        theirs.kind === 'accepted' &&
        role !== undefined &&
        problem.test(ours.problem) &&
        listDocuments(published).some((document) => document.role === role && isTrue(document))
      )
    },
  }
}

/** Refused by tufgate, because this role has too few signatures; tuf-js accepts. */
function fewerKeys(
  name: string,
  isTrue: (keys: ReturnType<typeof listKeysOf>) => boolean,
  why: string,
): KnownDifference {
  return {
    name,
    why,
    explains: ({ ours, theirs, published }) => {
      const role = /^SIGNATURE_THRESHOLD: (.+) is signed by \d of the \d+ keys /.exec(
        ours.problem,
      )?.[1]
      return (
        theirs.kind === 'accepted' &&
        role !== undefined &&
        isTrue(listKeysOf(listDocuments(published), role))
      )
    },
  }
}

/** Accepted by tufgate; tuf-js refuses with this problem. */
function laxer(
  name: string,
  problem: RegExp,
  isTrue: (document: Document, found: string) => boolean,
  why: string,
): KnownDifference {
  return {
    name,
    why,
    explains: ({ ours, theirs, published }) => {
      const found = problem.exec(theirs.problem)
      return (
        ours.kind === 'accepted' &&
        found !== null &&
        listDocuments(published).some((document) => isTrue(document, found[1] ?? ''))
      )
    },
  }
}

const digestLengths: Readonly<Record<string, number>> = {
  sha256: 64,
  sha384: 96,
  sha512: 128,
  'blake2b-256': 64,
}

const schemes: Readonly<Record<string, RegExp>> = {
  ed25519: /^ed25519$/,
  ecdsa: /^ecdsa-sha2-nistp(?:256|384)$/,
  'ecdsa-sha2-nistp256': /^ecdsa-sha2-nistp256$/,
  'ecdsa-sha2-nistp384': /^ecdsa-sha2-nistp384$/,
  rsa: /^rsa/,
}

const topRoles: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot', 'targets'])

export const knownDifferences: readonly KnownDifference[] = [
  fewerKeys(
    'one key, two ids',
    (keys) => new Set(keys.map(publicOf)).size < keys.length,
    'TAP 12: a key counts once. tuf-js counts key ids, so that one key meets a threshold of two.',
  ),
  stricter(
    'form of a time',
    /: signed\.expires: expected a time as/,
    hasOddTime,
    'TUF 4.2.3: YYYY-MM-DDTHH:MM:SSZ. tuf-js takes whatever Date reads, in local time too.',
  ),
  stricter(
    'form of a number',
    /is not an integer that|expected an integer of at least/,
    hasOddNumber,
    'TUF 4.3: versions, lengths and thresholds are positive integers. tuf-js takes 0, -1 and 1.0.',
  ),
  stricter(
    'member twice',
    /stands twice in one object/,
    hasMemberTwice,
    'RFC 8259 4: two parsers would read two documents. tuf-js takes the last.',
  ),
  stricter(
    'hashes as a list',
    /hashes: expected an object, found a list/,
    (document) => hasListNamed(document, 'hashes'),
    'TUF 4.4: HASHES is a dictionary of algorithms and digests. tuf-js takes an empty list for an empty one.',
  ),
  stricter(
    'no hash',
    /no hash is listed/,
    (document) => listNamed(document, 'hashes').some((hashes) => Object.keys(hashes).length === 0),
    'TUF 4.5: HASHES has at least one; an empty list leaves the content to anybody. tuf-js takes it.',
  ),
  stricter(
    'form of a hash',
    /not a digest of/,
    (document) => listNamed(document, 'hashes').some(hasOddDigest),
    'TUF 5.7.3: a hash becomes part of a file name. tuf-js compares it later, when a file is fetched.',
  ),
  stricter(
    'neither roles nor bins',
    /expected either roles or succinct_roles/,
    (document) =>
      listNamed(document, 'delegations').some(
        (one) => (one['roles'] === undefined) === (one['succinct_roles'] === undefined),
      ),
    'TAP 15: one or the other. tuf-js takes delegations to nobody.',
  ),
  stricter(
    'neither paths nor prefixes',
    /expected either paths or path_hash_prefixes/,
    (document) =>
      listRoles(document).some(
        (one) => (one['paths'] === undefined) === (one['path_hash_prefixes'] === undefined),
      ),
    'TUF 4.5: one or the other. tuf-js takes a delegation of nothing.',
  ),
  stricter(
    'malformed pattern',
    /in the pattern is not closed|in a pattern has no agreed meaning|runs backwards/,
    (document) => listPatterns(document).some((pattern) => pattern.includes('[')),
    'TUF 4.5: what readers take for different patterns is refused. tuf-js takes it for text.',
  ),
  {
    name: 'language of patterns',
    why: 'TUF 4.5: `*`, `?` and classes within a segment. tuf-js has minimatch, where `!`, `{a,b}`, `+(a)`, `**`, `#` and `[[:alpha:]]` mean more.',
    explains: ({ ours, theirs, published }) =>
      !isAboutTop(ours, published) &&
      !isAboutTop(theirs, published) &&
      listDocuments(published).some((document) =>
        listPatterns(document).some((pattern) => isReadOtherwise(pattern, published.path)),
      ),
  },
  fewerKeys(
    'scheme of a key',
    (keys) =>
      keys.some(({ keytype, scheme }) => schemes[String(keytype)]?.test(String(scheme)) !== true),
    'TUF 4.2.2: a key verifies by its own scheme only. tuf-js goes by the kind of the key.',
  ),
  laxer(
    'another form of key',
    /keyval must be/,
    (document) => listKeys(document).some(hasOddKeyval),
    'TUF 4.2.2: KEYVAL is a dictionary, and there may be kinds of keys that a client does not know: one that cannot be read counts for nothing, and takes no other with it. tuf-js wants texts in it alone.',
  ),
  laxer(
    'names of Object.prototype',
    /(?:^|\W)(constructor) was signed by 0\/\d+ keys/,
    ({ role }, found) => role === found,
    'TUF 4.5: ROLENAME is any string. tuf-js keeps roles in a plain object, in which `constructor` is always there.',
  ),
  laxer(
    'unknown hash',
    /Hash algorithm (.+) not supported|Digest method not supported/,
    (document, found) =>
      listNamed(document, 'hashes').some(
        (hashes) =>
          Object.keys(hashes).some((name) => digestLengths[name] !== undefined) &&
          Object.keys(hashes).some(
            (name) => digestLengths[name] === undefined && (found === '' || name === found),
          ),
      ),
    'TUF 4.4: a hash of an unknown algorithm is no reason to refuse, while a known one fits.',
  ),
  laxer(
    'order of delegations',
    /(?:^|\W)(\S.*?) was signed by 0\/\d+ keys/,
    (document, found) => found.endsWith(document.role) && isReordered(listRoles(document)),
    'TUF 4.5: roles are in order. tuf-js keeps them in an object, which puts names like 9 and 10 first: what it then verifies is another text.',
  ),
]

function hasOddDigest(hashes: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(hashes).some(([name, digest]) => {
    const length = digestLengths[name]
    return length !== undefined && !new RegExp(`^[0-9a-f]{${length}}$`).test(String(digest))
  })
}

/** A pattern decides about roles below the top: what is wrong at the top has another reason. */
function isAboutTop({ problem }: Verdict, { answers }: PublishedRepository): boolean {
  if (problem === '') return false
  const below = [...answers.keys()]
    .map((name) => decodeURIComponent(name.replace(/^\d+\./, '').replace(/\.json$/, '')))
    .filter((role) => !topRoles.has(role))
  return !below.some((role) => problem.includes(role))
}

function isReadOtherwise(pattern: string, path: string): boolean {
  const role = new DelegatedRole({
    name: 'x',
    keyIDs: [],
    threshold: 1,
    terminating: false,
    paths: [pattern],
  })
  return isMatch(pattern, path) !== role.isDelegatedPath(path)
}

function isReordered(roles: readonly Readonly<Record<string, unknown>>[]): boolean {
  const names = roles.map(({ name }) => String(name))
  const kept = Object.keys(Object.fromEntries(names.map((name) => [name, true])))
  return names.join('\0') !== kept.join('\0')
}

/** Its name. */
export function findDifference(disagreement: Disagreement): string | undefined {
  return knownDifferences.find(({ explains }) => explains(disagreement))?.name
}
