/** Where connections for what is let pass may lead, and where not. */

import { createServer } from 'node:http'
import {
  connect as connectSocket,
  type AddressInfo,
  type LookupFunction,
  type Socket,
} from 'node:net'
import { beforeEach, describe, expect, test } from 'vitest'
import { TufgateError } from '../../src/base/errors.ts'
import { createAllowList } from '../../src/upstream/allow-list.ts'
import { openTunnel, type TunnelOptions } from '../../src/upstream/tunnel.ts'
import { server, useHostileServer } from './http-fixture.ts'

useHostileServer()

let settings: { allow: string[]; lookup?: LookupFunction; ownPorts: number[] }
let environment: Record<string, string>

beforeEach(() => {
  environment = {}
  settings = { allow: [`127.0.0.1:${server.port}`], ownPorts: [] }
})

function tunnelOptions(): TunnelOptions {
  return {
    allowList: createAllowList(settings.allow),
    environment,
    connectTimeoutMs: 5000,
    ownPorts: () => settings.ownPorts,
    ...(settings.lookup !== undefined && { lookup: settings.lookup }),
  }
}

const connect = (host: string, port: number): ReturnType<typeof openTunnel> =>
  openTunnel({ host, port }, 'http', tunnelOptions())

async function refusalOf(host: string, port = 80): Promise<TufgateError> {
  const opened = await openTunnel({ host, port }, 'https', tunnelOptions()).catch(
    (error: unknown) => error,
  )
  if (opened instanceof TufgateError) return opened
  throw new Error('it was not refused')
}

function resolveTo(...addresses: readonly string[]): LookupFunction {
  return (_host, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (all === true) callback(null, found)
    else callback(null, found[0]!.address, found[0]!.family)
  }
}

async function open(host: string, port: number, use: 'http' | 'https'): Promise<void> {
  const socket = await openTunnel({ host, port }, use, tunnelOptions())
  socket.destroy()
}

describe('where connections may lead', () => {
  test.each([
    '10.0.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '169.254.169.254',
    '[::1]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    'localhost',
    'x.localhost',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
  ])('%s is refused though a pattern allows everything', async (host) => {
    settings.allow = ['*.test', '*.localhost']
    expect(await refusalOf(host)).toMatchObject({ code: 'HOST_REFUSED' })
  })

  test.each(['10.0.0.1', '169.254.169.254', '127.0.0.1', '::1', '::ffff:10.0.0.1', '0.0.0.0'])(
    'a name on the list that resolves to %s is refused, with what to do',
    async (address) => {
      settings.allow = ['name.test']
      settings.lookup = resolveTo(address)
      const error = await refusalOf('name.test', 443)
      expect(error.code).toBe('HOST_REFUSED')
      expect(error.message).toContain('refused to connect to name.test:443: name.test is at the')
      expect(error.facts.found).toBe(address)
    },
  )

  test('one bad address among good ones is enough', async () => {
    settings.lookup = resolveTo('93.184.216.34', '10.0.0.1')
    expect(await refusalOf('name.test')).toMatchObject({ code: 'HOST_REFUSED' })
  })

  test('an address that stands on the list is reached, at that port alone', async () => {
    const socket = await connect('127.0.0.1', server.port)
    socket.destroy()
    settings.allow = ['127.0.0.1:1']
    expect(await refusalOf('127.0.0.1', server.port)).toMatchObject({
      code: 'HOST_REFUSED',
      facts: {
        next: `where clients are meant to reach it, list the address itself: allow = ["127.0.0.1:${server.port}"] in [forward] of the settings`,
      },
    })
  })

  test('localhost that stands on the list is this machine', async () => {
    settings.allow = [`localhost:${server.port}`]
    settings.lookup = resolveTo('127.0.0.1')
    const socket = await connect('localhost', server.port)
    socket.destroy()
  })

  test('a listed name does not list its address', async () => {
    settings.allow = [`name.test:${server.port}`]
    settings.lookup = resolveTo('127.0.0.1')
    expect(await refusalOf('name.test', server.port)).toMatchObject({ code: 'HOST_REFUSED' })
  })

  test('this program itself is never reached, by whatever name', async () => {
    settings.ownPorts = [server.port]
    const next = 'ask this proxy for its own pages without the detour'
    expect(await refusalOf('127.0.0.1', server.port)).toMatchObject({
      code: 'HOST_REFUSED',
      message: `refused to connect to 127.0.0.1:${server.port}: 127.0.0.1 is this proxy itself`,
      facts: { next },
    })
    settings.allow = [`localhost:${server.port}`]
    settings.lookup = resolveTo('127.0.0.1')
    expect((await refusalOf('localhost', server.port)).facts.next).toBe(next)
    expect(server.connections).toBe(0)
  })

  test('a port where nobody listens is told', async () => {
    const port = server.port
    await server.close()
    expect(await refusalOf('127.0.0.1', port)).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(`could not connect to 127.0.0.1:${port} (`) as string,
    })
  })

  test('a name that does not resolve is told', async () => {
    settings.lookup = (_host, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '')
    expect(await refusalOf('name.test')).toMatchObject({ code: 'UNREACHABLE' })
  })
})

