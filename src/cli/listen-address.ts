/** Where the proxy listens: `host:port`, checked against what it would fetch from. */

import { ConfigError } from '../base/errors.ts'
import { bracketHost, portOf, unbracketHost } from '../base/url-host.ts'
import type { ListenAddress } from '../proxy/server.ts'
import { findAddressKind, findLiteralAddress, isLocalName } from '../upstream/address-guard.ts'
import type { IndexSettings } from './settings.ts'

/** `127.0.0.1:8642` or `[::1]:8642`. Throws ConfigError. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new ConfigError('CONFIG_INVALID', `"${text}" is not an address to listen on.`, {
    expected: 'host:port, such as 127.0.0.1:8642 or [::1]:8642',
  })
}

/** `http://127.0.0.1:8642` */
export function formatOrigin({ host, port }: ListenAddress): string {
  return `http://${bracketHost(host)}:${port}`
}

export function isLoopback({ host }: ListenAddress): boolean {
  if (isLocalName(host)) return true
  const address = findLiteralAddress(bracketHost(host))
  return address !== undefined && findAddressKind(address) === 'loopback'
}

/** For a proxy of one command or one job. Throws ConfigError. */
export function requireLoopback(listen: readonly string[]): void {
  const other = listen.find((address) => !isLoopback(parseListenAddress(address)))
  if (other === undefined) return
  throw new ConfigError('CONFIG_INVALID', `${other} can be reached from other machines.`, {
    next: 'This proxy listens on this machine alone: leave --listen away. For others there is tufgate serve.',
  })
}

/** A proxy that fetched from itself would wait for itself. Throws ConfigError. */
export function requireOtherUpstream(listen: readonly ListenAddress[], index: IndexSettings): void {
  for (const location of [index.url, ...(index.mirror ?? [])]) {
    const url = /^https?:/.test(location) ? URL.parse(location) : null
    const own = url === null ? undefined : listen.find((address) => isSameAuthority(address, url))
    if (own !== undefined) {
      throw new ConfigError(
        'CONFIG_INVALID',
        `Index ${index.name} would be fetched from this proxy itself: ${location}.`,
        {
          next: 'Give the address of the real index and mirror; pip is what talks to this proxy.',
        },
      )
    }
  }
}

export function isSameAuthority(address: ListenAddress, url: URL): boolean {
  const port = portOf(url)
  if (port !== address.port) return false
  const host = unbracketHost(url.hostname)
  return host === address.host || (isLoopback({ host, port }) && isLoopback(address))
}
