/**
 * Connections for what is let pass unverified: only to public addresses, or to a private one that the
 * operator wrote down as such, and never to this program itself by whatever name. Through the corporate
 * proxy where there is one; that resolves names itself, so that only written addresses are judged then.
 */

import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { toPrintable } from '../base/bytes.ts'
import type { Environment } from '../base/environment.ts'
import { describeError, isTufgateError, UpstreamError } from '../base/errors.ts'
import { portOf } from '../base/url-host.ts'
import {
  AddressRefusedError,
  createGuardedLookup,
  findAddressKind,
  findLiteralAddress,
  isLocalName,
  requireDialable,
} from './address-guard.ts'
import type { AllowList } from './allow-list.ts'
import { findProxy } from './proxy-variables.ts'

export interface TunnelOptions {
  readonly allowList: AllowList
  readonly environment: Environment
  readonly connectTimeoutMs: number
  /** At which this program itself listens. */
  ownPorts(): readonly number[]
  /** In place of the system's resolver; its answers are checked all the same. */
  readonly lookup?: LookupFunction
}

/** `host` in lower case, IPv6 in brackets. */
export interface TunnelTarget {
  readonly host: string
  readonly port: number
}

/** Which variable of the environment names the corporate proxy for it. */
export type TunnelUse = 'http' | 'https'

/** Half-open: each direction ends by itself. Throws UpstreamError. */
export async function openTunnel(
  target: TunnelTarget,
  use: TunnelUse,
  options: TunnelOptions,
): Promise<Socket> {
  try {
    requireTarget(target, options)
    const proxy = findProxy(options.environment, use, target)
    return await (proxy === undefined
      ? dial(target, options)
      : dialThrough(proxy, target, options.connectTimeoutMs))
  } catch (error) {
    throw describeDialling(error, target)
  }
}

/** What can be told of the host as it is written. Throws AddressRefusedError. */
function requireTarget({ host, port }: TunnelTarget, options: TunnelOptions): void {
  const address = findLiteralAddress(host) ?? (isLocalName(host) ? '127.0.0.1' : undefined)
  if (address === undefined) return
  requireDialable(host, address, options.allowList.isListedAddress(host, port))
  requireOther(host, address, port, options)
}

function requireOther(host: string, address: string, port: number, options: TunnelOptions): void {
  if (options.ownPorts().includes(port) && isOwnAddress(address)) throw new OwnAddressError(host)
}

class OwnAddressError extends Error {
  constructor(host: string) {
    super(`${host} is this proxy itself`)
    this.name = 'OwnAddressError'
  }
}

/** Mapped addresses count as the ones that they carry. */
function isOwnAddress(address: string): boolean {
  if (findAddressKind(address) === 'loopback') return true
  const plain = address.toLowerCase().replace(/^::ffff:(?=[\d.]+$)/, '')
  return Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => entry.address.toLowerCase() === plain),
  )
}

async function dial({ host, port }: TunnelTarget, options: TunnelOptions): Promise<Socket> {
  const isListed = options.allowList.isListedAddress(host, port)
  const guarded = createGuardedLookup(isListed, options.lookup)
  const lookup: LookupFunction = (name, how, callback) => {
    guarded(name, how, (error, found, family) => {
      const fault = error ?? findOwn(found, { host, port }, options)
      if (fault === undefined) callback(null, found, family)
      else callback(fault, '')
    })
  }
  const bare = findLiteralAddress(host) ?? host
  const socket = connect({ host: bare, port, lookup, allowHalfOpen: true, noDelay: true })
  return waitForConnection(socket, options.connectTimeoutMs)
}

function findOwn(
  found: Parameters<Parameters<LookupFunction>[2]>[1],
  { host, port }: TunnelTarget,
  options: TunnelOptions,
): Error | undefined {
  const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
  try {
    for (const address of addresses) requireOther(host, address, port, options)
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error('lookup failed', { cause: error })
  }
}

function waitForConnection(socket: Socket, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new ConnectTimeoutError()), timeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
    socket.once('close', () => clearTimeout(timer))
  })
}

class ConnectTimeoutError extends Error {
  constructor() {
    super('no connection came about in time')
    this.name = 'ConnectTimeoutError'
  }
}

/** RFC 9110 9.3.6. */
async function dialThrough(
  proxy: URL,
  { host, port }: TunnelTarget,
  timeoutMs: number,
): Promise<Socket> {
  const isTls = proxy.protocol === 'https:'
  const { request } = await (isTls ? import('node:https') : import('node:http'))
  const authority = `${host}:${port}`
  const connecting = request({
    host: findLiteralAddress(proxy.hostname) ?? proxy.hostname,
    port: portOf(proxy),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...renderCredentials(proxy) },
    agent: false,
    timeout: timeoutMs,
  })
  return new Promise((resolve, reject) => {
    connecting.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        socket.setTimeout(0)
        if (head.length > 0) socket.unshift(head)
        return resolve(socket)
      }
      socket.destroy()
      reject(new Error(`the corporate proxy answered ${statusCode}`))
    })
    connecting.once('timeout', () => connecting.destroy(new ConnectTimeoutError()))
    connecting.once('error', reject)
    connecting.end()
  })
}

function renderCredentials({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }
}

function describeDialling(error: unknown, { host, port }: TunnelTarget): Error {
  if (isTufgateError(error)) return error
  const place = `${host}:${port}`
  if (error instanceof AddressRefusedError) return refuseAddress(error, place, port)
  if (error instanceof OwnAddressError) {
    return new UpstreamError('HOST_REFUSED', `refused to connect to ${place}: ${error.message}`, {
      found: place,
      next: 'ask this proxy for its own pages without the detour',
      cause: error,
    })
  }
  const reason = toPrintable(describeError(error), 160)
  const code = error instanceof ConnectTimeoutError ? 'TIMED_OUT' : 'UNREACHABLE'
  return new UpstreamError(code, `could not connect to ${place} (${reason})`, {
    found: 'no answer',
    next: 'look at the network, the name of the host and the proxy variables; then try again',
    cause: error,
  })
}

function refuseAddress(error: AddressRefusedError, place: string, port: number): UpstreamError {
  const { address, kind } = error
  const written = isIP(address) === 6 ? `[${address}]` : address
  const entry = port === 80 || port === 443 ? written : `${written}:${port}`
  const next =
    kind === 'reserved'
      ? 'nothing can be reached at such an address'
      : `where clients are meant to reach it, list the address itself: allow = ["${entry}"] in [forward] of the settings`
  return new UpstreamError('HOST_REFUSED', `refused to connect to ${place}: ${error.message}`, {
    found: address,
    next,
    cause: error,
  })
}
