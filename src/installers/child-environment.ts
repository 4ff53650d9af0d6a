/**
 * The environment of one command whose installers are to ask the proxy and nobody else. The parent's is
 * not changed, and what the proxy itself fetches goes by the parent's.
 */

import type { Environment } from '../base/environment.ts'
import { isPastVariable, type LeftOut } from './past-proxy.ts'
import { findProxyFor } from './proxy-variables.ts'
import { buildTrustVariables } from './trust-variables.ts'

export interface ProxyAccess {
  /** `http://127.0.0.1:PORT/TOKEN/simple/` */
  readonly indexUrl: string
  /** Files that take the place of the user's. */
  readonly pipConf: string
  readonly uvToml: string
  readonly pdmToml: string
}

export interface ChildEnvironment {
  readonly environment: Record<string, string>
  readonly leftOut: readonly LeftOut[]
}

const ownHosts = ['localhost', '127.0.0.1', '::1']

export function buildChildEnvironment(parent: Environment, access: ProxyAccess): ChildEnvironment {
  const environment: Record<string, string> = {}
  const leftOut: LeftOut[] = []
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined) continue
    if (!isPastVariable(name, value)) environment[name] = value
    // Settings files are told of by what stands in them.
    else if (!isFile(name) && value !== '') leftOut.push({ name, place: 'the environment' })
  }
  return {
    environment: { ...environment, ...buildIndexVariables(access), ...buildNoProxy(parent) },
    leftOut,
  }
}

export function buildIndexVariables({
  indexUrl,
  pipConf,
  uvToml,
  pdmToml,
}: ProxyAccess): Record<string, string> {
  return {
    PIP_INDEX_URL: indexUrl,
    PIP_CONFIG_FILE: pipConf,
    UV_DEFAULT_INDEX: indexUrl,
    // For uv before 0.4.23.
    UV_INDEX_URL: indexUrl,
    UV_CONFIG_FILE: uvToml,
    PDM_PYPI_URL: indexUrl,
    PDM_CONFIG_FILE: pdmToml,
    // It would ask pypi.org.
    PDM_CHECK_UPDATE: 'false',
    // So would virtualenv, from a process that it leaves behind.
    VIRTUALENV_NO_PERIODIC_UPDATE: 'true',
    PIPENV_PYPI_MIRROR: indexUrl,
    // Read by poetry-plugin-pypi-mirror: poetry itself has no variable for it.
    POETRY_PYPI_MIRROR_URL: indexUrl,
  }
}

/** A proxy of the network is for others: requests to this one never reach it. */
function buildNoProxy(parent: Environment): Record<string, string> {
  const given = [parent['no_proxy'], parent['NO_PROXY']]
    .flatMap((list) => (list ?? '').split(','))
    .map((host) => host.trim())
    .filter((host) => host !== '')
  const hosts = [...new Set(given.includes('*') ? ['*'] : [...given, ...ownHosts])].join(',')
  return { no_proxy: hosts, NO_PROXY: hosts }
}

export interface ForwardAccess {
  /** `http://tufgate:TOKEN@127.0.0.1:PORT` */
  readonly proxyUrl: string
  /** The certificate of its authority, and all roots that installers knew before. */
  readonly bundlePath: string
  /** Of the indexes: `host` or `host:port`. */
  readonly indexHosts: readonly string[]
}

export const proxyVariables: readonly string[] = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap(
  (name) => [name, name.toUpperCase()],
)

/**
 * Whatever the command asks by HTTP comes to the proxy, but what is on this machine; that as well where an
 * index is: no installer is sure to mind a port in NO_PROXY, and each spelling of this machine leads there.
 */
export function addForwardVariables(
  { environment, leftOut }: ChildEnvironment,
  { proxyUrl, bundlePath, indexHosts }: ForwardAccess,
): ChildEnvironment {
  const { NO_PROXY = '' } = environment
  const isLed = NO_PROXY.split(',').some((host) => !ownHosts.includes(host))
  const hosts = indexHosts.some(isOwnHost) ? '' : ownHosts.join(',')
  return {
    environment: {
      ...environment,
      ...Object.fromEntries(proxyVariables.map((name) => [name, proxyUrl])),
      ...buildTrustVariables(bundlePath),
      no_proxy: hosts,
      NO_PROXY: hosts,
    },
    leftOut: isLed ? [...leftOut, { name: 'NO_PROXY', place: 'the environment' }] : leftOut,
  }
}

function isOwnHost(host: string): boolean {
  const exempting = { http_proxy: 'http://proxy.invalid', no_proxy: ownHosts.join(',') }
  return findProxyFor(new URL(`http://${host}/`), exempting) === undefined
}

function isFile(name: string): boolean {
  return name.endsWith('_CONFIG_FILE') || name === 'UV_NO_CONFIG'
}
