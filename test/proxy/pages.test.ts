import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import { parseDenyRule } from '../../src/policy/deny-rule.ts'
import { openPolicy, trust } from '../support/memory-gateway.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const json = 'Accept: application/vnd.pypi.simple.v1+json'
const content = encodeUtf8('a wheel')
const wheel = {
  filename: 'foo-1.0-py3-none-any.whl',
  content,
  uploadTime: '2026-11-20T11:00:00.000000Z',
}

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [wheel])
})
afterEach(async () => proxy.stop())

interface PageJson {
  files: { filename: string; url: string; hashes: Record<string, string> }[]
}

describe('a page', () => {
  test('is rendered from the record, with links to the proxy and one hash', async () => {
    const { status, headers, body } = await proxy.get('/simple/foo/', [json])
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/vnd.pypi.simple.v1+json')
    const page = JSON.parse(body.toString()) as PageJson
    expect(page.files[0]?.url).toContain(
      '../../files/foo/files.test/packages/foo-1.0-py3-none-any.whl',
    )
    expect(Object.keys(page.files[0]?.hashes ?? {})).toEqual(['sha256'])
  })

  test('is HTML for a client that does not ask for JSON', async () => {
    const { headers, body } = await proxy.get('/simple/foo/')
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    expect(body.toString()).toContain('foo-1.0-py3-none-any.whl</a>')
  })

  test('says what it rests on, and how it may be cached', async () => {
    const { headers } = await proxy.get('/simple/foo/', [json])
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('vary')).toBe('Accept, Accept-Encoding')
    expect(headers.get('x-tufgate-trust')).toBe('root=3 timestamp=41 snapshot=40')
    expect(headers.get('x-request-id')).toMatch(/^r-[a-z2-7]{8}$/)
    expect(headers.has('access-control-allow-origin')).toBe(false)
    expect(headers.has('transfer-encoding')).toBe(false)
  })

  test('of a first sight says so', async () => {
    const found = proxy.gateway.lookups.get('foo')!
    proxy.gateway.lookups.set('foo', { ...found, trust: { root: 1, firstUse: true } })
    expect((await proxy.get('/simple/foo/')).headers.get('x-tufgate-trust')).toBe('first-use')
  })

  test('has another strong ETag in each format and encoding, and answers 304 to its own only', async () => {
    proxy.gateway.addProject(
      'foo',
      Array.from({ length: 40 }, (_, at) => ({
        filename: `foo-1.${at}-py3-none-any.whl`,
        content: encodeUtf8(`wheel ${at}`),
      })),
    )
    const plain = await proxy.get('/simple/foo/', [json])
    const zipped = await proxy.get('/simple/foo/', [json, 'Accept-Encoding: gzip, deflate'])
    const html = await proxy.get('/simple/foo/')
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(zipped.body)).toEqual(plain.body)
    const tags = [plain, zipped, html].map(({ headers }) => headers.get('etag'))
    expect(new Set(tags).size).toBe(3)
    expect(tags.every((tag) => /^"[0-9a-f]{32}"$/.test(tag ?? ''))).toBe(true)
    const same = await proxy.get('/simple/foo/', [json, `If-None-Match: ${tags[0]!}`])
    expect(same.status).toBe(304)
    expect(same.headers.get('etag')).toBe(tags[0])
    expect((await proxy.get('/simple/foo/', [`If-None-Match: ${tags[0]!}`])).status).toBe(200)
  })

  test('answers HEAD with the same headers and no body', async () => {
    const get = await proxy.get('/simple/foo/', [json])
    const client = await proxy.connect()
    client.ask('/simple/foo/', [json], 'HEAD')
    const head = await client.response({ head: true })
    expect(head.headers.get('content-length')).toBe(String(get.body.length))
    expect(head.headers.get('etag')).toBe(get.headers.get('etag'))
    client.ask('/simple/foo/', [json])
    expect((await client.response()).body).toEqual(get.body)
  })

  test('is rendered once, however many ask', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => proxy.get('/simple/foo/', [json])),
    )
    expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(1)
  })

  test('changes when the record does', async () => {
    const before = await proxy.get('/simple/foo/', [json])
    proxy.gateway.addProject('foo', [wheel, { ...wheel, filename: 'foo-1.1-py3-none-any.whl' }])
    const after = await proxy.get('/simple/foo/', [
      json,
      `If-None-Match: ${before.headers.get('etag')!}`,
    ])
    expect(after.status).toBe(200)
    expect(after.body.toString()).toContain('foo-1.1')
  })

  test.each([
    ['/simple/foo', 'foo/'],
    ['/simple/Foo/', '../foo/'],
  ])('%s is redirected, relative', async (target, location) => {
    const { status, headers } = await proxy.get(target)
    expect([status, headers.get('location')]).toEqual([301, location])
  })
})

