import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MemoryForward } from '../support/memory-forward.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const accessToken = 'kzGdnXcR0tZ3'

function basic(text: string): string {
  return `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}`
}

let forward: MemoryForward
let guarded: RunningProxy

async function ask(url: string, ...headers: readonly string[]): Promise<RawResponse> {
  const own = await guarded.connect()
  const host = url.slice(7, url.indexOf('/', 8))
  own.send([`GET ${url} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n'))
  return own.response()
}

describe('a proxy for one command', () => {
  beforeEach(async () => {
    forward = new MemoryForward()
    forward.allowed.add('other.test:80')
    guarded = await RunningProxy.start({ forward, accessToken })
    guarded.gateway.addProject('foo', [])
  })
  afterEach(() => guarded.stop())

  test('answers whoever knows its password', async () => {
    const header = basic(`tufgate:${accessToken}`)
    expect((await ask('http://index.test/simple/foo/', header)).status).toBe(200)
    expect((await ask('http://other.test/', header)).status).toBe(200)
    expect(JSON.stringify(guarded.gateway.events)).not.toContain(accessToken)
  })

  test.each([
    ['nothing', []],
    ['another password', [basic('tufgate:guess')]],
    ['another user', [basic(`admin:${accessToken}`)]],
    ['no user', [basic(accessToken)]],
    ['another scheme', [`Proxy-Authorization: Bearer ${accessToken}`]],
    ['what is no base64', ['Proxy-Authorization: Basic ***']],
    ['two', [basic(`tufgate:${accessToken}`), basic(`tufgate:${accessToken}`)]],
    ['the credentials of the index', [`Authorization: Basic ${btoa(`tufgate:${accessToken}`)}`]],
  ])('asks for it: %s -> 407', async (_, headers) => {
    for (const url of [
      'http://index.test/simple/foo/',
      'http://other.test/',
      'http://evil.test/',
    ]) {
      const response = await ask(url, ...headers)
      expect(response.status).toBe(407)
      expect(response.headers.get('proxy-authenticate')).toBe('Basic realm="tufgate"')
    }
    expect(forward.passed).toEqual([])
    expect(JSON.stringify(guarded.gateway.events)).not.toContain(accessToken)
  })

  test('has its own address behind its own path, as before', async () => {
    const host = `localhost:${guarded.port}`
    expect((await ask(`http://${host}/${accessToken}/simple/foo/`)).status).toBe(200)
    expect((await ask(`http://${host}/simple/foo/`)).status).toBe(404)
  })
})
