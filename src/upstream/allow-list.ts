/** Which servers the operator lets clients reach besides the indexes. Empty: none. */

import { findLiteralAddress, isLocalName } from './address-guard.ts'

export interface AllowList {
  /** `host` in lower case, IPv6 in brackets. */
  isAllowed(host: string, port: number): boolean
  /** Whether it stands there as an address (or as `localhost`), so that a private one is meant. */
  isListedAddress(host: string, port: number): boolean
}

interface Entry {
  readonly host: string
  /** Absent: 80 and 443. */
  readonly port: number | undefined
  /** `*.domain`: what ends in `host`. */
  readonly isDomain: boolean
}

/** `host`, `host:port`, `*.domain` or `*.domain:port`, in lower case. */
export function createAllowList(patterns: readonly string[]): AllowList {
  const entries = patterns.map(parseEntry)
  const isListed = (host: string, port: number, isMatch: (entry: Entry) => boolean): boolean =>
    entries.some((entry) => isPort(entry, port) && isMatch(entry) && host !== '')
  return {
    isAllowed: (host, port) => isListed(host, port, (entry) => isHost(entry, host)),
    isListedAddress: (host, port) =>
      (findLiteralAddress(host) !== undefined || isLocalName(host)) &&
      isListed(host, port, (entry) => !entry.isDomain && entry.host === host),
  }
}

function parseEntry(pattern: string): Entry {
  const [, host = pattern, digits] = /^(.+?)(?::(\d+))?$/.exec(pattern) ?? []
  const isDomain = host.startsWith('*.')
  const port = digits === undefined ? undefined : Number(digits)
  return { host: isDomain ? host.slice(1) : host, port, isDomain }
}

function isPort(entry: Entry, port: number): boolean {
  return entry.port === undefined ? port === 80 || port === 443 : entry.port === port
}

function isHost({ host: listed, isDomain }: Entry, host: string): boolean {
  if (!isDomain) return host === listed
  // `*.0.0.1` is no domain.
  return host.endsWith(listed) && findLiteralAddress(host) === undefined
}
