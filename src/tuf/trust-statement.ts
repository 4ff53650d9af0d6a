/**
 * What somebody trusts, as a small document that he can give to others: a floor for those who come for
 * the first time, and something to compare with for those who may be shown another list.
 *
 * It is not signed. Whoever uses one as a floor trusts it as he trusts the root that it comes with.
 */

import type { Bytes } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import {
  DecodeError,
  readInteger,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { parseJson } from '../base/strict-json.ts'
import { readSha256, readUtcTime } from '../base/read-values.ts'
import type { Floors } from './floors.ts'

/** A list under its name: two of the same version are the same bytes, or two people were shown two lists. */
export interface TrustedList {
  readonly version: number
  /** Of the metadata file. */
  readonly sha256: string
}

export interface TrustStatement {
  /** sha256 of the pinned root file. */
  readonly root: string
  readonly rootVersion: number
  /** See `Floors.epoch`. */
  readonly epoch: number
  readonly timestamp: TrustedList
  readonly snapshot: TrustedList
  /** Milliseconds; 0 where the mirror does not sign it. */
  readonly signedAt: number
  /** Of the mirror's journal, `SEQUENCE:SHA256`, where it has one. */
  readonly journal?: string
}

const format = 1

export function renderStatement(statement: TrustStatement): string {
  const { signedAt, rootVersion, ...others } = statement
  const signed = signedAt > 0 ? { signed: formatUtcSeconds(signedAt) } : {}
  const document = { format, 'root-version': rootVersion, ...others, ...signed }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Throws what the readers of base/decode throw. */
export function parseStatement(bytes: Bytes): TrustStatement {
  const object = readObject(parseJson(bytes))
  const found = readMember(object, 'format', (value) => readInteger(value, 1))
  if (found !== format) throw new DecodeError(`expected ${format}, found ${found}`, ['format'])
  const journal = readOptional(object, 'journal', readHead)
  return {
    root: readMember(object, 'root', readSha256),
    rootVersion: readMember(object, 'root-version', (value) => readInteger(value, 1)),
    epoch: readMember(object, 'epoch', (value) => readInteger(value, 0)),
    timestamp: readMember(object, 'timestamp', readList),
    snapshot: readMember(object, 'snapshot', readList),
    signedAt: readOptional(object, 'signed', readUtcTime) ?? 0,
    ...(journal !== undefined && { journal }),
  }
}

function readList(value: unknown): TrustedList {
  const list: JsonObject = readObject(value)
  return {
    version: readMember(list, 'version', (item) => readInteger(item, 1)),
    sha256: readMember(list, 'sha256', readSha256),
  }
}

function readHead(value: unknown): string {
  const text = readString(value)
  if (!/^[1-9]\d{0,14}:[0-9a-f]{64}$/.test(text)) throw new DecodeError('expected SEQUENCE:SHA256')
  return text
}

/** What a client may not go below from its first contact on. A snapshot binds all roles below it. */
export function floorsOf(statement: TrustStatement): Floors {
  const { rootVersion, epoch, timestamp, snapshot, signedAt } = statement
  const versions = new Map([
    ['root', rootVersion],
    ['timestamp', timestamp.version],
    ['snapshot', snapshot.version],
  ])
  return { versions, signedAt, epoch }
}

/**
 * `split`: one version with two contents, so that whoever signs, or has stolen the keys, has made two
 * lists. `untold`: no version in common, or two roots.
 */
export type Comparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'split'; readonly role: 'timestamp' | 'snapshot'; readonly version: number }
  | { readonly kind: 'untold'; readonly reason: 'roots' | 'versions' }

export function compareStatements(left: TrustStatement, right: TrustStatement): Comparison {
  if (left.root !== right.root) return { kind: 'untold', reason: 'roots' }
  // After a rotation versions may begin anew: only those of one epoch are of one count.
  if (left.epoch !== right.epoch) return { kind: 'untold', reason: 'versions' }
  for (const role of ['timestamp', 'snapshot'] as const) {
    if (left[role].version !== right[role].version) continue
    if (left[role].sha256 !== right[role].sha256)
      return { kind: 'split', role, version: left[role].version }
  }
  // Timestamps are renewed while nothing changes: one snapshot is one list.
  return left.snapshot.version === right.snapshot.version
    ? { kind: 'same' }
    : { kind: 'untold', reason: 'versions' }
}
