/**
 * One entry of `files` in a PEP 691 page. A member of a wrong type fails the entry; `null` and
 * `false` mean that there is none; what API 1.4 does not know is kept in `extra`.
 */

import { encodeCanonical, type Json } from '../base/canonical-json.ts'
import {
  DecodeError,
  member,
  readArray,
  readAt,
  readBoolean,
  readInteger,
  readMember,
  readObject,
  type JsonObject,
} from '../base/decode.ts'
import type { CoreMetadata, ProjectFile } from './model.ts'
import { isAbsoluteUrl, parseUploadTime, readFilename, readText, readUrlText } from './read-text.ts'

export const maxFilesPerPage = 200_000
const maxHashes = 16

const knownMembers: ReadonlySet<string> = new Set([
  'filename',
  'url',
  'hashes',
  'requires-python',
  'yanked',
  'size',
  'upload-time',
  'provenance',
  'gpg-sig',
  'core-metadata',
  'dist-info-metadata',
  'data-core-metadata',
  'data-dist-info-metadata',
])

export function readFiles<T>(value: unknown, readItem: (item: unknown) => T): T[] {
  if (Array.isArray(value) && value.length > maxFilesPerPage) {
    throw new DecodeError(`${value.length} files are more than ${maxFilesPerPage}`)
  }
  return readArray(value, readItem)
}

export function readFile(value: unknown): ProjectFile {
  const object = readObject(value)
  return {
    filename: readMember(object, 'filename', readFilename),
    url: readMember(object, 'url', readUrlText),
    hashes: readMember(object, 'hashes', readHashes),
    ...optional('size', readPresent(object, 'size', readSize)),
    ...optional('uploadTime', readUploadTime(object)),
    ...optional('requiresPython', readRequiresPython(object)),
    ...optional('yanked', readPresent(object, 'yanked', readYanked)),
    ...optional('coreMetadata', readCoreMetadata(object)),
    ...optional('provenance', readProvenance(object)),
    ...optional('gpgSig', readPresent(object, 'gpg-sig', readBoolean)),
    extra: readExtra(object, (name) => knownMembers.has(name) || name.startsWith('_')),
  }
}

/** A member for `...`, where `exactOptionalPropertyTypes` wants it absent and not `undefined`. */
function optional<Name extends string, T>(name: Name, value: T | undefined): { [K in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [K in Name]?: T }
}

/** `null` is how indexes write that there is none. */
export function readPresent<T>(
  object: JsonObject,
  name: string,
  read: (value: unknown) => T,
): T | undefined {
  return (member(object, name) ?? undefined) === undefined
    ? undefined
    : readMember(object, name, read)
}

const noExtra: ReadonlyMap<string, Json> = new Map()

/** What has no canonical form (fractions, lone surrogates, too deep) cannot be signed: it is dropped. */
export function readExtra(
  object: JsonObject,
  isLeftOut: (name: string) => boolean,
): ReadonlyMap<string, Json> {
  let extra: Map<string, Json> | undefined
  for (const name of Object.keys(object)) {
    if (isLeftOut(name) || !isCanonical({ [name]: object[name] })) continue
    extra ??= new Map()
    extra.set(name, object[name] as Json)
  }
  return extra ?? noExtra
}

function isCanonical(value: unknown): boolean {
  try {
    encodeCanonical(value)
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** Digests in lower case. An algorithm of any name may stand there: whoever needs one asks for it. */
function readHashes(value: unknown): ReadonlyMap<string, string> {
  const object = readObject(value)
  const names = Object.keys(object)
  if (names.length > maxHashes) throw new DecodeError(`${names.length} digests for one file`)
  return new Map(names.map((name) => [name, readAt(name, () => readDigest(name, object[name]))]))
}

function readDigest(name: string, value: unknown): string {
  if (!isAlgorithmName(name)) throw new DecodeError('not the name of an algorithm')
  if (typeof value !== 'string' || !isDigestText(name, value)) throw new DecodeError('not a digest')
  return value.toLowerCase()
}

function isAlgorithmName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,32}$/.test(name)
}

export function isDigestText(name: string, text: string): boolean {
  if (!isAlgorithmName(name) || !/^[0-9a-f]{8,256}$/i.test(text)) return false
  return name !== 'sha256' || text.length === 64
}

/** PyPI writes an empty text or null where there is no requirement. */
function readRequiresPython(object: JsonObject): string | undefined {
  return readPresent(object, 'requires-python', readText) || undefined
}

function readSize(value: unknown): number {
  return readInteger(value, 0)
}

/** PEP 691: yanked where the value is truthy; the reason is empty for `true`. */
function readYanked(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? '' : undefined
  const reason = readText(value)
  return reason === '' ? undefined : reason
}

/** A time that is none is as good as no time: the page says when we can trust it, not why. */
function readUploadTime(object: JsonObject): string | undefined {
  const raw = readPresent(object, 'upload-time', readText)
  return raw !== undefined && parseUploadTime(raw) !== undefined ? raw : undefined
}

/** PEP 740; null says that there is none, which is more than to say nothing. */
function readProvenance(object: JsonObject): string | null | undefined {
  if (member(object, 'provenance') === null) return null
  const raw = readPresent(object, 'provenance', readUrlText)
  return raw !== undefined && isAbsoluteUrl(raw) ? raw : undefined
}

/** PEP 714, the older name of PEP 658, and the one that PyPI's JSON really has. */
const metadataMembers = ['core-metadata', 'dist-info-metadata', 'data-dist-info-metadata']

function readCoreMetadata(object: JsonObject): CoreMetadata | undefined {
  const name = metadataMembers.find((candidate) => (member(object, candidate) ?? null) !== null)
  return name === undefined ? undefined : readMember(object, name, readMetadataHashes)
}

function readMetadataHashes(value: unknown): CoreMetadata | undefined {
  if (typeof value === 'boolean') return value ? new Map() : undefined
  return readHashes(value)
}
