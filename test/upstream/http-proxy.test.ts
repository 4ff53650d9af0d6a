import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HostRules } from '../../src/upstream/host-rules.ts'
import { containing } from '../support/expecting.ts'
import {
  redirect,
  serve,
  startHostileServer,
  type HostileServer,
} from '../support/hostile-server.ts'
import { tlsCertificate, tlsKey } from '../support/tls-identity.ts'
import {
  clientThatResolves,
  createClient,
  local,
  server,
  text,
  useHostileServer,
} from './http-fixture.ts'

useHostileServer()

/** A corporate proxy: CONNECT to whatever name leads to the hostile server's port. */
interface CorporateProxy {
  readonly port: number
  readonly tunnels: string[]
  isOpen: boolean
  close(): Promise<void>
}

async function startProxy(): Promise<CorporateProxy> {
  const sockets = new Set<Socket>()
  const http = createServer((_request, response) => void response.writeHead(405).end())
  const proxy: CorporateProxy = {
    get port() {
      return (http.address() as AddressInfo).port
    },
    tunnels: [],
    isOpen: true,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  http.on('connect', (request, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const target = request.url ?? ''
    proxy.tunnels.push(target)
    if (!proxy.isOpen) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      return
    }
    const upstream = connect(Number(target.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return proxy
}

let proxy: CorporateProxy

beforeEach(async () => {
  proxy = await startProxy()
})

afterEach(() => proxy.close())

function rulesFor(host: string, allowPrivate = false): HostRules {
  return { names: [host], allowPrivate }
}

describe('corporate proxies', () => {
  test.each(['http_proxy', 'HTTP_PROXY'])(
    '%s is used, by CONNECT, with or without a scheme',
    async (name) => {
      server.on('/page', serve(text))
      const host = `index.test:${server.port}`
      for (const scheme of ['http://', '']) {
        const client = createClient({ environment: { [name]: `${scheme}127.0.0.1:${proxy.port}` } })
        const options = { hosts: rulesFor(host), maxBytes: 1000 }
        expect((await client.get(`http://${host}/page`, options)).status).toBe(200)
      }
      expect(proxy.tunnels).toEqual([host, host])
      expect(server.requests[0]?.headers.host).toBe(host)
    },
  )

  test('NO_PROXY and this machine itself are not asked for through it', async () => {
    server.on('/page', serve(text))
    const environment = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, no_proxy: 'index.test' }
    const direct = createClient({ environment })
    await direct.get(server.url('/page'), { hosts: local(), maxBytes: 1000 })
    const host = `index.test:${server.port}`
    const resolved = clientThatResolves('127.0.0.1')
    await resolved.get(`http://${host}/page`, { hosts: rulesFor(host, true), maxBytes: 1000 })
    expect(proxy.tunnels).toEqual([])
  })

  test('written private addresses are refused before the proxy hears of them', async () => {
    const environment = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }
    const client = createClient({ environment })
    const promise = client.get('http://10.0.0.1/x', { hosts: rulesFor('10.0.0.1'), maxBytes: 1 })
    await expect(promise).rejects.toMatchObject({ code: 'HOST_REFUSED' })
    expect(proxy.tunnels).toEqual([])
  })

  test('a proxy that denies is told, without its credentials', async () => {
    proxy.isOpen = false
    const environment = { HTTP_PROXY: `http://user:secret@127.0.0.1:${proxy.port}` }
    const promise = createClient({ environment }).get('http://index.test/', {
      hosts: rulesFor('index.test'),
      maxBytes: 1,
    })
    const error: unknown = await promise.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: containing('403') })
    expect(String(error)).not.toContain('secret')
  })

  test.each([
    ['nothing', ''],
    ['a host of 16 kB', `Proxy${'.x'.repeat(8200)}`],
  ])('a variable that is no URL is the operator’s fault: %s', (_name, host) => {
    const client = createClient({ environment: { HTTPS_PROXY: `http://${host}` } })
    const promise = client.get('https://index.test/', {
      hosts: rulesFor('index.test'),
      maxBytes: 1,
    })
    return expect(promise).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'the variable HTTPS_PROXY is not the URL of a proxy',
    })
  })
})

describe('TLS', () => {
  let secure: HostileServer

  beforeEach(async () => {
    secure = await startHostileServer({ tls: { key: tlsKey, cert: tlsCertificate } })
  })

  afterEach(() => secure.close())

  function rules(): HostRules {
    const names = [secure.origin, server.origin].map((origin) => new URL(origin).host)
    return { names, allowPrivate: true }
  }

  test('a trusted certificate is good, an unknown one is not', async () => {
    secure.on('/page', serve(text))
    const options = { hosts: rules(), maxBytes: 1000 }
    const trusting = createClient({ ca: tlsCertificate })
    expect((await trusting.get(secure.url('/page'), options)).status).toBe(200)
    await expect(createClient().get(secure.url('/page'), options)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
  })

  test('a redirect from https to http is refused', async () => {
    secure.on('/page', redirect(server.url('/page')))
    server.on('/page', serve(text))
    const promise = createClient({ ca: tlsCertificate }).get(secure.url('/page'), {
      hosts: rules(),
      maxBytes: 1000,
    })
    await expect(promise).rejects.toMatchObject({
      code: 'HOST_REFUSED',
      message: containing('redirects from https to http'),
    })
    expect(server.count()).toBe(0)
  })

  test('a redirect from http to https is followed', async () => {
    server.on('/page', redirect(secure.url('/page')))
    secure.on('/page', serve(text))
    const client = createClient({ ca: tlsCertificate })
    const response = await client.get(server.url('/page'), { hosts: rules(), maxBytes: 1000 })
    expect(response.url).toBe(secure.url('/page'))
  })

  test('through a corporate proxy the certificate is the index’s own', async () => {
    secure.on('/page', serve(text))
    const host = `index.test:${secure.port}`
    const environment = { https_proxy: `http://127.0.0.1:${proxy.port}` }
    const options = { hosts: rulesFor(host), maxBytes: 1000 }
    const url = `https://${host}/page`
    expect((await createClient({ environment, ca: tlsCertificate }).get(url, options)).status).toBe(
      200,
    )
    await expect(createClient({ environment }).get(url, options)).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
  })
})
