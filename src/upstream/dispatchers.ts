/**
 * How connections are made: undici agents, with addresses checked in the connect of the socket,
 * and corporate proxies by the usual variables. Behind such a proxy the proxy resolves names, so
 * that only written addresses can be judged there (`host-rules.ts` does).
 */

import type { LookupFunction } from 'node:net'
import { buildConnector, EnvHttpProxyAgent, type Dispatcher } from 'undici'
import type { Environment } from '../base/environment.ts'
import { createGuardedLookup, findLiteralAddress, requireDialable } from './address-guard.ts'
import { readProxies } from './proxy-variables.ts'

export interface ConnectionOptions {
  readonly connectionsPerOrigin: number
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
  /** PEM; in place of the system's certificates. */
  readonly ca?: string | undefined
  readonly lookup?: LookupFunction | undefined
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up. */
  readonly environment: Environment
}

const maxHeaderBytes = 32 * 1024

export function createDispatcher(allowPrivate: boolean, options: ConnectionOptions): Dispatcher {
  const tls = options.ca === undefined ? {} : { ca: options.ca }
  return new EnvHttpProxyAgent({
    // Given explicitly, empty or not, so that undici does not read the process's own environment.
    ...readProxies(options.environment),
    proxyTunnel: true,
    requestTls: tls,
    proxyTls: tls,
    connect: createConnector(allowPrivate, options),
    connectTimeout: options.connectTimeoutMs,
    connections: options.connectionsPerOrigin,
    pipelining: 1,
    // HTTP/2 costs 1.5 times the processor time, and one connection stalls every file.
    allowH2: false,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    maxHeaderSize: maxHeaderBytes,
    keepAliveMaxTimeout: 60_000,
  })
}

function createConnector(
  allowPrivate: boolean,
  options: ConnectionOptions,
): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeoutMs,
    lookup: createGuardedLookup(allowPrivate, options.lookup),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  })
  return (target, callback) => {
    try {
      // A socket does not look up what is an address already.
      const literal = findLiteralAddress(target.hostname)
      if (literal !== undefined) requireDialable(literal, literal, allowPrivate)
    } catch (error) {
      callback(error instanceof Error ? error : new Error('refused', { cause: error }), null)
      return
    }
    connect(target, callback)
  }
}
