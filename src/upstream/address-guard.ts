/**
 * Which addresses may be dialled: the public ones; private ones only where the operator's own
 * index is there; multicast, unspecified and reserved ones never.
 *
 * The check stands in the connect of the socket. A check made before it can be undone by a name
 * that resolves differently a moment later (DNS rebinding).
 */

import { lookup as resolveHost, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'reserved'

/** The host resolved to an address that may not be dialled. */
export class AddressRefusedError extends Error {
  readonly host: string
  readonly address: string
  readonly kind: AddressKind

  constructor(host: string, address: string, kind: AddressKind) {
    super(`${host} is at the ${kind} address ${address}`)
    this.name = 'AddressRefusedError'
    this.host = host
    this.address = address
    this.kind = kind
  }
}

type Subnet = readonly [network: string, prefix: number]

// IANA special-purpose address registries (RFC 6890 and what came after it).
const subnets4: Readonly<Record<Exclude<AddressKind, 'public'>, readonly Subnet[]>> = {
  loopback: [['127.0.0.0', 8]],
  private: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10], // carrier-grade NAT
  ],
  'link-local': [['169.254.0.0', 16]],
  reserved: [
    ['0.0.0.0', 8], // Linux takes 0.0.0.0 for loopback
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3], // multicast, class E, broadcast
  ],
}

const subnets6: Readonly<Record<Exclude<AddressKind, 'public'>, readonly Subnet[]>> = {
  loopback: [['::1', 128]],
  private: [
    ['fc00::', 7],
    ['64:ff9b:1::', 48], // NAT64 of local use
  ],
  'link-local': [
    ['fe80::', 10],
    ['fec0::', 10],
  ],
  reserved: [
    ['2001::', 23], // Teredo, ORCHID, benchmarking
    ['2001:db8::', 32],
    ['2002::', 16], // 6to4 hides an IPv4 address
    ['3fff::', 20],
  ],
}

/** An IPv6 network that carries an IPv4 address in its last 32 bits: mapped, and NAT64. */
const embeddings = ['::ffff:', '64:ff9b::']

const kinds = ['loopback', 'private', 'link-local', 'reserved'] as const
const lists = new Map(kinds.map((kind) => [kind, buildList(kind)]))
const global6 = buildGlobal6()

function buildList(kind: (typeof kinds)[number]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of subnets6[kind]) list.addSubnet(network, prefix, 'ipv6')
  for (const [network, prefix] of subnets4[kind]) {
    list.addSubnet(network, prefix, 'ipv4')
    for (const start of embeddings) list.addSubnet(`${start}${network}`, 96 + prefix, 'ipv6')
  }
  return list
}

function buildGlobal6(): BlockList {
  const list = new BlockList()
  list.addSubnet('2000::', 3, 'ipv6')
  for (const start of embeddings) list.addSubnet(`${start}0.0.0.0`, 96, 'ipv6')
  return list
}

/** `reserved` for whatever is not an address, and for IPv6 that is not global unicast. */
export function findAddressKind(address: string): AddressKind {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return 'reserved'
  const family = version === 4 ? 'ipv4' : 'ipv6'
  for (const [kind, list] of lists) if (list.check(address, family)) return kind
  return version === 4 || global6.check(address, family) ? 'public' : 'reserved'
}

/** A URL's host without the brackets of an IPv6 literal, when it is an address and not a name. */
export function findLiteralAddress(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

/**
 * Throws `AddressRefusedError`. A link-local address, where cloud machines keep their secrets,
 * is dialled only when the operator wrote it down himself: never because a name resolves to it.
 */
export function requireDialable(host: string, address: string, allowPrivate: boolean): void {
  const kind = findAddressKind(address)
  if (kind === 'public') return
  const isWritten = findLiteralAddress(host) === address
  const isAllowed =
    kind === 'loopback' || kind === 'private' || (kind === 'link-local' && isWritten)
  if (!allowPrivate || !isAllowed) throw new AddressRefusedError(host, address, kind)
}

/** Names that stand for this machine whatever the resolver says (RFC 6761). */
export function isLocalName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost')
}

/**
 * A `lookup` for sockets that fails when any address of the host may not be dialled: with one
 * good and one bad address the socket would be free to choose.
 */
export function createGuardedLookup(
  allowPrivate: boolean,
  resolve: LookupFunction = resolveHost,
): LookupFunction {
  return (host, options, callback) => {
    resolve(host, options, (error, found, family) => {
      if (error !== null) return callback(error, found, family)
      const refusal = findRefusal(host, found, allowPrivate)
      return refusal === undefined ? callback(null, found, family) : callback(refusal, '')
    })
  }
}

function findRefusal(
  host: string,
  found: string | readonly LookupAddress[],
  allowPrivate: boolean,
): Error | undefined {
  const addresses = typeof found === 'string' ? [found] : found.map((entry) => entry.address)
  try {
    for (const address of addresses) requireDialable(host, address, allowPrivate)
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error('lookup failed', { cause: error })
  }
}
