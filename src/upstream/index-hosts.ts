/** Which hosts the files of an index may come from, as its settings and its own address say. */

import { lookup } from 'node:dns/promises'
import { findAddressKind, findLiteralAddress, isLocalName } from './address-guard.ts'
import type { HostRules } from './host-rules.ts'

/** pypi.org keeps its files on another host of its own. */
const knownFileHosts: ReadonlyMap<string, readonly string[]> = new Map([
  ['pypi.org', ['files.pythonhosted.org']],
])

/**
 * The index's own host, and `fileHosts` or, without them, what is known of this index. Private
 * addresses are dialled only where the index itself is at one.
 */
export async function findIndexHosts(
  indexUrl: string,
  fileHosts: readonly string[] | undefined,
): Promise<HostRules> {
  const { host, hostname } = new URL(indexUrl)
  const others = fileHosts ?? knownFileHosts.get(host) ?? []
  return { names: [...new Set([host, ...others])], allowPrivate: await isPrivateHost(hostname) }
}

async function isPrivateHost(hostname: string): Promise<boolean> {
  if (isLocalName(hostname)) return true
  const literal = findLiteralAddress(hostname)
  if (literal !== undefined) return findAddressKind(literal) !== 'public'
  try {
    const addresses = await lookup(hostname, { all: true })
    return addresses.some(({ address }) => findAddressKind(address) !== 'public')
  } catch {
    return false // Not to be resolved now: the stricter rule holds until the next start.
  }
}
