/** Which thing of this proxy's own a request target names. It does not know what exists. */

import { RequestError } from '../base/errors.ts'
import { parseRequestPath } from './request-path.ts'
import { routeStatus, type StatusRoute } from './status-route.ts'
import { isNormalizedName, isProjectName, normalizeName } from '../simple/names.ts'

export type Route =
  | { readonly kind: 'project-list' }
  | { readonly kind: 'project'; readonly project: string }
  /** JSON; without a version of all releases. */
  | { readonly kind: 'release'; readonly project: string; readonly version?: string }
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
  requireShortTarget(rawTarget, rules.maxTargetBytes)
  const { segments, hasQuery } = parseRequestPath(requireOriginForm(rawTarget, rules))
  switch (segments[0]) {
    case 'simple':
      // `?format=` is optional in PEP 691 and ignored here: `Accept` decides.
      return routePage(segments.slice(1))
    case 'pypi':
      return routeRelease(segments.slice(1)) ?? notFound(onlyReleases)
    case 'files':
      // A query would make `.metadata` URLs ambiguous, and no link of ours has one.
      return hasQuery ? notFound('file URLs have no query') : routeFile(segments)
    case '-':
      if (segments.length === 1) return { kind: 'redirect', location: '-/' }
      return routeStatus(segments) ?? notFound('there is no such status page')
    default:
      return notFound('nothing is served under this path')
  }
}

/** Throws RequestError BAD_REQUEST. */
export function requireShortTarget(rawTarget: string, maxBytes: number): void {
  if (rawTarget.length > maxBytes) {
    badRequest(`the request target is longer than ${maxBytes} bytes`)
  }
}

/** The path of an absolute-form target, where its authority is ours (RFC 9112 3.2.2). */
function requireOriginForm(rawTarget: string, { isOwnHost }: RouteRules): string {
  if (rawTarget.startsWith('/')) return rawTarget
  const match = /^http:\/\/([^/?#]*)(\/.*)$/i.exec(rawTarget)
  const [, authority = '', path = ''] = match ?? []
  if (match === null) badRequest('the request target is not a path')
  // Another authority is for the forward mode, which has checks of its own.
  if (!isOwnHost(authority)) badRequest('the request target names another host')
  return path
}

export type PageRoute = Extract<
  Route,
  { kind: 'project-list' | 'project' | 'release' | 'redirect' }
>

/** What the segments below the list of projects name. Throws RequestError NOT_FOUND. */
export function routePage([rawName, ...rest]: readonly string[]): PageRoute {
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

export const onlyReleases =
  'of the JSON of an index there is /pypi/<project>/json and /pypi/<project>/<version>/json'

/** What the segments below `pypi` name, if it is the JSON of a project or of one of its releases. */
export function routeRelease(segments: readonly string[]): PageRoute | undefined {
  const [rawName = '', version] = segments
  const hasVersion = segments.length === 3
  if (segments.at(-1) !== 'json' || (segments.length !== 2 && !hasVersion)) return undefined
  if (!isProjectName(rawName) || version === '') return undefined
  const project = normalizeName(rawName)
  if (project !== rawName) {
    const rest = segments.slice(1).map(encodeURIComponent).join('/')
    return { kind: 'redirect', location: `${hasVersion ? '../../' : '../'}${project}/${rest}` }
  }
  return { kind: 'release', project, ...(hasVersion && version !== undefined && { version }) }
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
