/** A host whose TLS is ended here: one name or one address, never a pattern. */

import type { Bytes } from '../base/bytes.ts'

export interface InterceptedHost {
  /** In lower case, without port and brackets. */
  readonly name: string
  /** Of a literal address: 4 or 16. */
  readonly address?: Bytes
}

const maxNameLength = 253

/** From `host`, `host:port`, `[::1]:8443` or `::1`. `undefined` for anything else. */
export function parseInterceptedHost(rawHost: string): InterceptedHost | undefined {
  const isBareIpv6 = /^[0-9a-f:.]*:[0-9a-f.]*:[0-9a-f:.]*$/i.test(rawHost)
  const host = isBareIpv6 ? `[${rawHost}]` : rawHost
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return undefined
  // Writes each address in one way only.
  const hostname = URL.parse(`https://${host}/`)?.hostname
  if (hostname === undefined || hostname.length > maxNameLength) return undefined
  if (hostname.startsWith('[')) {
    const name = hostname.slice(1, -1)
    return { name, address: encodeIpv6(name) }
  }
  const isIpv4 = /^\d+\.\d+\.\d+\.\d+$/.test(hostname)
  if (isIpv4) return { name: hostname, address: Uint8Array.from(hostname.split('.'), Number) }
  return isDomainName(hostname) ? { name: hostname } : undefined
}

/** An empty label would be a pattern in a name constraint: it stands for all names below. */
function isDomainName(name: string): boolean {
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
}

/** @param name as URL writes it: hexadecimal groups, at most one `::` */
function encodeIpv6(name: string): Bytes {
  const [head = '', tail] = name.split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]))
}
