import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filePath, failToAppend } from '../support/memory-gateway.ts'
import { RequestLog } from '../../src/proxy/request-log.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.from('a small wheel')
const filename = 'foo-1.0-py3-none-any.whl'
const path = filePath('foo', filename)

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [{ filename, content }])
  proxy.gateway.store(content)
})
afterEach(async () => proxy.stop())

describe('each request', () => {
  test.each([
    ['/simple/foo/', 'page'],
    ['/simple/foo', 'page'],
    [path, 'released'],
    ['/simple/bar/', 'refused'],
    ['/nothing', 'refused'],
    ['/-/health', 'page'],
    ['/-/ready', 'page'],
  ])('%s leaves one event of kind %s', async (target, kind) => {
    const { headers } = await proxy.get(target)
    expect(proxy.gateway.events).toMatchObject([
      { kind, id: headers.get('x-request-id'), client: '127.0.0.1', request: `GET ${target}` },
    ])
  })

  test('a release tells what it rests on', async () => {
    await proxy.get(path)
    const [event] = proxy.gateway.events
    expect(event).toMatchObject({
      project: 'foo',
      file: filename,
      bytes: content.length,
      trust: { root: 3, timestamp: 41, snapshot: 40, role: 'bins-0a' },
    })
    expect(event?.trust?.record).toMatch(/^[0-9a-f]{64}$/)
    expect(event?.expected).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(event?.found).toBe(event?.expected)
  })
})

describe('order', () => {
  test.each([['/simple/bar/'], [`${path}.asc`], [path]])(
    'the line of %s is on disk before the answer begins',
    async (target) => {
      const gate = Promise.withResolvers<void>()
      const reached = Promise.withResolvers<void>()
      proxy.gateway.appendGate = async () => {
        reached.resolve()
        await gate.promise
      }
      const client = await proxy.connect()
      client.ask(target)
      await reached.promise
      // Another request makes a full round in the meantime.
      proxy.gateway.appendGate = undefined
      await proxy.get('/-/health')
      expect(client.received.length).toBe(0)
      gate.resolve()
      await client.response()
    },
  )

  test('a page does not wait for the disk', async () => {
    const gate = Promise.withResolvers<void>()
    proxy.gateway.appendGate = async () => gate.promise
    expect((await proxy.get('/simple/foo/')).status).toBe(200)
    expect(proxy.gateway.events).toEqual([])
    gate.resolve()
  })
})

describe('a log that cannot be written', () => {
  test('refuses files at once, without a byte of them', async () => {
    proxy.gateway.appendGate = failToAppend
    const { status, body } = await proxy.get(path)
    expect(status).toBe(507)
    expect(body.includes('a small wheel')).toBe(false)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'AUDIT_FAILED',
      next: 'see to the disk',
    })
    expect(proxy.faults[0]).toMatch(/^the audit log cannot be written: see to the disk \(r-/)
  })

  test('turns every other refusal into 507', async () => {
    proxy.gateway.appendGate = failToAppend
    expect((await proxy.get('/simple/bar/')).status).toBe(507)
    const client = await proxy.connect()
    client.send('rubbish\r\n\r\n')
    expect((await client.response()).status).toBe(507)
  })

  test('refuses pages once it is known, and serves again once it is mended', async () => {
    proxy.gateway.appendGate = failToAppend
    await proxy.get(path)
    expect((await proxy.get('/simple/foo/')).status).toBe(507)
    expect((await proxy.get('/simple/foo')).status).toBe(507)
    expect((await proxy.get('/-/health')).status).toBe(200)
    proxy.gateway.appendGate = undefined
    expect((await proxy.get('/simple/foo/')).status).toBe(200)
    expect((await proxy.get(path)).status).toBe(200)
  })

  test('is noticed by the first page too', async () => {
    proxy.gateway.appendGate = failToAppend
    expect((await proxy.get('/simple/foo/')).status).toBe(200)
    expect((await proxy.get('/simple/foo/')).status).toBe(507)
  })

  test('an error without a code is an AUDIT_FAILED as well, with its cause', async () => {
    proxy.gateway.appendGate = async () => Promise.reject(new Error('EIO'))
    const { status, body } = await proxy.get(path)
    expect(status).toBe(507)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'AUDIT_FAILED', found: 'EIO' })
  })
})

test('pages wait for a log that is far behind, so that memory is bounded', async () => {
  const gate = Promise.withResolvers<void>()
  let calls = 0
  const log = new RequestLog({
    append: async () => {
      calls += 1
      await gate.promise
    },
    reportFault: () => undefined,
  })
  for (let at = 0; at < 512; at += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each returns at once
    await log.note({ kind: 'page' })
  }
  let isNoted = false
  const last = log.note({ kind: 'page' }).then(() => (isNoted = true))
  await new Promise((resolve) => void setImmediate(resolve))
  expect([calls, isNoted]).toEqual([513, false])
  gate.resolve()
  await last
})
