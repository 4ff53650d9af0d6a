/**
 * One address of a lock file: the proxy's own turned into the index's, and back. What is not certainly
 * one of the two stays as it is; what would not come back as it was stays too.
 */

import { DecodeError } from '../base/decode.ts'
import { parseFileUrl } from '../simple/file-url.ts'
import { parseFilename } from '../simple/filename.ts'
import { findProjectsOf } from '../simple/filename-projects.ts'
import { isNormalizedName } from '../simple/names.ts'

export interface LockIndex {
  /** With or without a slash at its end. */
  readonly url: string
  /** Where its files are: `host` or `host:port`. */
  readonly hosts: readonly string[]
  /** Whether the settings give it the name; the first that does has it. */
  owns(project: string): boolean
}

export interface LockMap {
  readonly to: 'origin' | 'proxy'
  readonly indexes: readonly LockIndex[]
  /** Where there is no project: the index that takes every name. */
  readonly usual: LockIndex
  /** Of the proxy, with its token if it has one, without a slash at its end. */
  readonly proxy: string
  /** Host names that are a proxy's, at any port: besides those of this machine. */
  readonly proxyHosts: ReadonlySet<string>
}

/** What the place of an address may hold. */
export type AddressKind = 'index' | 'file' | 'either'

export interface Address {
  readonly raw: string
  readonly kind: AddressKind
  /** Normalized, where the file says whose it is. */
  readonly project: string | undefined
}

/** The new text; `undefined` where it stays. */
export function rewriteAddress(address: Address, map: LockMap): string | undefined {
  if (map.to === 'origin') return toOrigin(address, map)
  const { hash } = splitHash(address.raw)
  const found = toProxy(address, map)
  if (found === undefined) return undefined
  const back = toOrigin({ ...address, raw: found }, map)
  return back === address.raw || `${back ?? ''}${hash}` === address.raw ? found : undefined
}

/** Whether it is a proxy's, by its form. */
export function isProxyAddress(raw: string, map: LockMap): boolean {
  return findProxyPath(splitHash(raw).url, map) !== undefined
}

function toOrigin({ raw, kind, project }: Address, map: LockMap): string | undefined {
  const { url, hash } = splitHash(raw)
  const rest = findProxyPath(url, map)
  if (rest === undefined) return undefined
  const [, slash] = /^simple(\/?)$/.exec(rest) ?? []
  if (slash !== undefined && kind !== 'file' && hash === '')
    return withoutSlash(findIndex(map, project).url) + slash
  const origin = kind === 'index' ? undefined : toFileOrigin(rest, map)
  return origin === undefined ? undefined : origin + hash
}

/** `files/idna/files.pythonhosted.org/...` */
function toFileOrigin(rest: string, map: LockMap): string | undefined {
  const [, owner = '', rawHost = '', path = ''] = /^files\/([^/]+)\/([^/]+)\/(.+)$/.exec(rest) ?? []
  const host = decodeHost(rawHost)
  if (host === undefined || !isNormalizedName(owner)) return undefined
  const index = findIndex(map, owner)
  // The proxy has no file of another host; without it, nobody would refuse such an address.
  if (!index.hosts.includes(host)) return undefined
  const origin = `${schemeOf(index, host)}//${host}/${path}`
  return isFileOf(origin, owner) ? origin : undefined
}

function toProxy({ raw, kind, project }: Address, map: LockMap): string | undefined {
  const { url, hash } = splitHash(raw)
  const index = findIndex(map, project)
  if (kind !== 'file' && hash === '' && withoutSlash(url) === withoutSlash(index.url))
    return `${map.proxy}/simple${url.endsWith('/') ? '/' : ''}`
  if (kind === 'index') return undefined
  const [, scheme = '', host = '', path = ''] =
    /^(https?:)\/\/([^/?#@]+)\/([^?#]+)$/.exec(url) ?? []
  const owner = project ?? findOnlyProject(path)
  if (owner === undefined) return undefined
  const own = findIndex(map, owner)
  if (!own.hosts.includes(host) || schemeOf(own, host) !== scheme || !isFileOf(url, owner))
    return undefined
  return `${map.proxy}/files/${owner}/${encodeHost(host)}/${path}${hash}`
}

/** What follows the proxy's address, or one like it: `simple/` or `files/...`. */
function findProxyPath(url: string, map: LockMap): string | undefined {
  const own = url.startsWith(`${map.proxy}/`) ? url.slice(map.proxy.length + 1) : ''
  if (/^(?:simple|files)(?:\/|$)/.test(own)) return own
  const [, authority = '', rest = ''] =
    /^https?:\/\/([^/?#@]+)\/(?:[A-Za-z0-9_-]{16,128}\/)?((?:simple|files)(?:\/[^?]*)?)$/.exec(
      url,
    ) ?? []
  // An index on this machine, such as a devpi, is none of ours.
  const isIndex = map.indexes.some(({ hosts }) => hosts.includes(authority))
  const name = authority.replace(/:\d+$/, '')
  const isProxy = map.proxyHosts.has(name) || isThisMachine(name)
  return isProxy && !isIndex ? rest : undefined
}

function isThisMachine(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

function findIndex({ indexes, usual }: LockMap, project: string | undefined): LockIndex {
  return (project === undefined ? undefined : indexes.find((one) => one.owns(project))) ?? usual
}

/** A file host that the settings only name is asked by https, as PyPI's is. */
function schemeOf({ url }: LockIndex, host: string): string {
  const index = URL.parse(url)
  return index?.host === host ? index.protocol : 'https:'
}

function isFileOf(url: string, project: string): boolean {
  try {
    return parseFilename(parseFileUrl(url).segments.at(-1) ?? '', project).belongs
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function findOnlyProject(path: string): string | undefined {
  try {
    const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
    const projects = findProjectsOf(name)
    return projects.length === 1 ? projects[0] : undefined
  } catch {
    // Percent signs that encode nothing: no address of ours.
    return undefined
  }
}

/** `#sha256=...`, as pip writes it. */
function splitHash(raw: string): { url: string; hash: string } {
  const at = raw.indexOf('#')
  return at < 0 ? { url: raw, hash: '' } : { url: raw.slice(0, at), hash: raw.slice(at) }
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}

/** As `renderLink` of the pages does: only the brackets of an IPv6 address need it. */
function encodeHost(host: string): string {
  return encodeURIComponent(host).replaceAll('%3A', ':')
}

function decodeHost(raw: string): string | undefined {
  const host = raw.replaceAll('%5B', '[').replaceAll('%5D', ']').replaceAll('%3A', ':')
  return /^[\w.:[\]-]+$/.test(host) ? host : undefined
}
