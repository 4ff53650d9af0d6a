/**
 * HTTP_PROXY, ALL_PROXY and NO_PROXY as installers mind them (Python's requests, and uv): which proxy
 * a request to an address would go through. Either case of a name counts, the lower one first.
 */

import type { Environment } from '../base/environment.ts'
import { portOf, unbracketHost } from '../base/url-host.ts'

export interface ProxyInForce {
  readonly variable: string
  readonly value: string
}

/** `undefined`: directly. */
export function findProxyFor(url: URL, environment: Environment): ProxyInForce | undefined {
  if (isExempt(url, findVariable(environment, 'no_proxy')?.value ?? '')) return undefined
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  return findVariable(environment, scheme) ?? findVariable(environment, 'all_proxy')
}

function findVariable(environment: Environment, name: string): ProxyInForce | undefined {
  for (const variable of [name, name.toUpperCase()]) {
    const value = environment[variable]
    if (value !== undefined && value.trim() !== '') return { variable, value: value.trim() }
  }
  return undefined
}

/** No host name is longer; with a port. */
const maxEntryLength = 300

/** Names match themselves and what lies below them; networks are for IPv4 addresses alone. */
function isExempt(url: URL, noProxy: string): boolean {
  const host = unbracketHost(url.hostname).toLowerCase()
  const port = portOf(url)
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '' && entry.length <= maxEntryLength)
    .some((entry) => matches(entry, host, port))
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  const network = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(entry)
  if (network !== null) return isInNetwork(host, network[1] ?? '', Number(network[2]))
  const [, bracketed, plain, entryPort] =
    /^(?:\[(.*)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? []
  if (entryPort !== undefined && Number(entryPort) !== port) return false
  const name = (bracketed ?? plain ?? '').replace(/^\*?\./, '')
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const address = readIpv4(host)
  const base = readIpv4(network)
  if (address === undefined || base === undefined || bits > 32) return false
  const size = 2 ** (32 - bits)
  return Math.floor(address / size) === Math.floor(base / size)
}

function readIpv4(text: string): number | undefined {
  const parts = text.split('.').map(Number)
  const isAddress = parts.length === 4 && parts.every((part) => part >= 0 && part <= 255)
  return isAddress ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined
}
