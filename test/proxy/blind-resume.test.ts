import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filePath } from '../support/memory-gateway.ts'
import { holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(600_000, 'genuine ')
const filename = 'foo-1.0.tar.gz'
const path = filePath('foo', filename)

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [{ filename, content }])
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

describe('attack A17: a client that resumes behind bytes that were not verified', () => {
  test.each([
    ['wget, which takes what it has off the whole', ['User-Agent: Wget/1.21.3']],
    ['one that does not say who it is', []],
    ['one that has the name of pip somewhere', ['User-Agent: not pip/26.2.1']],
  ])('%s: told to begin again', async (_, headers) => {
    proxy.gateway.store(content)
    for (const start of [1, 48]) {
      const range = `Range: bytes=${start}-`
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await proxy.get(path, [range, ...headers])
      expect([status, body.includes('genuine')]).toEqual([400, false])
      expect(JSON.parse(body.toString())).toMatchObject({
        code: 'BAD_REQUEST',
        detail: expect.stringContaining(
          'the first bytes that this client has were not verified: it must not go on from them',
        ) as string,
        found: `bytes=${start}-`,
        next: 'remove what was begun, and ask for the whole file',
      })
    }
  })

  test('pip, which begins again with whatever is not a 206: gets the whole', async () => {
    proxy.gateway.store(content)
    const pip = 'User-Agent: pip/26.2.1 {"ci":null}'
    const { status, body } = await proxy.get(path, ['Range: bytes=25-', pip])
    expect([status, body.equals(content)]).toEqual([200, true])
  })

  test('what is longer than what may leave unverified can be gone on from', async () => {
    proxy.gateway.store(content)
    expect((await proxy.get(path, ['Range: bytes=49-'])).status).toBe(206)
  })

  test('a part from the middle, of which nobody makes a whole: gets the whole', async () => {
    proxy.gateway.store(content)
    const { status, body } = await proxy.get(path, ['Range: bytes=25-599999'])
    expect([status, body.length]).toEqual([200, content.length])
  })

  test('while the file is being fetched: nothing of it leaves, and the fetch goes on', async () => {
    const client = await proxy.connect()
    client.ask(path, ['Range: bytes=25-', 'User-Agent: Wget/1.21.3'])
    await proxy.timers.waitFor(holdForMs)
    proxy.gateway.fetches[0]!.receive(content)
    await proxy.timers.fire(holdForMs)
    const { status, body } = await client.response()
    expect([status, body.includes('genuine')]).toEqual([400, false])
    proxy.gateway.fetches[0]!.finish(content)
    expect((await proxy.get(path)).body.equals(content)).toBe(true)
  })
})