describe('policy on a page', () => {
  test('hides a young file, says so once in the log, and shows it when it is old enough', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 2 * 3_600_000 }
    proxy.gateway.addProject('foo', [{ ...wheel, uploadTime: '2026-11-20T11:00:00.000000Z' }])
    expect((await proxy.get('/simple/foo/', [json])).body.toString()).not.toContain('foo-1.0')
    await proxy.get('/simple/foo/', [json])
    const hidden = proxy.gateway.events.filter(({ kind }) => kind === 'hidden')
    expect(hidden).toMatchObject([{ project: 'foo', code: 'TOO_YOUNG' }])
    expect(hidden[0]?.message).toBe(
      'policy hides foo-1.0-py3-none-any.whl, and nothing else is left',
    )
    expect(proxy.gateway.whollyHidden).toEqual(['foo'])
    proxy.gateway.time += 2 * 3_600_000
    expect((await proxy.get('/simple/foo/', [json])).body.toString()).toContain('foo-1.0')
  })

  test('that leaves nothing is told once a minute while it is asked for, and is in the log first', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 2 * 3_600_000 }
    const files = [
      wheel,
      { ...wheel, filename: 'foo-0.9-py3-none-any.whl', removed: '2026-11-20T10:00:00Z' },
    ]
    proxy.gateway.addProject('foo', files)
    proxy.gateway.appendGate = ({ kind }) => {
      if (kind === 'hidden') expect(proxy.gateway.whollyHidden).toHaveLength(hidden().length)
      return Promise.resolve()
    }
    const hidden = (): unknown[] => proxy.gateway.events.filter(({ kind }) => kind === 'hidden')
    for (let second = 0; second <= 120; second += 20) {
      await proxy.get('/simple/foo/', [json])
      proxy.gateway.time += 20_000
    }
    expect(proxy.gateway.whollyHidden).toEqual(['foo', 'foo', 'foo'])
    expect(hidden()).toHaveLength(3)
  })

  test('that leaves something is not told to the operator', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 2 * 3_600_000 }
    const old = { ...wheel, filename: 'foo-0.9.tar.gz', uploadTime: '2026-11-01T11:00:00.000000Z' }
    proxy.gateway.addProject('foo', [wheel, old])
    await proxy.get('/simple/foo/', [json])
    expect(proxy.gateway.whollyHidden).toEqual([])
  })

  test('hides it again when the clock goes back', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 1_800_000 }
    expect((await proxy.get('/simple/foo/', [json])).body.toString()).toContain('foo-1.0')
    proxy.gateway.time -= 3_000_000
    expect((await proxy.get('/simple/foo/', [json])).body.toString()).not.toContain('foo-1.0')
  })

  test('leaves a denied file on the page: its download says why', async () => {
    proxy.gateway.policy = { ...openPolicy, deny: [parseDenyRule('foo==1.0')] }
    expect((await proxy.get('/simple/foo/', [json])).body.toString()).toContain('foo-1.0')
  })
})

