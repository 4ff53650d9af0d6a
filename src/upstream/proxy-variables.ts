/** The corporate proxy of the environment: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as undici does. */

import type { Environment } from '../base/environment.ts'
import { ConfigError } from '../base/errors.ts'
import { unbracketHost } from '../base/url-host.ts'

export interface ProxySettings {
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
}

/** Empty where there is none. Throws ConfigError. */
export function readProxies(environment: Environment): ProxySettings {
  return {
    httpProxy: readProxy(environment, 'http_proxy'),
    httpsProxy: readProxy(environment, 'https_proxy'),
    noProxy: `${read(environment, 'no_proxy')},localhost,127.0.0.1,::1`,
  }
}

/** `undefined`: it is dialled directly. `host` as in a URL. Throws ConfigError. */
export function findProxy(
  environment: Environment,
  scheme: 'http' | 'https',
  { host, port }: { readonly host: string; readonly port: number },
): URL | undefined {
  const { httpProxy, httpsProxy, noProxy } = readProxies(environment)
  const proxy = scheme === 'https' ? httpsProxy || httpProxy : httpProxy
  if (proxy === '') return undefined
  const bare = unbracketHost(host)
  const isExempt = noProxy.split(/[,\s]+/).some((entry) => isNamed(entry, bare, port))
  return isExempt ? undefined : new URL(proxy)
}

function isNamed(entry: string, host: string, port: number): boolean {
  const [, name = entry, ofPort] = /^([^:]+):(\d+)$/.exec(entry) ?? []
  if (name === '' || (ofPort !== undefined && Number(ofPort) !== port)) return false
  const lower = name.toLowerCase()
  return /^[.*]/.test(lower) ? host.endsWith(lower.replace(/^\*/, '')) : host === lower
}

function readProxy(environment: Environment, name: string): string {
  const raw = read(environment, name)
  if (raw === '') return ''
  // `proxy:3128` is common; without a scheme it would parse as a URL of scheme `proxy`.
  const url = raw.includes('://') ? raw : `http://${raw}`
  // Not `canParse`, which accepts long hosts that no constructor takes.
  if (URL.parse(url) !== null) return url
  throw new ConfigError(
    'CONFIG_INVALID',
    `the variable ${name.toUpperCase()} is not the URL of a proxy`,
    {
      expected: 'http://host:port',
      next: `Set ${name.toUpperCase()} to a URL, or unset it.`,
    },
  )
}

function read(environment: Environment, name: string): string {
  return environment[name] ?? environment[name.toUpperCase()] ?? ''
}
