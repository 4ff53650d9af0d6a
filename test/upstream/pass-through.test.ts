/** What is let pass, through real sockets: a client, a server that uses the port, and a hostile server. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as send } from 'node:http'
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { connect as connectSocket, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAllowList } from '../../src/upstream/allow-list.ts'
import { passThrough } from '../../src/upstream/pass-through.ts'
import { openTunnel } from '../../src/upstream/tunnel.ts'
import {
  endChunkedEarly,
  flipByte,
  redirect,
  reset,
  serve,
  serveChunked,
  silence,
  stall,
  truncate,
  type Behaviour,
} from '../support/hostile-server.ts'
import { RawClient } from '../support/raw-client.ts'
import { kilobyte, server, useHostileServer } from './http-fixture.ts'

useHostileServer()

let front: Server
let outcomes: unknown[]
let idleTimeoutMs: number

beforeEach(async () => {
  outcomes = []
  idleTimeoutMs = 5000
  front = createServer((request, response) => {
    const url = new URL(request.url ?? '')
    passThrough(request, response, url, { connect, idleTimeoutMs, maxBodyBytes: 100_000 }).then(
      (passed) => void outcomes.push(passed),
      (error: unknown) => {
        outcomes.push(error)
        if (!response.headersSent) response.writeHead(502).end()
      },
    )
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await new Promise((resolve) => {
    front.close(resolve)
    front.closeAllConnections()
  })
})

const connect = (host: string, port: number): ReturnType<typeof openTunnel> => {
  const allowList = createAllowList([`127.0.0.1:${server.port}`])
  const options = { allowList, environment: {}, connectTimeoutMs: 5000, ownPorts: () => [] }
  return openTunnel({ host, port }, 'http', options)
}

/** Exactly these bytes. */
function say(bytes: string): Behaviour {
  return (_request, { socket }) => void socket?.end(bytes, 'latin1')
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const asked = send(
      {
        port: (front.address() as AddressInfo).port,
        host: '127.0.0.1',
        path: `${server.origin}${path}`,
        method,
        headers: { host: new URL(server.origin).host, ...headers },
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

async function outcome(): Promise<unknown> {
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  while (outcomes.length === 0) await new Promise((resolve) => setImmediate(resolve))
  return outcomes[0]
}

describe('requests that are let pass', () => {
  test('bring the answer as it is, and what it cost', async () => {
    server.on('/x', serve(kilobyte, { 'content-type': 'text/x', 'set-cookie': 'a=b' }))
    const { status, headers, body } = await ask('/x?y=1&z=%2F..%2F')
    expect([status, body.length]).toEqual([200, 1024])
    expect(headers['content-type']).toBe('text/x')
    expect(headers['set-cookie']).toEqual(['a=b'])
    expect(await outcome()).toEqual({ status: 200, bytes: 1024 })
  })

  test('go over the checked connection, whatever the environment tells the library', async () => {
    server.on('/away', redirect('http://elsewhere.test/'))
    process.env['FORCE_FETCH_PATH'] = 'true'
    // The global fetch would follow it.
    expect((await ask('/away')).status).toBe(302)
    expect(process.env['FORCE_FETCH_PATH']).toBeUndefined()
  })

  test('ask for the path as it was written', async () => {
    let target = ''
    server.use(() => (request, response) => {
      target = request.url ?? ''
      response.end()
    })
    await ask('/a//b/%2e%2e/c?x=1?y=2&z')
    expect(target).toBe('/a//b/%2e%2e/c?x=1?y=2&z'.replace('b/%2e%2e/', ''))
  })

  test('keep status, redirects and their bodies', async () => {
    server.on('/gone', (_request, response) => void response.writeHead(410).end('gone'))
    server.on('/away', redirect('http://elsewhere.test/'))
    expect(await ask('/gone')).toMatchObject({ status: 410, body: 'gone' })
    expect((await ask('/away')).headers.location).toBe('http://elsewhere.test/')
  })

  test('carry bodies, with their length or in chunks', async () => {
    let got = ''
    server.use(() => (request, response) => {
      request.on('data', (chunk: Buffer) => (got += chunk.toString()))
      request.on('end', () => response.end(request.headers['content-length'] ?? 'chunked'))
    })
    const headers = { 'content-length': '5' }
    expect((await ask('/', { method: 'POST', headers, body: 'hello' })).body).toBe('5')
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await ask('/', { method: 'PUT', headers: chunked, body: 'world' })).body).toBe(
      'chunked',
    )
    expect((await ask('/', { method: 'POST', headers: { 'content-length': '0' } })).body).toBe('0')
    expect(got).toBe('helloworld')
  })

  test('a body that is too long is not sent', async () => {
    server.use(() => silence())
    const headers = { 'content-length': '100001' }
    await ask('/', { method: 'POST', headers, body: 'x'.repeat(100_001) }).catch(() => undefined)
    expect(await outcome()).toMatchObject({ code: 'TOO_LARGE' })
    expect(server.count()).toBe(0)
    outcomes.length = 0
    const chunked = { 'transfer-encoding': 'chunked' }
    await ask('/', { method: 'POST', headers: chunked, body: 'x'.repeat(300_000) }).catch(
      () => undefined,
    )
    expect(await outcome()).toMatchObject({ code: 'TOO_LARGE' })
  })

  test('leave behind what is for one hop, and our credentials', async () => {
    server.on('/', serve(kilobyte))
    await ask('/', {
      headers: {
        connection: 'keep-alive, X-Secret, Host, Content-Length',
        'x-secret': '1',
        'proxy-authorization': 'Basic dHVmZ2F0ZTpUT0tFTg==',
        'proxy-connection': 'keep-alive',
        te: 'trailers',
        'keep-alive': 'timeout=5',
        authorization: 'Bearer of-the-client',
        'x-kept': '1',
      },
    })
    const { headers } = server.requests[0]!
    expect(Object.keys(headers).toSorted()).toEqual([
      'authorization',
      'connection',
      'host',
      'x-kept',
    ])
    expect(headers.connection).toBe('close')
    expect(headers.host).toBe(new URL(server.origin).host)
  })

  test('bring no headers for one hop back, and none that look like ours', async () => {
    server.on(
      '/',
      serve(kilobyte, {
        connection: 'close, X-Hop',
        'x-hop': '1',
        'proxy-authenticate': 'Basic',
        'keep-alive': 'timeout=5',
        'x-tufgate-trust': 'root=3',
        'x-request-id': 'r-0',
        'x-kept': '1',
      }),
    )
    const { headers } = await ask('/')
    for (const name of ['x-hop', 'proxy-authenticate', 'x-request-id']) {
      expect(headers[name]).toBeUndefined()
    }
    expect(headers['x-kept']).toBe('1')
    expect(headers['x-tufgate-trust']).toBe('unverified')
  })

  test('are answered to clients of HTTP/1.0 without chunks', async () => {
    server.on('/', serveChunked(kilobyte))
    const client = await RawClient.open((front.address() as AddressInfo).port)
    client.send(`GET ${server.origin}/ HTTP/1.0\r\nHost: x\r\n\r\n`)
    await client.ended()
    expect(client.received.toString('latin1')).not.toMatch(/transfer-encoding/i)
    expect(client.received.length).toBeGreaterThan(1024)
    client.close()
  })
})

describe('servers that fail', () => {
  test.each([
    ['end too early', truncate(kilobyte, 100)],
    ['end in the middle of a chunk', endChunkedEarly(kilobyte, 100)],
    ['reset', reset(kilobyte, 100)],
  ])('%s: the client sees an end, and the outcome is told', async (_, behaviour) => {
    server.on('/', behaviour)
    await expect(ask('/')).rejects.toThrow()
    expect(await outcome()).toMatchObject({ code: 'BROKEN_OFF' })
  })

  test('reset before any answer: nothing was sent yet', async () => {
    server.on('/', reset())
    expect((await ask('/')).status).toBe(502)
    expect(await outcome()).toMatchObject({ code: 'BROKEN_OFF' })
  })

  test('say nothing: given up', async () => {
    idleTimeoutMs = 50
    server.on('/', silence())
    expect((await ask('/')).status).toBe(502)
    expect(await outcome()).toMatchObject({ code: 'TIMED_OUT' })
  })

  test('stop in the middle: given up', async () => {
    idleTimeoutMs = 50
    server.on('/', stall(kilobyte, 100))
    await expect(ask('/')).rejects.toThrow()
    expect(await outcome()).toMatchObject({ code: 'TIMED_OUT' })
  })

  test.each([
    ['status 000', 'HTTP/1.1 000 Odd', '000'],
    ['status 099', 'HTTP/1.1 099 Odd', '099'],
    ['101, which nobody asked for', 'HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: Upgrade', '101'],
  ])('answer %s: an end that is told, and no end of the process', async (_, head, found) => {
    server.on('/', say(`${head}\r\nContent-Length: 2\r\n\r\nhi`))
    await ask('/').catch(() => undefined)
    expect(await outcome()).toMatchObject({
      code: 'BAD_STATUS',
      message: `${server.origin}/ answered ${found}`,
      facts: { found },
    })
  })

  test('answer with control characters in the reason: they do not pass, and end nothing', async () => {
    server.on('/', say('HTTP/1.1 200 O\u0001\u001b[2JK\u00e9\r\nContent-Length: 2\r\n\r\nhi'))
    const client = await RawClient.open((front.address() as AddressInfo).port)
    client.send(`GET ${server.origin}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(await client.response()).toMatchObject({ status: 200, reason: 'O??[2JK?' })
    expect(await outcome()).toEqual({ status: 200, bytes: 2 })
    client.close()
  })

  test('promise a body behind 204: no client waits for it', async () => {
    server.on('/', say('HTTP/1.1 204 No\r\nContent-Length: 30\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'))
    const { status, headers } = await ask('/')
    expect([status, headers['content-length']]).toEqual([204, undefined])
  })

  test('are let go of when the client leaves', async () => {
    server.on('/', stall(kilobyte, 100))
    const client = await RawClient.open((front.address() as AddressInfo).port)
    client.send(`GET ${server.origin}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
    await client.bodyBytes(10)
    client.close()
    await outcome()
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(server.connections).toBe(0)
  })

  test('nothing is checked: bytes that are not the right ones pass', async () => {
    server.on('/', flipByte(kilobyte))
    expect((await ask('/')).body.length).toBe(1024)
  })
})

describe('clients that read nothing', () => {
  /** The kernel takes some of an answer: among these lengths is one of which just a rest is left. */
  const lengths = Array.from({ length: 30 }, (_, at) => at * 50_000)

  test('are cut off, wherever the answer has got stuck', async () => {
    idleTimeoutMs = 100
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-'))
    const path = join(folder, 'socket')
    server.use((target) => serve(new Uint8Array(Number(target.slice(1)))))
    const narrow = createServer(front.listeners('request')[0] as RequestListener)
    await new Promise<void>((resolve) => narrow.listen(path, resolve))
    const clients = lengths.map((length) => {
      const client = connectSocket(path).on('error', () => undefined)
      client.write(`GET ${server.origin}/${length} HTTP/1.1\r\nHost: x\r\n\r\n`)
      return client.pause()
    })
    while (outcomes.length < lengths.length) await new Promise((resolve) => setImmediate(resolve))
    for (const client of clients) client.destroy()
    await new Promise((resolve) => narrow.close(resolve))
    await rm(folder, { recursive: true })
  })
})