describe('a refused page', () => {
  test('is 451 when the list has expired, with the reason for uv in the body', async () => {
    proxy.gateway.lookupFault = new VerifyError('EXPIRED', 'signed list expired 3 h ago', {
      expected: 'timestamp not older than 2026-11-20T09:00:00Z',
      next: 'check that the mirror runs',
    })
    const { status, reason, headers, body } = await proxy.get('/simple/foo/', [json])
    expect(status).toBe(451)
    expect(headers.get('content-type')).toBe('application/problem+json')
    const id = headers.get('x-request-id')!
    expect(reason).toBe(`Refused by tufgate: signed list expired 3 h ago (${id})`)
    expect(JSON.parse(body.toString())).toEqual({
      type: 'urn:tufgate:problem:expired',
      title: 'Refused by tufgate',
      status: 451,
      detail: `signed list expired 3 h ago (${id})`,
      instance: `urn:tufgate:request:${id}`,
      code: 'EXPIRED',
      expected: 'timestamp not older than 2026-11-20T09:00:00Z',
      next: 'check that the mirror runs',
    })
    expect(proxy.gateway.events).toMatchObject([
      { kind: 'refused', id, code: 'EXPIRED', project: 'foo' },
    ])
  })

  test('an expired list refuses HEAD and a known ETag too', async () => {
    const etag = (await proxy.get('/simple/foo/', [json])).headers.get('etag')!
    proxy.gateway.lookupFault = new VerifyError('EXPIRED', 'signed list expired 3 h ago')
    expect((await proxy.get('/simple/foo/', [json, `If-None-Match: ${etag}`])).status).toBe(451)
    expect((await proxy.get('/simple/foo/', [json], 'HEAD')).status).toBe(451)
  })

  test('is 404 when the project is proven to be absent', async () => {
    const { status, reason, headers } = await proxy.get('/simple/bar/', [json])
    expect(status).toBe(404)
    expect(reason).toContain('project bar is not in the signed list')
    expect(headers.get('x-tufgate-trust')).toBe('root=3 timestamp=41 snapshot=40')
  })

  test('is 404 with trust on first use too, where the log says that nothing is proven', async () => {
    const firstUse = { root: 1, timestamp: 2, firstUse: true }
    proxy.gateway.lookups.set('bar', { kind: 'absent', trust: firstUse, claimed: false })
    const { status, reason, headers } = await proxy.get('/simple/bar/', [json])
    expect(status).toBe(404)
    expect(reason).not.toMatch(/signed|verified/)
    expect(headers.get('x-tufgate-trust')).toBe('first-use timestamp=2')
    expect(proxy.gateway.events).toMatchObject([
      {
        kind: 'refused',
        code: 'NOT_FOUND',
        message: expect.stringContaining('not proven, the index said so') as string,
        trust: { kind: 'first-use' },
      },
    ])
  })

  test('is 451 when an index claims the name: no other index may answer for it', async () => {
    proxy.gateway.lookups.set('acme-x', { kind: 'absent', trust, claimed: true })
    const { status, body } = await proxy.get('/simple/acme-x/', [json])
    expect(status).toBe(451)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'NOT_SIGNED' })
  })

  test('is 503 with a whole number to wait for when metadata could not be fetched', async () => {
    proxy.gateway.lookupFault = new UpstreamError(
      'METADATA_UNAVAILABLE',
      'bins-0a could not be fetched',
    )
    const { status, headers } = await proxy.get('/simple/foo/', [json])
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('is 500 with the request id for a bug, whose stack stays here', async () => {
    proxy.gateway.lookupFault = new TypeError('secret of the inside')
    const { status, reason, headers, body } = await proxy.get('/simple/foo/', [json])
    expect(status).toBe(500)
    expect(reason + body.toString()).not.toContain('secret')
    const id = headers.get('x-request-id')!
    expect(reason).toContain(`(${id})`)
    expect(proxy.faults.join()).toMatch(/TypeError: secret of the inside\n +at /)
    expect(proxy.faults.join()).toContain(id)
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'BUG' }])
  })
})

describe('other pages', () => {
  test('the list of projects, where the mirror has one', async () => {
    expect((await proxy.get('/simple/', [json])).status).toBe(404)
    proxy.gateway.list = { names: ['foo', 'bar'], digest: 'd'.repeat(64), trust }
    const { status, body } = await proxy.get('/simple/', [json])
    expect(status).toBe(200)
    expect(JSON.parse(body.toString())).toMatchObject({
      projects: [{ name: 'foo' }, { name: 'bar' }],
    })
  })

  test('health and readiness', async () => {
    expect((await proxy.get('/-/health')).body.toString()).toBe('{"status":"ok"}\n')
    expect((await proxy.get('/-/ready')).status).toBe(200)
    proxy.gateway.ready = false
    const { status, body } = await proxy.get('/-/ready')
    expect(status).toBe(503)
    expect(JSON.parse(body.toString())).toMatchObject({
      ready: false,
      checks: [{ name: 'mirror' }],
    })
  })
})
