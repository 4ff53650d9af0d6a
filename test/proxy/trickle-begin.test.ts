/** When an answer may begin: with a length and a first byte, and until when they are waited for. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VerifyError } from '../../src/base/errors.ts'
import { filePath, type ManualFetch } from '../support/memory-gateway.ts'
import type { RawClient } from '../support/raw-client.ts'
import { dripEveryMs, holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(600_000, 'genuine ')
const filename = 'foo-1.0.tar.gz'
const path = filePath('foo', filename)
const mismatch = new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`)

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

async function stayPatient(polls: number): Promise<void> {
  await proxy.timers.fire(holdForMs)
  for (let poll = 0; poll < polls; poll += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await proxy.timers.fire(1000)
  }
}

describe('a host that does not send a byte', () => {
  test('is named before an installer gives up, 15 s after it asked; the fetch goes on', async () => {
    const fetching = await ask()
    await stayPatient(4)
    const { status, body } = await client.response()
    expect(status).toBe(504)
    expect(JSON.parse(String(body))).toMatchObject({
      code: 'TIMED_OUT',
      detail: expect.stringContaining('the file host has not sent a byte in 12 s') as string,
      next: 'ask again: the fetch goes on, and what has arrived by then is served at once',
    })
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'TIMED_OUT' }])
    fetching.finish(content)
    expect((await proxy.get(path)).body.equals(content)).toBe(true)
  })

  test('and then does is waited for', async () => {
    const fetching = await ask()
    await stayPatient(3)
    await proxy.timers.waitFor(1000)
    expect(client.received.length).toBe(0)
    fetching.receive(content)
    await proxy.timers.fire(1000)
    expect((await client.bodyBytes(1)).toString()).toBe('g')
    fetching.finish(content)
    expect((await client.response()).body.equals(content)).toBe(true)
  })
})

describe('a record without sizes', () => {
  beforeEach(() => proxy.gateway.addProject('foo', [{ filename, content, size: null }]))

  test('the announced length is promised, once there is one', async () => {
    const fetching = await ask()
    await proxy.timers.fire(holdForMs)
    await proxy.timers.fire(1000)
    await proxy.timers.waitFor(1000)
    expect(client.received.length).toBe(0)
    fetching.length = content.length
    fetching.receive(content)
    await proxy.timers.fire(1000)
    await client.bodyBytes(1)
    fetching.finish(content)
    const { headers, body } = await client.response()
    expect(headers.get('content-length')).toBe('600000')
    expect(body.equals(content)).toBe(true)
  })

  test('without any length the proxy waits and then sends an ordinary answer', async () => {
    const fetching = await ask()
    await proxy.timers.fire(holdForMs)
    await proxy.timers.waitFor(1000)
    fetching.finish(content)
    const { headers, body } = await client.response()
    expect(headers.has('etag')).toBe(true)
    expect(body.equals(content)).toBe(true)
  })

  test('a file of another length than announced is not continued', async () => {
    const fetching = await ask()
    fetching.length = content.length + 1
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    await client.bodyBytes(1)
    fetching.finish(content)
    expect(await client.ended()).toBe('fin')
    expect((await client.bodyBytes(0)).length).toBe(1)
    expect(proxy.gateway.events).toMatchObject([{ code: 'LENGTH_MISMATCH' }])
  })

  test('an empty file is not announced before it is verified', async () => {
    const fetching = await ask()
    fetching.length = 0
    await proxy.timers.fire(holdForMs)
    await proxy.timers.waitFor(1000)
    expect(client.received.length).toBe(0)
    fetching.fail(mismatch)
    expect((await client.response()).status).toBe(403)
  })

  test('a host that never tells a length is given up on', async () => {
    const fetching = await ask()
    fetching.receive(content)
    await proxy.timers.fire(holdForMs)
    const answer = client.response()
    for (let poll = 0; poll <= (dripEveryMs * 49) / 1000; poll += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await proxy.timers.fire(1000)
    }
    expect((await answer).status).toBe(504)
  })
})
