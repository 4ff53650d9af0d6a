/**
 * What the operator's policy says of one file and of a page. Pure: facts and time in, a value out.
 *
 * A file whose hash changed at the index (`_conflict`) is kept: its signed hash is still the first
 * one, so what is served is what was signed, and the rest of the project goes on.
 */

import { formatUtcSeconds } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { encodeUtf8 } from '../base/bytes.ts'
import type { DecisionCode } from '../base/errors.ts'
import { parseUploadTime } from '../simple/read-text.ts'
import type { ProjectRecord, RecordFile } from '../simple/record.ts'
import { findDenyRule, type DenyRule } from './deny-rule.ts'
import { findPin, type PinSet } from './pin-set.ts'

export interface Policy {
  readonly deny: readonly DenyRule[]
  /** 0: no minimum. */
  readonly minAgeMs: number
  /** Normalized project names to which the minimum age does not apply. */
  readonly minAgeExcept: readonly string[]
  readonly showHidden: boolean
  /** `.metadata` files are not offered (`core-metadata = false`). */
  readonly hidesMetadata?: boolean
  /** Only what it names is served. */
  readonly pins?: PinSet
}

export interface Ruling {
  readonly kind: 'hide' | 'refuse'
  readonly code: DecisionCode
  /** One sentence, the same at any time of asking. */
  readonly reason: string
  readonly expected?: string
  readonly found?: string
  /** ms: when the ruling may change. */
  readonly until?: number
}

export type Decision = { readonly kind: 'keep' } | Ruling

const keep: Decision = { kind: 'keep' }

/**
 * Whether installers get `.metadata` files, by which they plan before they have a wheel. A pins file has no
 * line for one: the metadata is read in the pinned file.
 */
export function isMetadataOffered({ pins, hidesMetadata = false }: Policy): boolean {
  return pins === undefined && !hidesMetadata
}

/** `project` is normalized. The strongest reason is given: withdrawn, removed, denied, not pinned, too young. */
export function decideFile(
  policy: Policy,
  project: string,
  file: RecordFile,
  now: number,
): Decision {
  if (file.denied !== undefined) {
    const { since, reason } = file.denied
    const sentence = `the mirror has withdrawn ${file.filename} since ${since}: ${reason}`
    return { kind: 'refuse', code: 'DENIED', reason: sentence }
  }
  if (file.removed !== undefined) {
    const reason = `the index has not listed ${file.filename} since ${file.removed}`
    return { kind: 'refuse', code: 'REMOVED', reason }
  }
  const rule = findDenyRule(policy.deny, project, file.filename)
  if (rule !== undefined) {
    return { kind: 'refuse', code: 'DENIED', reason: `the policy denies ${rule.text}` }
  }
  const unpinned = policy.pins && decidePinned(policy.pins, project, file)
  if (unpinned !== undefined) return unpinned
  if (policy.minAgeMs <= 0 || policy.minAgeExcept.includes(project)) return keep
  return decideAge(policy.minAgeMs, file, now)
}

/** What is not pinned is hidden, so that a resolver takes what is; another digest is never passed over. */
function decidePinned(pins: PinSet, project: string, file: RecordFile): Ruling | undefined {
  const { filename, sha256 } = file
  const expected = findPin(pins, project, filename)
  if (expected === sha256) return undefined
  if (expected === undefined) {
    const reason = `${filename} is not in the pins file ${pins.source}`
    return { kind: 'hide', code: 'NOT_PINNED', reason }
  }
  const reason = `sha256 of ${filename} is not the one in the pins file ${pins.source}`
  return { kind: 'refuse', code: 'CONFLICT', reason, expected, found: sha256 }
}

/**
 * Both the index (upload time) and the mirror (first sight) have to say that it is old enough: an
 * index can write any time, but it cannot have been seen earlier. Without either its age is not
 * known, and it stays hidden.
 */
function decideAge(minAgeMs: number, file: RecordFile, now: number): Decision {
  const uploaded = file.uploadTime === undefined ? undefined : parseUploadTime(file.uploadTime)
  const { firstSeen = uploaded } = file
  if (firstSeen === undefined) {
    const reason = `nobody knows the age of ${file.filename}: no upload time and no first sight`
    return { kind: 'hide', code: 'TOO_YOUNG', reason }
  }
  const until = Math.max(uploaded ?? firstSeen, firstSeen) + minAgeMs
  if (until <= now) return keep
  const reason = `${file.filename} is younger than the policy allows, until ${formatUntil(until)}`
  return { kind: 'hide', code: 'TOO_YOUNG', reason, until }
}

/** Rounded up, so that the sentence is true in its last second too. */
export function formatUntil(until: number): string {
  const latest = 8_640_000_000_000_000 - 1000
  if (!(Math.abs(until) <= latest)) return 'further notice'
  return formatUtcSeconds(Math.ceil(until / 1000) * 1000)
}

export interface PageDecision {
  /** The files that are not kept. */
  readonly rulings: ReadonlyMap<RecordFile, Ruling>
  /** ms: the earliest time at which the outcome may change. */
  readonly until?: number
  /** The same text for the same rulings on the same record: half of the key of a rendered page. */
  readonly outcome: string
  /** Files are hidden, and no other is left: an installer sees a project without files. */
  readonly isWhollyHidden: boolean
}

export function decidePage(record: ProjectRecord, policy: Policy, now: number): PageDecision {
  const ours = policyFor(policy, record.name)
  const rulings = new Map<RecordFile, Ruling>()
  let until = Infinity
  for (const file of record.files) {
    const decision = decideFile(ours, record.name, file, now)
    if (decision.kind === 'keep') continue
    rulings.set(file, decision)
    until = Math.min(until, decision.until ?? Infinity)
  }
  const isWhollyHidden =
    !policy.showHidden &&
    rulings.size === record.files.length &&
    [...rulings.values()].some(({ kind }) => kind === 'hide')
  const decision = { rulings, outcome: outcomeOf(rulings, policy), isWhollyHidden }
  return until === Infinity ? decision : { ...decision, until }
}

/** Long lists are looked through once a page, not once a file. */
function policyFor(policy: Policy, project: string): Policy {
  return {
    ...policy,
    deny: policy.deny.filter((rule) => rule.project === project),
    minAgeExcept: policy.minAgeExcept.includes(project) ? [project] : [],
  }
}

function outcomeOf(rulings: ReadonlyMap<RecordFile, Ruling>, policy: Policy): string {
  if (rulings.size === 0) return 'all'
  const lines = [...rulings].map(([file, { kind, reason }]) => [
    file.filename,
    file.url,
    kind,
    reason,
  ])
  return sha256Hex(encodeUtf8(JSON.stringify([policy.showHidden, lines]))).slice(0, 32)
}
