/**
 * What a mirror has withdrawn of a project: the content of the target `deny/<project>.json`. It only
 * ever takes away from a signed record; what it does to one is in `subtract-denied.ts`.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { encodeCanonicalDocument, type Json } from '../base/canonical-json.ts'
import { formatUtcSeconds, parseUtcSeconds } from '../base/clock.ts'
import {
  DecodeError,
  readArray,
  readMember,
  readObject,
  readOptional,
  readString,
} from '../base/decode.ts'
import { readDocument, readJsonObject } from './read-page.ts'
import { isFilename, readText } from './read-text.ts'

/** File names, or every file that there is and that will be. */
export type DeniedFiles = readonly string[] | 'all'

export interface Denial {
  readonly reason: string
  /** ms */
  readonly since: number
  readonly files: DeniedFiles
  /** As it was written: files of it that come later are withdrawn too (PEP 440, `==`). */
  readonly version?: string
}

/** As many decisions of people as one project can need. */
export const maxDenials = 1000
const maxDeniedFiles = 100_000

export function denyTarget(project: string): string {
  return `deny/${project}.json`
}

/** Throws VerifyError MALFORMED. */
export function parseDenials(bytes: Bytes, project: string): readonly Denial[] {
  const what = `the list of what is withdrawn of ${project}`
  return readDocument(what, () => {
    const object = readJsonObject(bytes, what)
    readMember(object, 'name', (name) => {
      if (readString(name) !== project) throw new DecodeError(`expected ${project}`)
    })
    const denials = readMember(object, 'denied', (value) => readArray(value, readDenial))
    if (denials.length > maxDenials) throw new DecodeError(`more than ${maxDenials} entries`)
    return denials
  })
}

function readDenial(value: unknown): Denial {
  const object = readObject(value)
  const version = readOptional(object, 'version', readVersion)
  return {
    reason: readMember(object, 'reason', readReason),
    since: readMember(object, 'since', readSince),
    files: readMember(object, 'files', readDeniedFiles),
    ...(version !== undefined && { version }),
  }
}

function readReason(value: unknown): string {
  const reason = readText(value)
  if (reason.trim() === '') throw new DecodeError('expected a reason')
  return reason
}

function readVersion(value: unknown): string {
  const version = readText(value)
  if (version.trim() === '') throw new DecodeError('expected a version')
  return version
}

function readSince(value: unknown): number {
  const since = parseUtcSeconds(readString(value))
  if (since === undefined) throw new DecodeError('expected a time as YYYY-MM-DDTHH:MM:SSZ')
  return since
}

function readDeniedFiles(value: unknown): DeniedFiles {
  if (value === 'all') return 'all'
  const files = readArray(value, readFilename)
  if (files.length > maxDeniedFiles) throw new DecodeError(`more than ${maxDeniedFiles} files`)
  return files
}

function readFilename(value: unknown): string {
  const name = readString(value)
  if (!isFilename(name)) throw new DecodeError('not a file name')
  return name
}

/** Canonical JSON: the same decisions give the same bytes. */
export function renderDenials(project: string, denials: readonly Denial[]): Bytes {
  const denied: Json[] = denials.map(({ reason, since, files, version }) => ({
    reason,
    since: formatUtcSeconds(since),
    files: files === 'all' ? files : [...files],
    ...(version !== undefined && { version }),
  }))
  return encodeUtf8(encodeCanonicalDocument({ name: project, denied }))
}
