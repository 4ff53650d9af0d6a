/**
 * The path of a request target, in segments. Each is decoded exactly once, and a path that two programs
 * could read in two ways is refused.
 */

import { RequestError } from '../base/errors.ts'

export interface RequestPath {
  /** At least one; an empty one at the end where the path ends in a slash. */
  readonly segments: readonly string[]
  readonly hasQuery: boolean
}

/** `rawPath` begins with a slash and may have a query. Throws RequestError BAD_REQUEST. */
export function parseRequestPath(rawPath: string): RequestPath {
  requireUriCharacters(rawPath)
  const query = rawPath.indexOf('?')
  const path = query < 0 ? rawPath : rawPath.slice(0, query)
  return { segments: path.slice(1).split('/').map(parseSegment), hasQuery: query >= 0 }
}

/** Throws RequestError BAD_REQUEST. */
export function requireUriCharacters(rawPath: string): void {
  // RFC 3986: anything else must come percent-encoded; `#` and `\` are read differently by others.
  if (!/^[!$-;=?-[\]_a-z~]*$/.test(rawPath)) {
    throw badRequest('the request target has a character that must be percent-encoded')
  }
}

/** Decoded once: what still looks encoded afterwards is a name like any other, and matches none. */
function parseSegment(raw: string): string {
  const segment = raw.includes('%') ? decodeSegment(raw) : raw
  if (segment === '.' || segment === '..') {
    throw badRequest('the request target has a dot segment')
  }
  return segment
}

function decodeSegment(raw: string): string {
  let segment
  try {
    segment = decodeURIComponent(raw)
  } catch (cause) {
    throw new RequestError('BAD_REQUEST', 'the request target is not percent-encoded UTF-8', {
      cause,
    })
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[/\\\u0000-\u001f\u007f]/.test(segment)) {
    throw badRequest('the request target has an encoded slash, backslash or control character')
  }
  return segment
}

function badRequest(message: string): RequestError {
  return new RequestError('BAD_REQUEST', message)
}
