import { describe, expect, test } from 'vitest'
import { IndexHosts } from '../../src/upstream/index-hosts.ts'

const never = (): Promise<never> => Promise.reject(new Error('must not be asked'))

const atPublicAddress = async (): Promise<string[]> => ['93.184.215.14']

describe('the hosts of an index', () => {
  test.each([
    ['http://127.0.0.1:9001/simple/', true],
    ['http://localhost/simple/', true],
    ['http://[::1]:9001/simple/', true],
    ['https://93.184.215.14/simple/', false],
  ])('at %s need no resolver', async (url, allowPrivate) => {
    const { rules } = await IndexHosts.open(url, undefined, { resolve: never })
    expect(rules).toEqual({ names: [new URL(url).host], allowPrivate })
  })

  test('are its own and those of the settings, or those that are known', async () => {
    const known = await IndexHosts.open('https://pypi.org/simple/', undefined, {
      resolve: atPublicAddress,
    })
    expect(known.rules.names).toEqual(['pypi.org', 'files.pythonhosted.org'])
    const set = await IndexHosts.open('https://pypi.org/simple/', ['cdn.example'], {
      resolve: atPublicAddress,
    })
    expect(set.rules).toEqual({ names: ['pypi.org', 'cdn.example'], allowPrivate: false })
  })

  test('of a name that resolves only later, as with a VPN, are strict until then and not for ever', async () => {
    let addresses: readonly string[] | undefined
    let asked = 0
    const hosts = await IndexHosts.open('https://pypi.corp.example/simple/', undefined, {
      resolve: async () => {
        asked += 1
        if (addresses === undefined) throw new Error('ENOTFOUND')
        return addresses
      },
    })
    expect(hosts.rules.allowPrivate).toBe(false)
    addresses = ['10.1.2.3']
    await Promise.all([hosts.settle(), hosts.settle()])
    expect(hosts.rules.allowPrivate).toBe(true)
    addresses = ['93.184.215.14']
    await hosts.settle()
    // Once it is known it stays as it is until the next start.
    expect(hosts.rules.allowPrivate).toBe(true)
    expect(asked).toBe(2)
  })

  test('of a public index do not open the inner network when its name is turned there later', async () => {
    let addresses = ['93.184.215.14']
    const hosts = await IndexHosts.open('https://pypi.org/simple/', undefined, {
      resolve: async () => addresses,
    })
    addresses = ['10.1.2.3']
    await hosts.settle()
    expect(hosts.rules.allowPrivate).toBe(false)
  })
})
