/**
 * Which authorities mean this proxy. Any web page can reach localhost, and DNS rebinding gives it a
 * name of its own: so only known names count, and addresses that are ours.
 */

import { bracketHost } from '../base/url-host.ts'

export type OwnHosts = (rawAuthority: string, localAddress: string | undefined) => boolean

/** Names of the operator may have a port, which must match then; otherwise any port will do. */
export function createOwnHosts(configured: readonly string[]): OwnHosts {
  const known = new Set(['localhost', '127.0.0.1', '[::1]'])
  for (const name of configured) known.add(name.toLowerCase())
  return (rawAuthority, localAddress) => {
    const authority = rawAuthority.toLowerCase()
    const name = findName(authority)
    if (name === undefined) return false
    return known.has(name) || known.has(authority) || name === toAuthority(localAddress)
  }
}

/** The host of `host[:port]`; `undefined` where it is neither, as with user information. */
function findName(authority: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(authority)?.[1]
}

function toAuthority(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  // An IPv4 client on a dual-stack socket.
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return bracketHost(plain)
}
