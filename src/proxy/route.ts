/**
 * Which thing a request target names. Strict: each path segment is decoded exactly once, and a target
 * that two programs could read in two ways is refused. It does not know what exists.
 */

import { RequestError } from '../base/errors.ts'
import { routeStatus, type StatusRoute } from './status-route.ts'
import { isNormalizedName, isProjectName, normalizeName } from '../simple/names.ts'

export type Route =
  | { readonly kind: 'project-list' }
  | { readonly kind: 'project'; readonly project: string }
  | { readonly kind: 'redirect'; readonly location: string }
  /** `path` is a key of `ProjectRecord.byPath`. */
  | { readonly kind: 'file'; readonly project: string; readonly path: string }
  | StatusRoute

export interface RouteRules {
  /** Judges the authority of an absolute-form target. */
  readonly isOwnHost: (authority: string) => boolean
  readonly maxTargetBytes: number
}

/**
 * Throws RequestError BAD_REQUEST for a target that is not well-formed, NOT_FOUND for one that names
 * nothing here.
 */
export function parseRoute(rawTarget: string, rules: RouteRules): Route {
  if (rawTarget.length > rules.maxTargetBytes) {
    badRequest(`the request target is longer than ${rules.maxTargetBytes} bytes`)
  }
  const { rawPath, hasQuery } = splitTarget(requireOriginForm(rawTarget, rules))
  const segments = rawPath.slice(1).split('/').map(parseSegment)
  switch (segments[0]) {
    case 'simple':
      // `?format=` is optional in PEP 691 and ignored here: `Accept` decides.
      return routePage(segments)
    case 'files':
      // A query would make `.metadata` URLs ambiguous, and no link of ours has one.
      return hasQuery ? notFound('file URLs have no query') : routeFile(segments)
    case '-':
      return routeStatus(segments) ?? notFound('there is no such status page')
    default:
      return notFound('nothing is served under this path')
  }
}

/** The path of an absolute-form target, where its authority is ours (RFC 9112 3.2.2). */
function requireOriginForm(rawTarget: string, { isOwnHost }: RouteRules): string {
  if (rawTarget.startsWith('/')) return rawTarget
  const match = /^http:\/\/([^/?#]*)(\/.*)$/i.exec(rawTarget)
  const [, authority = '', path = ''] = match ?? []
  if (match === null) badRequest('the request target is not a path')
  // With another authority this would be a forward proxy, and a way around the checks of `Host`.
  if (!isOwnHost(authority)) badRequest('the request target names another host')
  return path
}

function splitTarget(target: string): { rawPath: string; hasQuery: boolean } {
  // RFC 3986: anything else must come percent-encoded; `#` and `\` are read differently by others.
  if (!/^[!$-;=?-[\]_a-z~]*$/.test(target)) {
    badRequest('the request target has a character that must be percent-encoded')
  }
  const query = target.indexOf('?')
  return query < 0
    ? { rawPath: target, hasQuery: false }
    : { rawPath: target.slice(0, query), hasQuery: true }
}

/** Decoded once: what still looks encoded afterwards is a name like any other, and matches none. */
function parseSegment(raw: string): string {
  const segment = raw.includes('%') ? decodeSegment(raw) : raw
  if (segment === '.' || segment === '..') badRequest('the request target has a dot segment')
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
    badRequest('the request target has an encoded slash, backslash or control character')
  }
  return segment
}

function routePage([, rawName, ...rest]: readonly string[]): Route {
  if (rawName === undefined) return { kind: 'redirect', location: 'simple/' }
  const hasSlash = rest.length === 1 && rest[0] === ''
  if (rest.length > 0 && !hasSlash) return notFound('nothing is served below a project page')
  if (rawName === '' && !hasSlash) return { kind: 'project-list' }
  if (!isProjectName(rawName)) return notFound('this is not the name of a project')
  const project = normalizeName(rawName)
  // Relative, so that it holds behind any prefix.
  if (!hasSlash) return { kind: 'redirect', location: `${project}/` }
  return project === rawName
    ? { kind: 'project', project }
    : { kind: 'redirect', location: `../${project}/` }
}

/** `/files/<project>/<host>/<path>` */
function routeFile([, project = '', host = '', ...path]: readonly string[]): Route {
  if (!isNormalizedName(project)) return notFound('the project of a file URL is not normalized')
  if (host === '' || path.length === 0 || path.includes('')) {
    return notFound('a file URL has the form /files/<project>/<host>/<path>')
  }
  return { kind: 'file', project, path: `${host}/${path.join('/')}` }
}

function badRequest(message: string): never {
  throw new RequestError('BAD_REQUEST', message)
}

function notFound(message: string): never {
  throw new RequestError('NOT_FOUND', message, {
    next: 'use http://<this proxy>/simple/ as the index URL',
  })
}
