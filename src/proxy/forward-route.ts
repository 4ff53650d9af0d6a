/**
 * Which thing of an index a URL on one of its hosts names: a page below the index's own URL, or else a
 * file by its URL. It does not know what exists, and whose file it is.
 */

import { RequestError } from '../base/errors.ts'
import { findProjectsOf } from '../simple/filename-projects.ts'
import { isProjectName } from '../simple/names.ts'
import type { IndexAddressee } from './addressee.ts'
import {
  type Authority,
  defaultPorts,
  formatAuthority,
  hostKey,
  parseAuthority,
} from './authority.ts'
import type { ForwardIndex } from './forward-port.ts'
import { parseRequestPath, type RequestPath } from './request-path.ts'
import { onlyReleases, type PageRoute, routePage, routeRelease } from './route.ts'

/** A URL, and all projects whose file its last segment may be the name of. */
export interface ForwardFileRoute {
  readonly kind: 'file'
  /** A key of `ProjectRecord.byPath`. */
  readonly path: string
  readonly filename: string
}

export type ForwardRoute =
  | { readonly kind: 'page'; readonly index: ForwardIndex; readonly page: PageRoute }
  | ForwardFileRoute

/** Throws RequestError BAD_REQUEST or NOT_FOUND. */
export function parseForwardRoute(addressee: IndexAddressee): ForwardRoute {
  const { authority, scheme, indexes, rawPath } = addressee
  const path = parseRequestPath(rawPath)
  return (
    findPage(path, authority, indexes) ??
    findRelease(path, authority, indexes) ??
    requireFile(path, formatAuthority(authority, scheme))
  )
}

/** Of several indexes on one host the one with the longest path has the page. */
function findPage(
  { segments }: RequestPath,
  authority: Authority,
  indexes: readonly ForwardIndex[],
): ForwardRoute | undefined {
  const places = indexes
    .map((index) => ({ index, prefix: findPrefix(index, authority) }))
    .toSorted((left, right) => (right.prefix?.length ?? 0) - (left.prefix?.length ?? 0))
  for (const { index, prefix } of places) {
    if (prefix === undefined || !prefix.every((segment, at) => segment === segments[at])) continue
    const page = findPageBelow(segments.slice(prefix.length), prefix.at(-1))
    if (page !== undefined) return { kind: 'page', index, page }
  }
  return undefined
}

/** The JSON of PyPI stands beside `simple`. Throws RequestError NOT_FOUND for what else stands there. */
function findRelease(
  { segments }: RequestPath,
  authority: Authority,
  indexes: readonly ForwardIndex[],
): ForwardRoute | undefined {
  for (const index of indexes) {
    const prefix = findPrefix(index, authority)
    if (prefix?.at(-1) !== 'simple') continue
    const place = [...prefix.slice(0, -1), 'pypi']
    if (!place.every((segment, at) => segment === segments[at])) continue
    const page = routeRelease(segments.slice(place.length))
    if (page !== undefined) return { kind: 'page', index, page }
    if (segments.at(-1) === 'json') throw notFound(onlyReleases)
  }
  return undefined
}

/** The path of the index's list of projects, where that is on this host. */
function findPrefix({ url }: ForwardIndex, authority: Authority): readonly string[] | undefined {
  const { host, pathname, protocol } = new URL(url)
  const own = parseAuthority(host, protocol === 'https:' ? defaultPorts.https : defaultPorts.http)
  if (own === undefined || hostKey(own) !== hostKey(authority)) return undefined
  return parseRequestPath(pathname.replace(/\/$/, '') + '/').segments.slice(0, -1)
}

function findPageBelow(
  rest: readonly string[],
  lastOfPrefix: string | undefined,
): PageRoute | undefined {
  const [name, end, ...more] = rest
  if (name === undefined) return { kind: 'redirect', location: `${lastOfPrefix ?? ''}/` }
  if (more.length > 0 || (end !== undefined && end !== '')) return undefined
  if (name === '') return end === undefined ? routePage(rest) : undefined
  const isFile = end === undefined && findProjectsOf(name.replace(/\.metadata$/, '')).length > 0
  return isFile || !isProjectName(name) ? undefined : routePage(rest)
}

function requireFile({ segments, hasQuery }: RequestPath, host: string): ForwardFileRoute {
  const filename = segments.at(-1) ?? ''
  if (segments.includes('')) throw notFound(nothingHere)
  const isFile = findProjectsOf(filename.replace(/\.metadata$/, '')).length > 0
  if (hasQuery && !isFile) throw notFound(nothingHere)
  // A query would make `.metadata` URLs ambiguous, and no URL in a record has one.
  if (hasQuery) throw notFound('file URLs have no query')
  return { kind: 'file', path: `${host}/${segments.join('/')}`, filename }
}

const nothingHere = 'no page of the index and no file has this URL'

function notFound(message: string): RequestError {
  return new RequestError('NOT_FOUND', message, {
    next: 'ask for the pages and files of the index; nothing else of its hosts is served through this proxy',
  })
}
