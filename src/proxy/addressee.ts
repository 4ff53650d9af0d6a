/**
 * Whom a request is for: this proxy, a host of an index, or another server. The hosts of indexes come
 * first, so that no setting and no name of our own lets what is asked of them pass unverified.
 */

import type { IncomingMessage } from 'node:http'
import { RequestError } from '../base/errors.ts'
import {
  type Authority,
  defaultPorts,
  formatAuthority,
  hostKey,
  parseAuthority,
  type Scheme,
} from './authority.ts'
import type { ForwardIndex, ForwardPort } from './forward-port.ts'
import type { OwnHosts } from './own-hosts.ts'

export interface IndexAddressee {
  readonly kind: 'index'
  readonly scheme: Scheme
  readonly authority: Authority
  /** At least one: several may share a host. */
  readonly indexes: readonly ForwardIndex[]
  /** With its query. */
  readonly rawPath: string
}

export interface OtherAddressee {
  readonly kind: 'other'
  readonly authority: Authority
  readonly rawPath: string
}

export type Addressee = { readonly kind: 'own' } | IndexAddressee | OtherAddressee

const own: Addressee = { kind: 'own' }

/** A target that is not well-formed counts as our own, where it is refused. */
export function findAddressee(
  { url = '', socket }: IncomingMessage,
  isOwnHost: OwnHosts,
  forward: ForwardPort | undefined,
): Addressee {
  // RFC 9112 3.2.2: the absolute form. HTTPS comes by CONNECT.
  const [, rawAuthority = '', rawPath = ''] = /^http:\/\/([^/?#]*)(\/.*)$/i.exec(url) ?? []
  const authority = parseAuthority(rawAuthority, defaultPorts.http)
  if (forward === undefined || authority === undefined) return own
  const indexes = findIndexesAt(forward, authority)
  if (indexes.length > 0) return { kind: 'index', scheme: 'http', authority, indexes, rawPath }
  const isOwnName = isOwnHost(rawAuthority, socket.localAddress)
  if (isOwnName && authority.port === socket.localPort) return own
  // What is neither ours by its port nor let pass is answered as ever.
  if (isOwnName && !forward.isAllowed(authority.host, authority.port)) return own
  return { kind: 'other', authority, rawPath }
}

export function findIndexesAt(
  { indexes }: ForwardPort,
  authority: Authority,
): readonly ForwardIndex[] {
  const key = hostKey(authority)
  return indexes.filter(({ hosts }) => hosts.includes(key))
}

/**
 * Of a request in a connection whose TLS was ended here: the host that the client connected to, and no
 * other. Its target becomes a whole URL, for the log above all. Throws RequestError BAD_REQUEST.
 */
export function requireInnerAddressee(
  request: IncomingMessage,
  authority: Authority,
  forward: ForwardPort,
): IndexAddressee {
  const rawPath = request.url ?? ''
  if (!rawPath.startsWith('/')) {
    throw new RequestError('BAD_REQUEST', 'the request target is not a path')
  }
  const scheme = 'https'
  request.url = `${scheme}://${formatAuthority(authority, scheme)}${rawPath}`
  return { kind: 'index', scheme, authority, indexes: findIndexesAt(forward, authority), rawPath }
}
