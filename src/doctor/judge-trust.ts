/**
 * What the signed lists of each index are worth now and in some days: whether they can be had, verify,
 * and how long they last. In words for somebody who has never heard of their roles.
 */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import type { Finding, Severity } from './finding.ts'
import { indexPlace } from './places.ts'

export interface Expiry {
  /** `root`, `timestamp`, `bins`... */
  readonly role: string
  /** ms */
  readonly expires: number
  /** ms; where the list says so. */
  readonly signedAt?: number
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly next?: string
}

export interface TrustFacts {
  /** As the settings call it. */
  readonly name: string
  readonly url: string
  /** Without one there are no signed lists of others: what was seen first is kept. */
  readonly mirrors: readonly string[]
  readonly rootPath?: string
  /** The pinned root, or what lies in the state, cannot be read. */
  readonly broken?: Failure
  /** What the mirror gave now. */
  readonly refreshFailure?: Failure
  /** A URL that did not answer. */
  readonly indexFailure?: Failure
  readonly expiries: readonly Expiry[]
  /** Of a mirror: `root=1 timestamp=4`. */
  readonly versions?: string
}

const dayMs = 86_400_000

/** Long enough for the people or programs that sign each of them to do it. */
const warnBeforeMs: ReadonlyMap<string, number> = new Map([
  ['root', 30 * dayMs],
  ['targets', 14 * dayMs],
  ['bins', 14 * dayMs],
  ['claimed', 14 * dayMs],
])
/** Signed by a program, for a week as a rule and anew after half of it. */
const warnBeforeOthersMs = dayMs

const descriptions: ReadonlyMap<string, string> = new Map([
  ['root', 'the root, which says whose signatures count,'],
  ['timestamp', 'the time stamp of the signed list'],
  ['snapshot', 'the table of contents of the signed list'],
])

export function judgeTrust(facts: TrustFacts, now: number): Finding[] {
  const failures = [
    describeFailure(
      facts.broken,
      'trust-unreadable',
      'Without it nothing of this index can be verified, so nothing is served.',
    ),
    describeFailure(
      facts.refreshFailure,
      facts.refreshFailure?.code === 'METADATA_UNAVAILABLE' || isUnreachable(facts.refreshFailure)
        ? 'mirror-unreachable'
        : 'mirror-refused',
      isUnreachable(facts.refreshFailure)
        ? 'The proxy goes on with the list that it has until that expires; then every page is refused.'
        : 'The proxy does not take this list, and goes on with the one before it until that expires.',
    ),
    describeFailure(
      facts.indexFailure,
      'index-unreachable',
      'Files that are not on this machine yet cannot be fetched.',
    ),
  ]
  return [
    ...failures.flatMap((one) =>
      one === undefined ? [] : [{ ...one, what: `${facts.name}: ${one.what}` }],
    ),
    ...facts.expiries.flatMap((expiry) => judgeExpiry(facts.name, expiry, now)),
  ]
}

function isUnreachable(failure: Failure | undefined): boolean {
  return [
    'METADATA_UNAVAILABLE',
    'UNREACHABLE',
    'TIMED_OUT',
    'TOO_SLOW',
    'BAD_STATUS',
    'BROKEN_OFF',
  ].includes(failure?.code ?? '')
}

function describeFailure(
  failure: Failure | undefined,
  code: string,
  why: string,
): Finding | undefined {
  if (failure === undefined) return undefined
  const { message, next } = failure
  return {
    severity: 'problem',
    code,
    place: indexPlace,
    what: message,
    why,
    ...(next !== undefined && { mend: next }),
  }
}

function judgeExpiry(name: string, { role, expires, signedAt }: Expiry, now: number): Finding[] {
  const leftMs = expires - now
  // A short-lived list is signed again and again: the last quarter of its life is late.
  const warnMs =
    signedAt === undefined
      ? (warnBeforeMs.get(role) ?? warnBeforeOthersMs)
      : (expires - signedAt) / 4
  if (leftMs > warnMs) return []
  const severity: Severity = leftMs <= 0 ? 'problem' : 'warning'
  const when =
    leftMs <= 0 ? `expired ${formatSpan(-leftMs)} ago` : `expires in ${formatSpan(leftMs)}`
  const what = descriptions.get(role) ?? `the part "${role}" of the signed list`
  return [
    {
      severity,
      code: leftMs <= 0 ? 'expired' : 'expires-soon',
      place: indexPlace,
      what: `${name}: ${what} ${when} (${formatUtcSeconds(expires)})`,
      why: 'What has expired is refused: no page can be read then, and nothing installed.',
      mend:
        role === 'root' || warnBeforeMs.has(role)
          ? 'whoever runs the mirror signs it again with his offline keys: tufgate mirror ceremony --help'
          : 'whoever runs the mirror sees why it is not signed any more: tufgate mirror health FOLDER, then tufgate mirror renew FOLDER',
    },
  ]
}

export interface ClockFacts {
  /** Whose clock it was compared with. */
  readonly source: string
  /** Below 0: this machine is behind. */
  readonly errorMs: number
}

/** As much as the proxy itself bears. */
const maxErrorMs = 5 * 60_000

/** Two witnesses against one are not asked for: whichever is right, they do not agree. */
export function judgeClock(clocks: readonly ClockFacts[]): Finding[] {
  return clocks
    .filter(({ errorMs }) => Math.abs(errorMs) > maxErrorMs)
    .slice(0, 1)
    .map(({ source, errorMs }) => ({
      severity: 'problem' as const,
      code: 'clock-wrong',
      place: 'the clock',
      what: `this machine is ${formatSpan(Math.abs(errorMs))} ${errorMs > 0 ? 'ahead of' : 'behind'} ${source}`,
      why: 'Whether a signed list is too old is decided by the clock: a wrong one lets an old list pass, or refuses a good one.',
      mend: 'timedatectl set-ntp true (or set the clock by hand)',
    }))
}
