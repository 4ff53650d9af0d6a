import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { defaultLimits, startServer, type ProxyServer } from '../../src/proxy/server.ts'
import { filePath, MemoryGateway } from '../support/memory-gateway.ts'
import { RawClient } from '../support/raw-client.ts'
import { holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(300_000, 'x')
const filename = 'foo-1.0.tar.gz'

let running: RunningProxy | undefined
let server: ProxyServer | undefined
afterEach(async () => {
  await running?.stop()
  await server?.stop()
  running = undefined
  server = undefined
})

async function listen(hosts: readonly string[], port = 0): Promise<ProxyServer> {
  const options = {
    ops: new MemoryGateway(),
    hosts: [],
    timings: { holdForMs, dripEveryMs: 8000 },
    maxPageCacheBytes: 1_000_000,
    maxTargetBytes: 8000,
    clientStallMs: 1000,
    reportFault: () => undefined,
  }
  server = await startServer(
    options,
    hosts.map((host) => ({ host, port })),
    { ...defaultLimits, stopGraceMs: 50 },
  )
  return server
}

describe('listening', () => {
  test('on both addresses of localhost with one free port', async () => {
    const { addresses } = await listen(['127.0.0.1', '::1'])
    expect(addresses[0]?.port).toBeGreaterThan(0)
    for (const { host, port } of addresses) {
      expect(port).toBe(addresses[0]?.port)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const client = await RawClient.open(port, host)
      client.ask('/-/health')
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await client.response()).status).toBe(200)
      client.close()
    }
  })

  test('a port that is taken is a mistake of the settings, with the way out', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => void other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const attempt = startServer(
      {
        ops: new MemoryGateway(),
        hosts: [],
        timings: { holdForMs, dripEveryMs: 8000 },
        maxPageCacheBytes: 1,
        maxTargetBytes: 8000,
        clientStallMs: 1,
        reportFault: () => undefined,
      },
      [{ host: '127.0.0.1', port }],
    )
    await expect(attempt).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`) as string,
      facts: {
        next: 'stop the program that listens there, or listen elsewhere: --listen 127.0.0.1:PORT, or `listen` in the settings',
      },
    })
    other.close()
  })
})

describe('connections', () => {
  test('that only idle make room for new ones, the longest silent first', async () => {
    running = await RunningProxy.start({}, { maxConnections: 2 })
    const [first, second] = [await running.connect(), await running.connect()]
    first.ask('/-/health')
    expect((await first.response()).status).toBe(200)
    // The second has never asked for anything, so it goes before the first.
    const third = await running.connect()
    await second.ended()
    for (const client of [first, third]) {
      client.ask('/-/health')
      expect((await client.response()).status).toBe(200)
    }
    expect(running.gateway.events.filter(({ kind }) => kind === 'warning')).toEqual([])
  })

  test('that are opened by the hundred and say nothing, or not all, do not keep a client out', async () => {
    running = await RunningProxy.start({}, { maxConnections: 4 })
    for (let at = 0; at < 100; at += 1) {
      const silent = await running.connect()
      if (at % 2 === 0) silent.send('GET /simple/foo/ HTTP/1.1\r\nHost: local')
      if (at % 10 === 0) expect((await running.get('/-/health')).status).toBe(200)
    }
    expect((await running.get('/-/ready')).status).toBe(200)
  })

  test('beyond the limit are closed and noted while all others are being answered', async () => {
    running = await RunningProxy.start({}, { maxConnections: 2 })
    const bothAsked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    let asked = 0
    running.gateway.readiness = async () => {
      asked += 1
      if (asked === 2) bothAsked.resolve()
      await answer.promise
      return { ready: true, checks: [] }
    }
    const busy = [await running.connect(), await running.connect()]
    for (const client of busy) client.ask('/-/ready')
    await bothAsked.promise
    const third = await running.connect()
    await third.ended()
    expect(running.gateway.events).toMatchObject([
      { kind: 'warning', message: 'more than 2 connections' },
    ])
    answer.resolve()
    for (const client of busy) expect((await client.response()).status).toBe(200)
  })
})

describe('stopping', () => {
  test('lets what is under way finish, and closes what idles', async () => {
    running = await RunningProxy.start({}, { stopGraceMs: 5000 })
    running.gateway.addProject('foo', [{ filename, content }])
    const busy = await running.connect()
    const idle = await running.connect()
    idle.ask('/-/health')
    await idle.response()
    busy.ask(filePath('foo', filename))
    await running.timers.waitFor(holdForMs)
    const stopped = running.server.stop()
    expect(await idle.ended()).toBe('fin')
    running.gateway.fetches[0]!.finish(content)
    expect((await busy.response()).body.equals(content)).toBe(true)
    expect(await busy.ended()).toBe('fin')
    await stopped
  })

  test('ends what does not finish in time with FIN', async () => {
    running = await RunningProxy.start({}, { stopGraceMs: 10 })
    running.gateway.addProject('foo', [{ filename, content }])
    const busy = await running.connect()
    busy.ask(filePath('foo', filename))
    await running.timers.waitFor(holdForMs)
    const stopped = running.server.stop()
    expect(await busy.ended()).toBe('fin')
    await stopped
    expect(busy.received.length).toBe(0)
  })
})
