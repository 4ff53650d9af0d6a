/**
 * The file that goes from hand to hand: documents in the making, and what an offline signer needs to
 * check them, which is the chain of roots and the documents that are to be replaced.
 *
 * Nothing in it is trusted. The summary is for people who open the file; no command reads it.
 */

import { decodeUtf8, encodeUtf8, toPrintable, type Bytes } from '../base/bytes.ts'
import {
  DecodeError,
  isMalformed,
  member,
  readArray,
  readMap,
  readMember,
  readObject,
} from '../base/decode.ts'
import { ConfigError, describeError } from '../base/errors.ts'
import { requireStrictJson } from '../base/strict-json.ts'
import { offlineRoles, type OfflineRole } from '../mirror/role-names.ts'
import { describeEnvelope, readDraft, type Draft } from './draft.ts'

export interface Change {
  /** From the first root of the mirror, or a later one, up to the root of now. */
  readonly roots: readonly Draft[]
  /** What is published now: targets, and each other role that the change replaces. Never root. */
  readonly previous: ReadonlyMap<OfflineRole, Draft>
  readonly documents: ReadonlyMap<OfflineRole, Draft>
}

/** `claimed` is the largest of them, at most 8 MB. */
export const maxChangeFileBytes = 64_000_000
const fileType = 'tufgate-root-change'
const fileVersion = 1
const maxRoots = 1024

/** Throws CONFIG_INVALID for what is no such file. Signatures and contents are not looked at. */
export function parseChange(bytes: Bytes, place: string): Change {
  try {
    return readChange(bytes)
  } catch (error) {
    if (!isMalformed(error)) throw error
    throw new ConfigError(
      'CONFIG_INVALID',
      `${toPrintable(place)} is not a change file: ${toPrintable(describeError(error))}`,
      {
        expected: 'a file that tufgate mirror root new has made',
        next: 'Copy the file again from whoever prepared it.',
        cause: error,
      },
    )
  }
}

function readChange(bytes: Bytes): Change {
  const text = decodeUtf8(bytes)
  const file = readObject(JSON.parse(text))
  requireStrictJson(text)
  if (member(file, 'type') !== fileType || member(file, 'version') !== fileVersion) {
    throw new DecodeError(`expected type ${fileType}, version ${fileVersion}`)
  }
  const roots = readMember(file, 'roots', (value) => readArray(value, readDraft))
  if (roots.length === 0 || roots.length > maxRoots) throw new DecodeError('roots: 1 to 1024')
  const previous = readMember(file, 'previous', readDrafts)
  const documents = readMember(file, 'documents', readDrafts)
  if (documents.size === 0) throw new DecodeError('documents: there is none')
  return { roots, previous, documents }
}

function readDrafts(value: unknown): Map<OfflineRole, Draft> {
  const drafts = readMap(value, readDraft)
  const unknown = [...drafts.keys()].find((name) => !offlineRoles.some((role) => role === name))
  if (unknown !== undefined) throw new DecodeError(`${unknown} is no role that people sign`)
  // In the one order, so that everything that is said of them is said in it.
  return new Map(
    offlineRoles.flatMap((role) => {
      const draft = drafts.get(role)
      return draft === undefined ? [] : [[role, draft] as const]
    }),
  )
}

export function renderChange(change: Change, summary: readonly string[]): Bytes {
  const { roots, previous, documents } = change
  const file = {
    type: fileType,
    version: fileVersion,
    summary: ['For people. tufgate itself reads only what is signed, below.', ...summary],
    documents: describeAll(documents),
    previous: describeAll(previous),
    roots: roots.map(describeEnvelope),
  }
  return encodeUtf8(`${JSON.stringify(file, undefined, 1)}\n`)
}

function describeAll(drafts: ReadonlyMap<OfflineRole, Draft>): Record<string, object> {
  return Object.fromEntries([...drafts].map(([role, draft]) => [role, describeEnvelope(draft)]))
}
