/**
 * RFC 5280 4.2.1.10: for which hosts an authority can speak. Exactly the intercepted ones, so that whoever
 * steals its key gains nothing over other hosts with a client that honours this. Below a permitted name all
 * names are permitted too: the format cannot say less.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { derSequence, derTagged } from '../signing/der.ts'
import type { InterceptedHost } from './intercepted-host.ts'

export const nameConstraintsId = '2.5.29.30'

const permittedTag = 0xa0
const excludedTag = 0xa1
const dnsNameTag = 0x82
const ipAddressTag = 0x87

/** The value of the extension. */
export function encodeNameConstraints(hosts: readonly InterceptedHost[]): Bytes {
  const excluded = findExcluded(hosts)
  return derSequence(
    derTagged(permittedTag, ...hosts.map(({ name, address }) => encodeHost(name, address))),
    ...(excluded.length === 0 ? [] : [derTagged(excludedTag, ...excluded)]),
  )
}

function encodeHost(name: string, address: Bytes | undefined): Bytes {
  return address === undefined
    ? derSequence(derTagged(dnsNameTag, encodeUtf8(name)))
    : encodeSubnet(address, 0xff)
}

/** What is permitted of one kind of name says nothing of the others: each without a host is excluded whole. */
function findExcluded(hosts: readonly InterceptedHost[]): Bytes[] {
  const hasLength = (length: number | undefined): boolean =>
    hosts.some(({ address }) => address?.length === length)
  return [
    // The empty name stands for all of them.
    ...(hasLength(undefined) ? [] : [derSequence(derTagged(dnsNameTag))]),
    ...[4, 16]
      .filter((length) => !hasLength(length))
      .map((length) => encodeSubnet(new Uint8Array(length), 0)),
  ]
}

function encodeSubnet(address: Bytes, maskByte: number): Bytes {
  return derSequence(
    derTagged(ipAddressTag, address, new Uint8Array(address.length).fill(maskByte)),
  )
}
