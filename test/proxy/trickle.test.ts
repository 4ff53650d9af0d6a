import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import { filePath, failToAppend, type ManualFetch } from '../support/memory-gateway.ts'
import type { RawClient } from '../support/raw-client.ts'
import { dripEveryMs, holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(600_000, 'genuine ')
const evil = Buffer.alloc(600_000, 'EVIL')
const filename = 'foo-1.0.tar.gz'
const path = filePath('foo', filename)
const mismatch = new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`)

const pip = 'User-Agent: pip/26.2.1 {}'

let proxy: RunningProxy
let client: RawClient
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [{ filename, content }])
  client = await proxy.connect()
})
afterEach(async () => {
  // Whatever happened, the server is well.
  proxy.gateway.appendGate = undefined
  expect((await proxy.get('/-/health')).status).toBe(200)
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

/** Asks for the file and waits until the proxy does. */
async function ask(headers: readonly string[] = [], method = 'GET'): Promise<ManualFetch> {
  client.ask(path, headers, method)
  await proxy.timers.waitFor(holdForMs)
  return proxy.gateway.fetches[0]!
}

describe('a file that takes long', () => {
  test('nothing leaves before hold-for; verified by then, it is sent with its ETag', async () => {
    const fetching = await ask()
    fetching.receive(content)
    expect(client.received.length).toBe(0)
    fetching.finish(content)
    const { status, headers, body } = await client.response()
    expect(status).toBe(200)
    expect(headers.get('etag')).toBe(`"sha256-${sha256Hex(content)}"`)
    expect(body.equals(content)).toBe(true)
  })

  test('after hold-for come the signed length and one byte at a time, then the rest at once', async () => {
    const fetching = await ask()
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    expect((await client.bodyBytes(1)).toString()).toBe('g')
    await proxy.timers.fire(dripEveryMs)
    await proxy.timers.waitFor(dripEveryMs)
    expect((await client.bodyBytes(2)).toString()).toBe('ge')
    fetching.finish(content)
    const { status, headers, body } = await client.response()
    expect(status).toBe(200)
    expect(headers.get('content-length')).toBe('600000')
    // An ETag would let a client put other bytes behind these.
    expect(headers.has('etag')).toBe(false)
    expect(headers.has('accept-ranges')).toBe(false)
    expect(headers.has('transfer-encoding')).toBe(false)
    expect(body.equals(content)).toBe(true)
    expect(proxy.gateway.events).toMatchObject([{ kind: 'released' }])
  })

  test('the connection goes on afterwards', async () => {
    const fetching = await ask()
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    fetching.finish(content)
    expect((await client.response()).body.equals(content)).toBe(true)
    client.ask(path)
    expect((await client.response()).status).toBe(200)
  })

  test('that turns out wrong ends in FIN, and the retry gets the reason', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.fail(mismatch)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).toString()).toBe('E')
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'DIGEST_MISMATCH' }])
    proxy.gateway.nextFetch = () => ({
      done: Promise.reject(mismatch),
      progress: () => fetching.progress(),
    })
    for (const headers of [[], ['Range: bytes=1-'], ['Range: bytes=1-', 'If-Range: "x"']]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, reason } = await proxy.get(path, headers)
      expect(status).toBe(403)
      expect(reason).toContain(
        `Refused by tufgate: sha256 of ${filename} is not the signed one (r-`,
      )
    }
  })

  test('never more than 48 bytes leave; then FIN, while the fetch goes on and the retry finds the file', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    for (let drip = 0; drip < 48; drip += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await proxy.timers.fire(dripEveryMs)
    }
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).length).toBe(48)
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'TOO_SLOW' }])
    fetching.finish(content)
    expect((await proxy.get(path)).body.equals(content)).toBe(true)
  })

  test.each([1, 2, 20, 48, 49])(
    'a file of %d bytes is never complete before it is verified',
    async (size) => {
      const small = Buffer.alloc(size, 'x')
      proxy.gateway.addProject('foo', [{ filename, content: small }])
      const fetching = await ask()
      fetching.receive(small)
      await proxy.timers.fire(holdForMs)
      for (let drip = 0; drip < Math.max(1, Math.min(48, size - 1)); drip += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await proxy.timers.fire(dripEveryMs)
      }
      expect(await client.ended()).toBe('fin')
      expect((await client.bodyBytes(0)).length).toBe(Math.min(48, size - 1))
    },
  )

  test('an answer that began with one attempt ends when another starts', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.attempt = 2
    fetching.receive(content)
    await proxy.timers.fire(dripEveryMs)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).toString()).toBe('E')
    expect(proxy.gateway.events).toMatchObject([
      { code: 'BROKEN_OFF', expected: 'attempt 1', found: 'attempt 2' },
    ])
  })

  test('the log says why the fetch had to start again, not only that it did', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.attempt = 2
    fetching.failure = new UpstreamError('TOO_SLOW', 'the file came at 4 B/s')
    await proxy.timers.fire(dripEveryMs)
    expect(await client.ended()).toBe('fin')
    expect(proxy.gateway.events).toMatchObject([
      {
        code: 'TOO_SLOW',
        message: 'the fetch had to start again after the answer had begun: the file came at 4 B/s',
      },
    ])
  })

  test('attack A17, splice: bytes of one attempt are never continued with those of another', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.attempt = 2
    fetching.finish(content)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).toString()).toBe('E')
  })

  test('attack A17: nor if the fetch forgot to count its attempts', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.finish(content)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).toString()).toBe('E')
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'DIGEST_MISMATCH' }])
  })

  test('attack A17: a resume behind unverified bytes gets the whole, not the rest', async () => {
    proxy.gateway.store(content)
    for (const start of [1, 2, 48]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await proxy.get(path, [`Range: bytes=${start}-`, pip])
      expect([status, body.length]).toEqual([200, content.length])
    }
    expect((await proxy.get(path, ['Range: bytes=49-'])).status).toBe(206)
    const resume = ['Range: bytes=20-', `If-Range: "sha256-${sha256Hex(content)}"`]
    expect((await proxy.get(path, resume)).status).toBe(206)
  })

  test('attack A16: a complete small file padded to the genuine length does not get through', async () => {
    const fetching = await ask()
    const small = Buffer.concat([
      Buffer.from('a whole tiny sdist'),
      Buffer.alloc(content.length - 18),
    ])
    fetching.receive(small)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.fail(mismatch)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).length).toBe(1)
  })
})

describe('what else a client may ask of a file that is not verified', () => {
  test.each([
    ['a range', ['Range: bytes=0-99']],
    ['the end', ['Range: bytes=-100']],
    ['two ranges', ['Range: bytes=0-9,500-599']],
    ['a resume', ['Range: bytes=500-', `If-Range: "sha256-${sha256Hex(content)}"`]],
  ])('%s gets the whole as one trickle from the first byte', async (_, headers) => {
    const fetching = await ask(headers)
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.fail(mismatch)
    expect(await client.ended()).toBe('fin')
    expect(client.received.toString('latin1')).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nE$/)
  })

  test('a range of a file that is verified in time is a range', async () => {
    const fetching = await ask(['Range: bytes=-8'])
    fetching.finish(content)
    const { status, body } = await client.response()
    expect([status, body.toString()]).toEqual([206, 'genuine '])
  })

  test('HEAD waits for the verdict', async () => {
    const fetching = await ask([], 'HEAD')
    fetching.fail(mismatch)
    expect((await client.response({ head: true })).status).toBe(403)
  })

  test('HEAD after hold-for tells only what is signed, and the connection goes on', async () => {
    const fetching = await ask([], 'HEAD')
    fetching.receive(evil)
    fetching.length = 5
    await proxy.timers.fire(holdForMs)
    const { status, headers } = await client.response({ head: true })
    expect([status, headers.get('content-length')]).toEqual([200, '600000'])
    expect(headers.has('etag') || headers.has('accept-ranges')).toBe(false)
    expect(client.received.length).toBe(0)
    client.ask('/-/health')
    expect((await client.response()).status).toBe(200)
  })

  test('If-None-Match with the signed digest is not answered before the file is verified', async () => {
    const fetching = await ask([`If-None-Match: "sha256-${sha256Hex(content)}"`])
    fetching.fail(mismatch)
    expect((await client.response()).status).toBe(403)
  })
})

describe('clients that come and go', () => {
  test('one that hangs up half-way does not stop the fetch for those that follow', async () => {
    const fetching = await ask()
    proxy.gateway.nextFetch = () => fetching
    const follower = await proxy.connect()
    follower.ask(path)
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    const left = new Promise<void>((resolve) => {
      proxy.gateway.appendGate = async ({ kind }) => {
        if (kind === 'warning') resolve()
      }
    })
    client.close()
    await left
    fetching.finish(content)
    expect((await follower.response()).body.equals(content)).toBe(true)
    follower.close()
  })

  test('one that hangs up before anything was sent is noted', async () => {
    await ask()
    const left = new Promise<string>((resolve) => {
      proxy.gateway.appendGate = async ({ message }) => resolve(message ?? '')
    })
    client.close()
    expect(await left).toBe('the client left before the file was checked')
  })

  test('requests behind a cut-off answer on the same connection are not answered', async () => {
    const fetching = await ask()
    client.ask('/-/health')
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.fail(mismatch)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).toString()).toBe('E')
  })
})

describe('the audit log and a release', () => {
  test('no last bytes before the line is on disk', async () => {
    proxy.gateway.store(content)
    const gate = Promise.withResolvers<void>()
    proxy.gateway.appendGate = async () => gate.promise
    client.ask(path)
    const early = await client.bodyBytes(1)
    expect(early.length).toBeLessThan(content.length)
    gate.resolve()
    expect((await client.response()).body.equals(content)).toBe(true)
  })

  test('a log that breaks in the middle ends the answer before its last bytes', async () => {
    proxy.gateway.store(content)
    proxy.gateway.appendGate = failToAppend
    client.ask(path)
    await client.ended()
    expect((await client.bodyBytes(0)).length).toBeLessThan(content.length)
    expect(proxy.faults.join()).toContain('the audit log cannot be written')
  })

  test('a log that breaks while a client is kept waiting releases nothing more', async () => {
    const fetching = await ask()
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    proxy.gateway.appendGate = failToAppend
    fetching.finish(content)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).length).toBeLessThan(content.length)
  })

  test('a failed fetch after the headers is in the log before the FIN', async () => {
    const fetching = await ask()
    fetching.receive(evil)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    const order: string[] = []
    proxy.gateway.appendGate = async ({ code }) => void order.push(code ?? '')
    fetching.fail(new UpstreamError('BROKEN_OFF', 'files.test broke off'))
    await client.ended()
    order.push('fin')
    expect(order).toEqual(['BROKEN_OFF', 'fin'])
  })
})
