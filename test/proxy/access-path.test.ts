import { afterEach, describe, expect, test } from 'vitest'
import { MemoryForward } from '../support/memory-forward.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const accessToken = 'k3yk3yk3yk3yk3yk3y'

describe('a proxy for one command', () => {
  let proxy: RunningProxy | undefined

  afterEach(async () => proxy?.stop())

  test('answers under its path', async () => {
    proxy = await RunningProxy.start({ accessToken })
    const { status } = await proxy.get(`/${accessToken}/-/health`)
    expect(status).toBe(200)
  })

  test.each(['/-/health', '/wrong/-/health', '/simple/foo/', '/', '/k3y/-/health', '//-/health'])(
    'answers 404 for %s, whoever asks',
    async (target) => {
      proxy = await RunningProxy.start({ accessToken })
      const { status, reason } = await proxy.get(target)
      expect(status).toBe(404)
      expect(reason).toContain('nothing is served under this path')
    },
  )

  test('keeps its token out of the audit log', async () => {
    proxy = await RunningProxy.start({ accessToken })
    await proxy.get(`/${accessToken}/simple/foo/`)
    await proxy.get(`http://localhost/${accessToken}/simple/foo/`)
    await proxy.get(`http://evil.example/${accessToken}/simple/foo/`)
    expect(proxy.gateway.events.length).toBeGreaterThan(2)
    expect(JSON.stringify(proxy.gateway.events)).not.toContain(accessToken)
  })

  test.each([
    `//${accessToken}/simple/`,
    `/simple/${accessToken}/`,
    `http://localhost//${accessToken}/-/health`,
    `http://proxy.test/${accessToken}/simple/foo/`,
  ])('keeps it out of the log where a client puts %s together wrongly', async (target) => {
    proxy = await RunningProxy.start({ accessToken, forward: new MemoryForward() })
    await proxy.get(target)
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused' }])
    expect(JSON.stringify(proxy.gateway.events)).not.toContain(accessToken)
  })

  test('keeps it out of the log where a client connects to it', async () => {
    proxy = await RunningProxy.start({ accessToken, forward: new MemoryForward() })
    const client = await proxy.connect()
    client.send(`CONNECT ${accessToken} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await client.ended()
    expect(proxy.gateway.events).toMatchObject([{ request: 'CONNECT TOKEN' }])
    expect(JSON.stringify(proxy.gateway.events)).not.toContain(accessToken)
  })
})
