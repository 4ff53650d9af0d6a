/**
 * The head of a PEP 691 page, which upstream pages and records have in common: API version, name,
 * versions, status. And the one place where a failed reading becomes an error with a code.
 */

import { decodeUtf8, toPrintable, type Bytes } from '../base/bytes.ts'
import {
  DecodeError,
  member,
  readArray,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import type { Json } from '../base/canonical-json.ts'
import { VerifyError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'
import type { ProjectStatus } from './model.ts'
import { isProjectName, normalizeName } from './names.ts'
import { readExtra, readPresent } from './read-file.ts'
import { readText } from './read-text.ts'

/** `alternate-locations` (PEP 708, rejected) would widen whom clients trust: known, and left out. */
const knownMembers: ReadonlySet<string> = new Set([
  'meta',
  'name',
  'versions',
  'files',
  'project-status',
  'alternate-locations',
])

const maxVersions = 200_000

/** Runs a reading of what came from outside: its DecodeError becomes MALFORMED. */
export function readDocument<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(what, error)
    throw error
  }
}

export function readJsonObject(bytes: Bytes, what: string): JsonObject {
  return readObject(readBytes(() => parseJson(bytes), what))
}

export function readUtf8(bytes: Bytes, what: string): string {
  return readBytes(() => decodeUtf8(bytes), what)
}

/** The two decoders of the platform throw their own errors, and nothing else of ours runs here. */
function readBytes<T>(decode: () => T, what: string): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) throw malformed(what, error)
    throw error
  }
}

function malformed(what: string, cause: Error): VerifyError {
  const message = `${what} cannot be read: ${toPrintable(cause.message, 300)}`
  return new VerifyError('MALFORMED', message, {
    cause,
    next: 'Nothing of it was used; ask the operator of the index or the mirror to look at it',
  })
}

/** PEP 629 and 691: 1.x is understood, whatever x; another major version is not. */
export function requireApiVersion(raw: string, what: string): void {
  const major = /^(\d{1,6})\.\d{1,6}$/.exec(raw)?.[1]
  if (major === undefined) {
    throw new DecodeError(`${JSON.stringify(raw.slice(0, 40))} is no API version`)
  }
  if (Number(major) === 1) return
  throw new VerifyError(
    'UNSUPPORTED',
    `${what} has API version ${raw}, and only 1.x is understood`,
    {
      expected: '1.x',
      found: raw,
      next: 'Use an index that serves API version 1, or a newer tufgate',
    },
  )
}

export function readApiVersion(page: JsonObject, what: string): void {
  readMember(page, 'meta', (meta) => {
    const raw = readMember(readObject(meta), 'api-version', readString)
    requireApiVersion(raw, what)
  })
}

/** Private to the index (PEP 691), so one that is no number is as good as none. */
export function readLastSerial(object: JsonObject): number | undefined {
  const value = member(object, '_last-serial')
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** PEP 691: the name on the page, which has to be the one that was asked for. */
export function requirePageName(page: JsonObject, project: string, what: string): void {
  const raw = readMember(page, 'name', readString)
  if (isProjectName(raw) && normalizeName(raw) === project) return
  throw new VerifyError('MALFORMED', `${what} is the page of another project`, {
    expected: project,
    found: toPrintable(raw),
    next: 'Ask the operator of the index or the mirror to look at it',
  })
}

/** PEP 700; absent before API 1.1. */
export function readVersions(page: JsonObject): readonly string[] {
  return readPresent(page, 'versions', readVersionList) ?? []
}

function readVersionList(value: unknown): string[] {
  const versions = readArray(value, readText)
  if (versions.length > maxVersions) throw new DecodeError(`${versions.length} versions`)
  return versions
}

/** PEP 792. A status that is not known yet is kept: it only informs. */
export function readStatus(page: JsonObject): ProjectStatus | undefined {
  return readPresent(page, 'project-status', (value) => {
    const object = readObject(value)
    const status = readPresent(object, 'status', readText) ?? 'active'
    const reason = readPresent(object, 'reason', readText)
    return reason === undefined ? { status } : { status, reason }
  })
}

/** What API 1.4 does not know, private members of the index too. */
export function readPageExtra(page: JsonObject): ReadonlyMap<string, Json> {
  return readExtra(page, (name) => knownMembers.has(name))
}
