import { connect, type LookupFunction } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AddressRefusedError,
  createGuardedLookup,
  findAddressKind,
  isLocalName,
  requireDialable,
} from '../../src/upstream/address-guard.ts'

/** A resolver that answers what it is told, in both forms that sockets ask for. */
function resolveTo(...addresses: readonly string[]): LookupFunction {
  return (_host, options, callback) => {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all === true) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }
}

function lookUp(lookup: LookupFunction, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lookup('files.example', { all }, (error, found) => {
      if (error === null) resolve(found)
      else reject(error)
    })
  })
}

describe('kinds of addresses', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:7f00:0001', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['::ffff:10.1.2.3', 'private'],
    ['64:ff9b::a01:203', 'private'],
    ['64:ff9b:1::1', 'private'],
    ['fd00::1', 'private'],
    ['fc00::1', 'private'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['64:ff9b::169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'link-local'],
    ['0.0.0.0', 'reserved'],
    ['0.1.2.3', 'reserved'],
    ['::', 'reserved'],
    ['::ffff:0.0.0.0', 'reserved'],
    ['224.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['ff02::1', 'reserved'],
    ['::127.0.0.1', 'reserved'],
    ['2002:7f00:1::', 'reserved'],
    ['2001::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['fe80::1%lo', 'reserved'],
    ['not an address', 'reserved'],
    ['', 'reserved'],
    ['151.101.0.223', 'public'],
    ['172.32.0.1', 'public'],
    ['100.128.0.1', 'public'],
    ['2a04:4e42::223', 'public'],
    ['64:ff9b::151.101.0.223', 'public'],
  ])('%s is %s', (address, kind) => {
    expect(findAddressKind(address)).toBe(kind)
  })

  test('an IPv4 address is of the same kind when it hides in IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(findAddressKind(`::ffff:${address}`)).toBe(findAddressKind(address))
        expect(findAddressKind(`64:ff9b::${address}`)).toBe(findAddressKind(address))
      }),
    )
  })

  test('nothing outside of global unicast is public', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const first = new URL(`http://[${address}]/`).hostname.slice(1).split(':')[0] ?? ''
        const isGlobal = /^[23][0-9a-f]{3}$/.test(first) || first === '64' || first === ''
        if (!isGlobal) expect(findAddressKind(address)).not.toBe('public')
      }),
    )
  })
})

describe('what may be dialled', () => {
  test('private addresses only where the index itself is at one', () => {
    expect(() => requireDialable('index.example', '10.0.0.1', false)).toThrow(
      'index.example is at the private address 10.0.0.1',
    )
    expect(() => requireDialable('index.example', '10.0.0.1', true)).not.toThrow()
  })

  test('cloud metadata (169.254.169.254) never by a name, even beside a private index', () => {
    expect(() => requireDialable('index.example', '169.254.169.254', true)).toThrow(
      AddressRefusedError,
    )
    expect(() => requireDialable('169.254.1.1', '169.254.1.1', true)).not.toThrow()
  })

  test('0.0.0.0 and multicast never', () => {
    expect(() => requireDialable('0.0.0.0', '0.0.0.0', true)).toThrow('reserved address 0.0.0.0')
    expect(() => requireDialable('x', '224.0.0.1', true)).toThrow(AddressRefusedError)
  })

  test('localhost is this machine in each of its spellings', () => {
    expect(['localhost', 'LOCALHOST.', 'a.b.localhost'].every((name) => isLocalName(name))).toBe(
      true,
    )
    expect(isLocalName('localhost.example')).toBe(false)
  })
})

describe('the lookup of a socket', () => {
  test.each([true, false])(
    'refuses a name that resolves to a private address (all: %s)',
    async (all) => {
      const lookup = createGuardedLookup(false, resolveTo('192.168.0.7'))
      await expect(lookUp(lookup, all)).rejects.toThrow(
        'files.example is at the private address 192.168.0.7',
      )
    },
  )

  test('refuses when one of several addresses is private', async () => {
    const lookup = createGuardedLookup(false, resolveTo('151.101.0.223', '::ffff:127.0.0.1'))
    await expect(lookUp(lookup, true)).rejects.toThrow('loopback address ::ffff:127.0.0.1')
  })

  test('passes public addresses and the resolver’s own errors on', async () => {
    const lookup = createGuardedLookup(false, resolveTo('151.101.0.223'))
    expect(await lookUp(lookup, true)).toEqual([{ address: '151.101.0.223', family: 4 }])
    const failing = createGuardedLookup(false, (_host, _options, callback) => {
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '')
    })
    await expect(lookUp(failing, true)).rejects.toThrow('no such name')
  })

  test('DNS rebinding: the check is made by the socket itself', async () => {
    const lookup = createGuardedLookup(false, resolveTo('127.0.0.1'))
    const socket = connect({ host: 'localhost', port: 9, lookup })
    const error = await new Promise((resolve) => socket.once('error', resolve))
    expect(error).toBeInstanceOf(AddressRefusedError)
  })
})
