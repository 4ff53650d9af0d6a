/**
 * Where a file lies, and whether its URL may stand in a record: absolute, in the one form that
 * `URL` writes, without query, fragment or credentials, nothing in its path that two programs
 * could read in two ways.
 */

import { DecodeError } from '../base/decode.ts'
import { parseFilename } from './filename.ts'
import type { ProjectFile } from './model.ts'
import { isFilename, isPathSegment, maxUrlLength } from './read-text.ts'

export interface FileLocation {
  /** With the port where there is one. */
  readonly host: string
  /** Each decoded once. */
  readonly segments: readonly string[]
}

/** Throws a DecodeError that says what is wrong. */
export function parseFileUrl(raw: string): FileLocation {
  // A link that was short may be long once it is absolute and percent-encoded.
  if (raw.length > maxUrlLength) throw new DecodeError(`a URL of ${raw.length} characters`)
  const url = URL.parse(raw)
  if (url === null) throw new DecodeError('not an absolute URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new DecodeError(`the scheme ${url.protocol.slice(0, 20)} is neither http nor https`)
  }
  if (url.username !== '' || url.password !== '') throw new DecodeError('a URL with credentials')
  if (raw.includes('?') || raw.includes('#'))
    throw new DecodeError('a URL with a query or fragment')
  // Dot segments, backslashes, default ports, capitals in the host: all resolved in `href`.
  if (url.href !== raw) throw new DecodeError('a URL that is not in its normal form')
  // In a link the host is a segment too: `..` would lead to the files of another project.
  if (!isPathSegment(url.host)) throw new DecodeError('a host that is no segment of a path')
  return { host: url.host, segments: url.pathname.slice(1).split('/').map(decodeSegment) }
}

/** The key of `ProjectRecord.byPath`. */
export function pathKey({ host, segments }: FileLocation): string {
  return `${host}/${segments.join('/')}`
}

/** Relative to the page, so that the proxy works behind any host name and prefix. */
export function renderLink(project: string, { host, segments }: FileLocation): string {
  // Only the brackets of an IPv6 address need it; the colon of a port may stand in a path.
  const encodedHost = encodeURIComponent(host).replaceAll('%3A', ':')
  return `../../files/${project}/${encodedHost}/${segments.map(encodeURIComponent).join('/')}`
}

/**
 * Where the file lies, if it may stand in a record of the project.
 * Throws a DecodeError; whether there is a sha256 is not looked at.
 */
export function requireRecordable(file: ProjectFile, project: string): FileLocation {
  if (!isFilename(file.filename)) throw new DecodeError('not a file name')
  if (!parseFilename(file.filename, project).belongs) {
    throw new DecodeError(`not the name of a file of ${project}`)
  }
  const location = parseFileUrl(file.url)
  // pip takes the name from the URL, uv and poetry take `filename`: they must not differ.
  if (location.segments.at(-1) !== file.filename)
    throw new DecodeError('its URL ends in another name')
  return location
}

/** Why the mirror leaves the file out; `undefined`: it may stand in a record of the project. */
export function findFileFault(file: ProjectFile, project: string): string | undefined {
  try {
    requireRecordable(file, project)
    return undefined
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

function decodeSegment(raw: string): string {
  const segment = raw.includes('%') ? decodeOnce(raw) : raw
  if (!isPathSegment(segment)) throw new DecodeError('a path that could be read in two ways')
  return segment
}

function decodeOnce(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    // The URIError says only that it is malformed, which the next sentence says better.
    throw new DecodeError('a path that is not percent-encoded UTF-8')
  }
}
