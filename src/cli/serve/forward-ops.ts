/** The port of the forward mode, put together: indexes that are open, the operator's list, connections. */

import type { Environment } from '../../base/environment.ts'
import { ConfigError } from '../../base/errors.ts'
import { findHostKey } from '../../proxy/authority.ts'
import type { ForwardIndex, ForwardPort } from '../../proxy/forward-port.ts'
import type { ListenAddress } from '../../proxy/server.ts'
import { createAllowList } from '../../upstream/allow-list.ts'
import { readProxies } from '../../upstream/proxy-variables.ts'
import { openTunnel, type TunnelOptions, type TunnelUse } from '../../upstream/tunnel.ts'
import { isSameAuthority } from '../listen-address.ts'
import type { OpenIndex } from './open-index.ts'
import type { Settings } from '../settings.ts'

/** Of a request that is let pass: as large as the largest file of an index may be. */
const maxBodyBytes = 1024 ** 3

export interface ForwardParts {
  readonly indexes: readonly OpenIndex[]
  readonly settings: Settings
  readonly environment: Environment
  /** At which the proxy listens. */
  ownPorts(): readonly number[]
  /** Absent: TLS is not ended here. */
  readonly contextFor?: ForwardPort['contextFor']
}

export function createForwardPort(parts: ForwardParts): ForwardPort {
  const { indexes, settings, environment, contextFor } = parts
  const allowList = createAllowList(settings.forward.allow)
  const { connect: connectTimeoutMs, idle: idleTimeoutMs } = settings.limits
  const ownPorts = (): readonly number[] => parts.ownPorts()
  const options: TunnelOptions = { allowList, environment, connectTimeoutMs, ownPorts }
  const openFor =
    (use: TunnelUse): ForwardPort['openTunnel'] =>
    (host, port) =>
      openTunnel({ host, port }, use, options)
  const passage = { connect: openFor('http'), idleTimeoutMs, maxBodyBytes }
  return {
    indexes: indexes.map((index) => describeIndex(index, indexes)),
    servesRemoteClients: settings.forward['remote-clients'],
    isAllowed: (host, port) => allowList.isAllowed(host, port),
    openTunnel: openFor('https'),
    passThrough: async (request, response, url) => {
      const { passThrough } = await import('../../upstream/pass-through.ts')
      return passThrough(request, response, url, passage)
    },
    ...(contextFor !== undefined && { contextFor }),
  }
}

/** A project belongs to the first index that owns its name. */
function describeIndex(index: OpenIndex, indexes: readonly OpenIndex[]): ForwardIndex {
  const { name, isExplicit } = index
  return {
    name,
    url: index.url.endsWith('/') ? index.url : `${index.url}/`,
    hosts: listHostKeys(index),
    isExplicit,
    owns: (project) => indexes.find((one) => one.owns(project)) === index,
  }
}

/** Hosts without a port, for http and https alike: what certificates for them have to name. */
function listHostKeys(index: OpenIndex): readonly string[] {
  const keys = index.hosts.rules.names.flatMap((name) => findHostKey(name) ?? [])
  return [...new Set(keys)]
}

/** What the proxy fetches would come back to it, and be refused. Throws ConfigError. */
export function requireOtherProxy(
  listen: readonly ListenAddress[],
  environment: ForwardParts['environment'],
): void {
  const { httpProxy, httpsProxy } = readProxies(environment)
  for (const [name, proxy] of [
    ['HTTP_PROXY', httpProxy],
    ['HTTPS_PROXY', httpsProxy],
  ] as const) {
    const url = URL.parse(proxy)
    if (url === null || !listen.some((address) => isSameAuthority(address, url))) continue
    throw new ConfigError('CONFIG_INVALID', `${name} leads to this proxy itself.`, {
      found: `${url.protocol}//${url.host}`,
      next: `Start it without the variable (env -u ${name} -u ${name.toLowerCase()} tufgate serve), and set it for the installers alone.`,
    })
  }
}
