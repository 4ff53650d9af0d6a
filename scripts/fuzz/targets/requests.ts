/** What a client asks for: paths, authorities, routes, tokens, and the headers that choose an answer. */

import type { IncomingMessage } from 'node:http'
import { createAccessPath } from '../../../src/proxy/access-path.ts'
import { findAddressee } from '../../../src/proxy/addressee.ts'
import { findHostKey, formatAuthority, parseAuthority } from '../../../src/proxy/authority.ts'
import { isNotModified, isRangeWanted } from '../../../src/proxy/conditional.ts'
import { routeConnect } from '../../../src/proxy/connect-route.ts'
import { parseForwardRoute } from '../../../src/proxy/forward-route.ts'
import { createOwnHosts } from '../../../src/proxy/own-hosts.ts'
import { parseRange } from '../../../src/proxy/range.ts'
import { parseRequestPath } from '../../../src/proxy/request-path.ts'
import { parseRoute, type Route } from '../../../src/proxy/route.ts'
import { isNormalizedName } from '../../../src/simple/names.ts'
import { negotiate, negotiateEncoding } from '../../../src/simple/negotiate.ts'
import { RequestError } from '../../../src/base/errors.ts'
import { MemoryForward } from '../../../test/support/memory-forward.ts'
import { isCodedError, readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const isOwnHost = createOwnHosts(['tufgate.internal'])
const isRefused = (error: unknown): boolean => error instanceof RequestError

const pathSeeds = [
  '/simple/foo/',
  '/simple/Foo_Bar',
  '/files/foo/files.pythonhosted.org/packages/a%20b/foo-1.0.tar.gz.metadata',
  'http://localhost:3141/simple/foo/?format=json',
  '/pypi/foo/1.0/json',
  '/-/refusals/abc',
]
const pathWords = [
  '..',
  '.',
  '/',
  '//',
  '%2e',
  '%2f',
  '%5c',
  '%252e',
  '%',
  '%c0%ae',
  '\\',
  ';',
  '?',
]

/** As a browser resolves the path: what it takes for another one, we must not have taken for this. */
function requireSamePath(rawPath: string, segments: readonly string[]): void {
  const url = URL.parse(`http://proxy.test${rawPath}`)
  requireRule(url !== null, 'no URL to a browser')
  const theirs = url.pathname.slice(1).split('/').map(decodeURIComponent)
  requireSame(segments, theirs, 'another path')
}

const requestPath: FuzzTarget = {
  name: 'request-path',
  rule: 'the segments of a path are those that a browser sees, and none leads elsewhere',
  seeds: () => pathSeeds,
  words: pathWords,
  isRefusal: isRefused,
  run: (input) => {
    const raw = Buffer.from(input).toString('latin1')
    if (!raw.startsWith('/')) return 'no path'
    const { segments } = parseRequestPath(raw)
    requireRule(!segments.some((one) => one === '..' || one.includes('/')), 'a dot segment')
    requireSamePath(raw, segments)
    return 'read'
  },
}

const route: FuzzTarget = {
  name: 'route',
  rule: 'a route names what a browser would have asked for',
  seeds: () => pathSeeds,
  words: [...pathWords, 'http://localhost', 'http://evil.test', '@', '/simple/', '/files/'],
  isRefusal: isRefused,
  run: (input) => {
    const raw = Buffer.from(input).toString('latin1')
    const found = parseRoute(raw, {
      isOwnHost: (one) => isOwnHost(one, undefined),
      maxTargetBytes: 8000,
    })
    requireSound(found, raw)
    return found.kind
  },
}

function requireSound(found: Route, raw: string): void {
  const path = raw.startsWith('/') ? raw : raw.replace(/^http:\/\/[^/]*/i, '')
  const url = URL.parse(`http://proxy.test${path}`)
  requireRule(url !== null, 'no URL to a browser')
  if (found.kind === 'redirect') {
    const target = new URL(found.location, url)
    requireRule(target.host === 'proxy.test', 'a redirect to another host')
    requireRule(!/[\r\n]/.test(found.location), 'a redirect of two lines')
  }
  if (found.kind === 'file') {
    const theirs = url.pathname.split('/').slice(1).map(decodeURIComponent)
    requireSame(['files', found.project, ...found.path.split('/')], theirs, 'another file')
  }
  if ('project' in found) requireRule(isNormalizedName(found.project), 'an odd project')
}

const authority: FuzzTarget = {
  name: 'authority',
  rule: 'a host that is read is the host that a browser would ask',
  seeds: () => ['pypi.org:443', '[::1]:80', 'files.test', 'a_b.test:8443', '127.0.0.1:1'],
  words: [':', '@', '.', '%', '[', ']', '::', '0x7f', '127.1', ':0', ':65536', '\u{ff0e}', 'xn--'],
  run: (input) => {
    const raw = readText(input)
    const hostKey = findHostKey(raw)
    requireRule(hostKey === undefined || !/[@/\\?#]/.test(hostKey), 'an odd key')
    isOwnHost(raw, '::ffff:127.0.0.1')
    const found = parseAuthority(raw, 80)
    if (found === undefined) return 'none'
    const url = URL.parse(`http://${raw}/`)
    requireSame(url?.host, formatAuthority(found, 'http'), 'another host')
    requireSame(parseAuthority(formatAuthority(found)), found, 'another authority')
    return 'read'
  },
}

/** As much of a request as decisions on its head look at. */
function buildRequest(url: string, host: string, method = 'GET'): IncomingMessage {
  const request = {
    url,
    method,
    httpVersion: '1.1',
    headers: { host },
    rawHeaders: ['Host', host],
    socket: { localAddress: '127.0.0.1', localPort: 3141 },
  }
  return request as unknown as IncomingMessage
}

const forward: FuzzTarget = {
  name: 'forward-route',
  rule: 'a URL on a host of an index is never taken for one of another server',
  seeds: () => [
    'http://index.test/simple/foo/',
    'http://files.test/packages/a/foo-1.0.tar.gz.metadata',
    'http://acme.test:8443/root/dev/+simple/acme-x/',
    'http://index.test/pypi/foo/json',
    'index.test:443',
  ],
  words: [...pathWords, 'http://', 'index.test', 'INDEX.test', ':80', ':443', '@', '.', '#', '%2B'],
  isRefusal: isRefused,
  run: (input) => {
    const raw = Buffer.from(input).toString('latin1')
    const port = new MemoryForward()
    const addressee = findAddressee(buildRequest(raw, 'x'), isOwnHost, port)
    const isOnIndex = /^http:\/\/(?:index|files)\.test(?::80|:443)?\//i.test(raw)
    requireRule(!isOnIndex || addressee.kind !== 'other', 'an index as another server')
    if (addressee.kind !== 'index') return routeTunnel(raw, port)
    const found = parseForwardRoute(addressee)
    if (found.kind === 'file') requireRule(!found.path.split('/').includes('..'), 'a dot segment')
    return found.kind
  },
}

function routeTunnel(raw: string, port: MemoryForward): string {
  const found = routeConnect(buildRequest(raw, raw, 'CONNECT'), isOwnHost, port)
  return found.kind
}

const token = '0123456789abcdef0123456789abcdef'

const access: FuzzTarget = {
  name: 'access-path',
  rule: 'without the token nothing is admitted, and afterwards no path has it',
  seeds: () => [
    `/${token}/simple/foo/`,
    `http://localhost/${token}/simple/`,
    '/simple/',
    `/${token}`,
  ],
  words: [token, `/${token}`, '%30', '//', 'http://', '?', '#', '@'],
  run: (input) => {
    const raw = Buffer.from(input).toString('latin1')
    const path = createAccessPath(token)
    const request = buildRequest(raw, 'localhost')
    const isAdmitted = path.strip(request)
    if (isAdmitted) requireRule(raw.includes(`/${token}`), 'admitted without a token')
    const { request: shown } = path.hide({ kind: 'page', request: raw })
    requireRule(!shown?.includes(token), 'the token is in the log')
    return isAdmitted ? 'admitted' : 'refused'
  },
}

const headers: FuzzTarget = {
  name: 'request-headers',
  rule: 'Accept, Range and conditions choose among what there is',
  seeds: () => [
    'application/vnd.pypi.simple.v1+json;q=0.9, text/html;q=0.1, */*',
    'bytes=0-99',
    'bytes=-5',
    '"abc", W/"def"',
    'gzip;q=1.0, identity; q=0.5, *;q=0',
  ],
  words: [
    ';q=',
    ',',
    '*/*',
    'application/json',
    'bytes=',
    '-',
    '99999999999999999999',
    '"',
    'W/"',
    '*',
  ],
  run: (input) => {
    const raw = Buffer.from(input).toString('latin1')
    const found = parseRange(raw, 1000)
    if (typeof found === 'object') {
      const { start, end } = found
      requireRule(start >= 0 && start <= end && end < 1000, 'a range outside of the file')
    }
    isNotModified(raw, '"abc"')
    isRangeWanted(raw, '"abc"')
    return `${readFormat(raw)} ${negotiateEncoding(raw)}`
  },
}

function readFormat(raw: string): string {
  try {
    return negotiate(raw)
  } catch (error) {
    if (isCodedError(error)) return 'refused'
    throw error
  }
}

export const requestTargets: readonly FuzzTarget[] = [
  requestPath,
  route,
  authority,
  forward,
  access,
  headers,
]
