/**
 * Untrusted bytes become metadata, or are refused as MALFORMED (TUF 4.3 to 4.6).
 *
 * Everything about the form is checked here, before any signature is looked at: what comes out
 * cannot crash a later step. Whether it is signed, new or unexpired is not asked here.
 */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import {
  DecodeError,
  member,
  readAt,
  readBoolean,
  readInteger,
  readMap,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { isDigestOf, isHashName } from '../base/digest.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import { readUtcTime } from '../base/read-values.ts'
import { parseEnvelope, type Envelope } from './envelope.ts'
import type { MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp } from './metadata.ts'
import { readDelegations, readKeys, readRoleKeys } from './parse-delegations.ts'

/** Well formed and nothing else: not a `Root`, until its signatures have been verified. */
export interface Unverified<T> extends Envelope {
  readonly claimed: T
}

const maxMetaFiles = 2 ** 17
const maxHashes = 16

export function parseRoot(bytes: Bytes): Unverified<Root> {
  return parseMetadata(bytes, 'root', 'root', readRoot)
}

export function parseTimestamp(bytes: Bytes): Unverified<Timestamp> {
  return parseMetadata(bytes, 'timestamp', 'timestamp', readTimestamp)
}

export function parseSnapshot(bytes: Bytes): Unverified<Snapshot> {
  return parseMetadata(bytes, 'snapshot', 'snapshot', readSnapshot)
}

/** `role` is the name for messages: `targets`, or a delegated role. */
export function parseTargets(bytes: Bytes, role: string): Unverified<Targets> {
  return parseMetadata(bytes, 'targets', role, readTargets)
}

function parseMetadata<T>(
  bytes: Bytes,
  type: string,
  role: string,
  read: (signed: JsonObject) => T,
): Unverified<T> {
  try {
    const { signed, ...envelope } = parseEnvelope(bytes)
    return { ...envelope, claimed: readAt('signed', () => readOfType(signed, type, read)) }
  } catch (error) {
    if (error instanceof VerifyError) throw error
    // Only what the readers and JSON.parse throw on bad input; anything else is a bug.
    if (!(error instanceof DecodeError || error instanceof TypeError || isJsonError(error)))
      throw error
    throw new VerifyError(
      'MALFORMED',
      `${toPrintable(role)} is malformed: ${toPrintable(describeError(error))}`,
      {
        role,
        cause: error,
        next: 'Ask whoever runs the mirror; no signature was looked at.',
      },
    )
  }
}

function isJsonError(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof RangeError
}

function readOfType<T>(signed: JsonObject, type: string, read: (signed: JsonObject) => T): T {
  readMember(signed, '_type', (value) => {
    if (readString(value) !== type)
      throw new DecodeError(`expected ${type}, found ${value as string}`)
  })
  requireSpecVersion(readMember(signed, 'spec_version', readString))
  return read(signed)
}

function requireSpecVersion(version: string): void {
  // "1.0" is what repositories before 1.0.0 wrote.
  const [, major] = /^(\d{1,9})\.\d{1,9}(?:\.\d{1,9})?$/.exec(version) ?? []
  if (major === undefined) throw new DecodeError('spec_version is not a version')
  if (major === '1') return
  throw new VerifyError('UNSUPPORTED', `metadata follows TUF ${version}, and only TUF 1 is known`, {
    expected: '1',
    found: version,
    next: 'Look for a newer tufgate.',
  })
}

function readRoot(signed: JsonObject): Root {
  return {
    type: 'root',
    ...readHeader(signed),
    // TUF 4.3: optional.
    consistentSnapshot: readOptional(signed, 'consistent_snapshot', readBoolean) ?? false,
    keys: readMember(signed, 'keys', readKeys),
    roles: readMember(signed, 'roles', (value) => {
      const roles = readObject(value)
      return {
        root: readMember(roles, 'root', readRoleKeys),
        timestamp: readMember(roles, 'timestamp', readRoleKeys),
        snapshot: readMember(roles, 'snapshot', readRoleKeys),
        targets: readMember(roles, 'targets', readRoleKeys),
      }
    }),
  }
}

function readTimestamp(signed: JsonObject): Timestamp {
  const meta = readMember(signed, 'meta', readMetaFiles)
  const snapshot = meta.get('snapshot.json')
  // TUF 4.6: snapshot and nothing else.
  if (snapshot === undefined || meta.size !== 1)
    throw new DecodeError('meta must list snapshot.json alone')
  return {
    type: 'timestamp',
    ...readHeader(signed),
    snapshot,
    ...readOptional(signed, 'x-tufgate', readTimes),
  }
}

function readTimes(value: unknown): { signedAt?: number; indexSeenAt?: number } {
  const times = readObject(value)
  const signedAt = readOptional(times, 'signed', readUtcTime)
  const indexSeenAt = readOptional(times, 'index-seen', readUtcTime)
  return {
    ...(signedAt !== undefined && { signedAt }),
    ...(indexSeenAt !== undefined && { indexSeenAt }),
  }
}

function readSnapshot(signed: JsonObject): Snapshot {
  return {
    type: 'snapshot',
    ...readHeader(signed),
    meta: readMember(signed, 'meta', readMetaFiles),
  }
}

function readTargets(signed: JsonObject): Targets {
  const delegations = readOptional(signed, 'delegations', readDelegations)
  return {
    type: 'targets',
    ...readHeader(signed),
    targets: readMember(signed, 'targets', (value) => readMap(value, readTargetFile)),
    ...(delegations && { delegations }),
  }
}

function readHeader(signed: JsonObject): { version: number; expires: number } {
  return {
    version: readMember(signed, 'version', readPositive),
    expires: readMember(signed, 'expires', readUtcTime),
  }
}

function readMetaFiles(value: unknown): Map<string, MetaFile> {
  const files = readMap(value, readMetaFile)
  if (files.size > maxMetaFiles) throw new DecodeError(`more than ${maxMetaFiles} roles`)
  return files
}

function readMetaFile(value: unknown): MetaFile {
  const object = readObject(value)
  const version = readPositive(member(object, 'version'))
  const length = readOptional(object, 'length', readPositive)
  const hashes = readOptional(object, 'hashes', readHashes)
  // Of the many entries of a snapshot most have a version alone.
  if (length === undefined && hashes === undefined) return { version }
  return { version, ...(length !== undefined && { length }), ...(hashes && { hashes }) }
}

function readTargetFile(value: unknown): TargetFile {
  const object = readObject(value)
  return {
    length: readMember(object, 'length', (length) => readInteger(length, 0)),
    hashes: readMember(object, 'hashes', readHashes),
  }
}

function readHashes(value: unknown): Map<string, string> {
  const hashes = readMap(value, readHash)
  // An empty list would leave the content to anybody.
  if (hashes.size === 0) throw new DecodeError('no hash is listed')
  if (hashes.size > maxHashes) throw new DecodeError(`more than ${maxHashes} hashes`)
  return hashes
}

function readHash(value: unknown, name: string): string {
  const digest = readString(value)
  // It becomes part of a file name (TUF 6.2): nothing but a digest may stand here.
  if (isHashName(name) && !isDigestOf(name, digest))
    throw new DecodeError(`not a digest of ${name}`)
  return digest
}

function readPositive(value: unknown): number {
  return readInteger(value, 1)
}
