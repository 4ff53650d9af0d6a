/**
 * A project record: what the mirror signs and the proxy serves from. PEP 691 JSON, a sha256 for every
 * file, and what tufgate adds in keys that begin with `_`, which PEP 691 reserves.
 *
 * One entry that breaks a rule refuses the whole record: it was signed as it is, so it is no accident.
 */

import { encodeUtf8, toPrintable, type Bytes } from '../base/bytes.ts'
import { encodeCanonicalDocument, type Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { DecodeError, readInteger, readMember, readObject } from '../base/decode.ts'
import { readSha256, readUtcTime } from '../base/read-values.ts'
import { VerifyError } from '../base/errors.ts'
import { pathKey, requireRecordable, type FileLocation } from './file-url.ts'
import type { ProjectFile, ProjectStatus } from './model.ts'
import {
  fileEntries,
  pageEntries,
  publicMembers,
  toObject,
  type JsonEntries,
} from './page-object.ts'
import { readFile, readFiles, readPresent } from './read-file.ts'
import {
  readApiVersion,
  readDocument,
  readJsonObject,
  readPageExtra,
  readStatus,
  readVersions,
  requirePageName,
} from './read-page.ts'
import { describeLink, readText } from './read-text.ts'
import { completeVersions } from './versions.ts'

export interface RecordFile extends ProjectFile {
  readonly sha256: string
  /** `_removed`: when the index stopped to list it, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly removed?: string
  /** `_conflict`: the sha256 that the index showed later. */
  readonly conflict?: string
  /** `_respelled`: the sha256 that the index showed under another spelling of the name. */
  readonly respelled?: string
  /** `_requires-python`: what the index shows in place of the signed one; empty where it shows none. */
  readonly shownRequiresPython?: string
  /** `_first-seen`, ms. */
  readonly firstSeen?: number
  /** The mirror has withdrawn it; never of a record itself, see `subtract-denied.ts`. */
  readonly denied?: { readonly reason: string; readonly since: string }
}

export interface ServedPath {
  readonly file: RecordFile
  readonly kind: 'file' | 'metadata'
  /** Where it is fetched from. */
  readonly url: string
  readonly sha256: string
  /** Signed, and binding. */
  readonly size?: number
  /** What the file's server told when the record was made: it may be wrong. */
  readonly toldSize?: number
}

/** What `renderRecord` needs. */
export interface RecordContent {
  readonly name: string
  readonly files: readonly RecordFile[]
  readonly versions: readonly string[]
  readonly status?: ProjectStatus
  readonly extra: ReadonlyMap<string, Json>
}

export interface ProjectRecord extends RecordContent {
  /** By `${host[:port]}/${path, each segment decoded once}`. */
  readonly byPath: ReadonlyMap<string, ServedPath>
}

/** Throws VerifyError MALFORMED, UNSUPPORTED or RECORD_REFUSED. */
export function parseRecord(bytes: Bytes, project: string): ProjectRecord {
  const what = `the record of ${project}`
  return readDocument(what, () => {
    const page = readJsonObject(bytes, what)
    readApiVersion(page, what)
    requirePageName(page, project, what)
    const files = readMember(page, 'files', (value) => readFiles(value, readRecordFile))
    const versions = readVersions(page)
    const status = readStatus(page)
    return {
      name: project,
      files,
      versions: versions.length > 0 ? versions : completeVersions([], files, project),
      ...(status === undefined ? {} : { status }),
      extra: publicMembers(readPageExtra(page)),
      byPath: indexPaths(files, project),
    }
  })
}

function readRecordFile(value: unknown): RecordFile {
  const object = readObject(value)
  const { coreMetadata, hashes, ...file } = readFile(object)
  const sha256 = hashes.get('sha256')
  if (sha256 === undefined) throw new DecodeError(`${file.filename.slice(0, 200)} has no sha256`)
  const metadataSha256 = coreMetadata?.get('sha256')
  const firstSeen = readPresent(object, '_first-seen', readUtcTime)
  const toldSize = readPresent(object, '_size', readLength)
  const removed = readPresent(object, '_removed', readUtcTime)
  const conflict = readPresent(object, '_conflict', readSha256)
  const respelled = readPresent(object, '_respelled', readSha256)
  const shownRequiresPython = readPresent(object, '_requires-python', readText)
  return {
    ...file,
    sha256,
    hashes: new Map([['sha256', sha256]]),
    // What cannot be verified is not offered.
    ...(metadataSha256 === undefined
      ? {}
      : { coreMetadata: new Map([['sha256', metadataSha256]]) }),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(toldSize === undefined ? {} : { toldSize }),
    ...(removed === undefined ? {} : { removed: formatUtcSeconds(removed) }),
    ...(conflict === undefined ? {} : { conflict }),
    ...(respelled === undefined ? {} : { respelled }),
    ...(shownRequiresPython === undefined ? {} : { shownRequiresPython }),
  }
}

function readLength(value: unknown): number {
  return readInteger(value, 0)
}

/** Each path that may be asked for, once. */
function indexPaths(
  files: readonly RecordFile[],
  project: string,
): ReadonlyMap<string, ServedPath> {
  const byPath = new Map<string, ServedPath>()
  const digests = new Map<string, string>()
  const add = (key: string, served: ServedPath): void => {
    if (byPath.has(key)) throw refuseFile(served.file, project, 'its path stands twice')
    byPath.set(key, served)
  }
  for (const file of files) {
    const key = pathKey(requireLocation(file, project))
    const { url, sha256, size, toldSize } = file
    // poetry and uv go by the name: it must not mean two things.
    if ((digests.get(file.filename) ?? sha256) !== sha256) {
      throw refuseFile(file, project, 'its name stands twice, with two digests')
    }
    digests.set(file.filename, sha256)
    const length = size === undefined ? { ...(toldSize !== undefined && { toldSize }) } : { size }
    add(key, { file, kind: 'file', url, sha256, ...length })
    const metadata = file.coreMetadata?.get('sha256')
    if (metadata === undefined) continue
    add(`${key}.metadata`, { file, kind: 'metadata', url: `${url}.metadata`, sha256: metadata })
  }
  return byPath
}

function requireLocation(file: RecordFile, project: string): FileLocation {
  try {
    return requireRecordable(file, project)
  } catch (error) {
    if (error instanceof DecodeError) throw refuseFile(file, project, error.message, error)
    throw error
  }
}

function refuseFile(
  file: RecordFile,
  project: string,
  problem: string,
  cause?: unknown,
): VerifyError {
  const name = toPrintable(file.filename)
  return new VerifyError('RECORD_REFUSED', `the record of ${project} lists ${name}: ${problem}`, {
    url: describeLink(file.url),
    next: 'Ask the operator of the mirror to look at the record; nothing of it is served',
    cause,
  })
}

/**
 * Canonical JSON, one hash for each file, private keys of the index left out: the same record gives
 * the same bytes. It judges nothing; `parseRecord` of its result does.
 */
export function renderRecord(record: RecordContent): Bytes {
  const versions = completeVersions(record.versions, record.files, record.name)
  const files = record.files.map((file) => toObject(recordFileEntries(file)))
  const page = toObject([...pageEntries({ ...record, versions }), ['files', files]])
  return encodeUtf8(encodeCanonicalDocument(page))
}

function recordFileEntries(file: RecordFile): JsonEntries {
  const metadata = file.coreMetadata?.get('sha256')
  const { coreMetadata: _, ...rest } = file
  return [
    ...fileEntries({ ...rest, hashes: new Map([['sha256', file.sha256]]) }),
    ['core-metadata', metadata === undefined ? undefined : { sha256: metadata }],
    ['_first-seen', file.firstSeen === undefined ? undefined : formatUtcSeconds(file.firstSeen)],
    ['_size', file.size === undefined ? file.toldSize : undefined],
    ['_removed', file.removed],
    ['_conflict', file.conflict],
    ['_respelled', file.respelled],
    ['_requires-python', file.shownRequiresPython],
  ]
}