describe('behind a corporate proxy', () => {
  interface Corporate {
    readonly port: number
    readonly asked: { target: string; credentials: string | undefined }[]
    status: number
    close(): Promise<void>
  }

  async function startCorporate(): Promise<Corporate> {
    const sockets = new Set<Socket>()
    const http = createServer()
    const corporate: Corporate = {
      get port() {
        return (http.address() as AddressInfo).port
      },
      asked: [],
      status: 200,
      close: () =>
        new Promise((resolve) => {
          http.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    }
    http.on('connect', ({ url = '', headers }, socket: Socket) => {
      sockets.add(socket.on('error', () => undefined))
      corporate.asked.push({ target: url, credentials: headers['proxy-authorization'] })
      if (corporate.status !== 200) return socket.end(`HTTP/1.1 ${corporate.status} No\r\n\r\n`)
      const upstream = connectSocket(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(upstream).pipe(socket)
      })
      return sockets.add(upstream.on('error', () => undefined))
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return corporate
  }

  test('it is asked, by the variable of the scheme, with its credentials', async () => {
    const corporate = await startCorporate()
    environment = { https_proxy: `http://me:secret@127.0.0.1:${corporate.port}` }
    await open('name.test', 443, 'https')
    environment = { HTTP_PROXY: `127.0.0.1:${corporate.port}` }
    await open('name.test', 80, 'http')
    await open('name.test', 443, 'https')
    expect(corporate.asked).toEqual([
      { target: 'name.test:443', credentials: `Basic ${btoa('me:secret')}` },
      { target: 'name.test:80', credentials: undefined },
      { target: 'name.test:443', credentials: undefined },
    ])
    await corporate.close()
  })

  test('it is not asked for what NO_PROXY names, nor for this machine', async () => {
    const corporate = await startCorporate()
    settings.lookup = resolveTo('10.0.0.1')
    environment = {
      HTTP_PROXY: `http://127.0.0.1:${corporate.port}`,
      NO_PROXY: 'a.test, .b.test *.c.test d.test:80',
    }
    for (const host of ['a.test', 'x.b.test', 'x.c.test', 'd.test']) {
      expect(await refusalOf(host)).toMatchObject({ code: 'HOST_REFUSED' })
    }
    const socket = await connect('127.0.0.1', server.port)
    socket.destroy()
    expect(corporate.asked).toEqual([])
    await open('d.test', 443, 'https')
    expect(corporate.asked).toMatchObject([{ target: 'd.test:443' }])
    await corporate.close()
  })

  test('written private addresses are refused before it hears of them', async () => {
    const corporate = await startCorporate()
    environment = { HTTP_PROXY: `http://127.0.0.1:${corporate.port}` }
    expect(await refusalOf('10.0.0.1')).toMatchObject({ code: 'HOST_REFUSED' })
    expect(await refusalOf('169.254.169.254')).toMatchObject({ code: 'HOST_REFUSED' })
    expect(corporate.asked).toEqual([])
    await corporate.close()
  })

  test('what it answers is told, without its credentials', async () => {
    const corporate = await startCorporate()
    corporate.status = 403
    environment = { HTTP_PROXY: `http://me:secret@127.0.0.1:${corporate.port}` }
    const error = await refusalOf('name.test')
    expect(error).toMatchObject({
      code: 'UNREACHABLE',
      message: 'could not connect to name.test:80 (the corporate proxy answered 403)',
    })
    expect(JSON.stringify(error) + String(error)).not.toContain('secret')
    await corporate.close()
  })
})

describe('the list', () => {
  const list = createAllowList([
    'a.test',
    'b.test:8080',
    '*.c.test',
    '*.d.test:8080',
    '[2001:db8::1]',
  ])

  test.each([
    ['a.test', 80, true],
    ['a.test', 443, true],
    ['a.test', 8080, false],
    ['x.a.test', 80, false],
    ['a.test.evil.test', 80, false],
    ['b.test', 8080, true],
    ['b.test', 80, false],
    ['x.c.test', 443, true],
    ['x.y.c.test', 443, true],
    ['c.test', 443, false],
    ['xc.test', 443, false],
    ['x.d.test', 8080, true],
    ['x.d.test', 443, false],
    ['[2001:db8::1]', 443, true],
    ['[2001:db8::2]', 443, false],
  ])('%s:%d -> %s', (host, port, isAllowed) => {
    expect(list.isAllowed(host, port)).toBe(isAllowed)
  })

  test('a domain is none of an address', () => {
    expect(createAllowList(['*.0.0.1']).isAllowed('127.0.0.1', 80)).toBe(false)
  })

  test('only what stands there by itself may be private', () => {
    const own = createAllowList(['10.0.0.1', '*.localhost', 'name.test'])
    expect(own.isListedAddress('10.0.0.1', 80)).toBe(true)
    expect(own.isListedAddress('10.0.0.1', 8080)).toBe(false)
    expect(own.isListedAddress('x.localhost', 80)).toBe(false)
    expect(own.isListedAddress('name.test', 80)).toBe(false)
  })

  test('empty: nothing', () => {
    expect(createAllowList([]).isAllowed('a.test', 80)).toBe(false)
  })
})
