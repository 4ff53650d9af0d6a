import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import { MemoryForward } from '../support/memory-forward.ts'
import { openPolicy } from '../support/memory-gateway.ts'
import type { RawClient, RawResponse } from '../support/raw-client.ts'
import { dripEveryMs, holdForMs, RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.alloc(70_000, 'genuine ')
const metadata = Buffer.from('Name: foo\n')
const wheel = 'foo-1.0-py3-none-any.whl'
const sdist = 'foo-1.0.tar.gz'
const json = 'Accept: application/vnd.pypi.simple.v1+json'

let forward: MemoryForward
let proxy: RunningProxy
let client: RawClient
beforeEach(async () => {
  forward = new MemoryForward()
  proxy = await RunningProxy.start({ forward })
  proxy.gateway.addProject('foo', [
    { filename: wheel, content, metadata },
    { filename: sdist, content, url: `http://files.test/packages/${sdist}` },
  ])
  proxy.gateway.store(content)
  proxy.gateway.store(metadata)
  client = await proxy.connect()
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

/** As a client does that was told to use a proxy. */
async function ask(
  url: string,
  headers: readonly string[] = [],
  method = 'GET',
): Promise<RawResponse> {
  const host = /^http:\/\/([^/]*)/.exec(url)?.[1] ?? ''
  client.send([`${method} ${url} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n'))
  return client.response({ head: method === 'HEAD' })
}

const codes = (): (string | undefined)[] => proxy.gateway.events.map(({ code }) => code)

describe('pages of an index that is asked for by its own URL', () => {
  test('are rendered from the signed record, with the links of the record', async () => {
    const { status, body, headers } = await ask('http://index.test/simple/foo/', [json])
    expect(status).toBe(200)
    expect(headers.get('x-tufgate-trust')).toBe('root=3 timestamp=41 snapshot=40')
    const { files } = JSON.parse(body.toString()) as {
      files: { url: string; hashes: Record<string, string> }[]
    }
    expect(files.map(({ url }) => url)).toEqual([
      `https://files.test/packages/${wheel}`,
      `http://files.test/packages/${sdist}`,
    ])
    expect(files.map(({ hashes }) => Object.keys(hashes))).toEqual([['sha256'], ['sha256']])
    expect(proxy.gateway.events).toMatchObject([
      { kind: 'page', project: 'foo', request: 'GET http://index.test/simple/foo/' },
    ])
  })

  test('are other pages than our own of the same record', async () => {
    const own = await proxy.get('/simple/foo/', [json])
    const theirs = await ask('http://index.test/simple/foo/', [json])
    expect(own.body.toString()).toContain('"../../files/foo/files.test/')
    expect(theirs.body.toString()).not.toContain('../')
    expect(theirs.headers.get('etag')).not.toBe(own.headers.get('etag'))
    const again = await ask('http://index.test/simple/foo/', [
      json,
      `If-None-Match: ${theirs.headers.get('etag') ?? ''}`,
    ])
    expect(again.status).toBe(304)
  })

  test('leave out what policy hides, and the log says so', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 1 }
    const { status, body } = await ask('http://index.test/simple/foo/', [json])
    expect(status).toBe(200)
    expect((JSON.parse(body.toString()) as { files: unknown[] }).files).toEqual([])
    expect(proxy.gateway.events.map(({ kind }) => kind)).toEqual(['hidden', 'page'])
    expect(proxy.gateway.whollyHidden).toEqual(['foo'])
  })

  test.each([
    ['http://index.test/simple/foo', 'foo/'],
    ['http://index.test/simple/Foo/', '../foo/'],
    ['http://index.test/simple/F.o_o', 'f-o-o/'],
    ['http://index.test/simple', 'simple/'],
  ])('%s is sent on to %s, on the same host', async (url, location) => {
    const { status, headers } = await ask(url)
    expect([status, headers.get('location')]).toEqual([301, location])
  })

  test('are refused where nothing verifies, with the status that stops clients', async () => {
    proxy.gateway.lookupFault = new VerifyError('EXPIRED', 'the list has expired')
    const { status, reason } = await ask('http://index.test/simple/foo/')
    expect(status).toBe(451)
    expect(reason).toContain('the list has expired')
  })

  test('are not there for projects that are not signed', async () => {
    expect((await ask('http://index.test/simple/bar/')).status).toBe(404)
  })

  test('the list of projects is the signed one', async () => {
    proxy.gateway.list = {
      names: ['foo'],
      digest: 'd'.repeat(64),
      trust: { root: 3, timestamp: 41, snapshot: 40 },
    }
    const { status, body } = await ask('http://index.test/simple/?format=json', [json])
    expect(status).toBe(200)
    expect(body.toString()).toContain('"name":"foo"')
  })

  test('a query changes nothing', async () => {
    expect((await ask('http://index.test/simple/foo/?format=x')).status).toBe(200)
  })

  test('a refusal on the way to another server has each header once (HTTP/0.9)', async () => {
    client.send('GET http://other.test/x\r\nHost: other.test\r\n\r\n')
    await client.ended()
    const [head = ''] = client.received.toString('latin1').split('\r\n\r\n')
    expect(head).toContain('HTTP version 0.9 is not spoken here')
    expect(head.match(/^connection: close$/gim)).toHaveLength(1)
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])(
    '%s to a host of an index is 405',
    async (method) => {
      const { status, headers } = await ask('http://index.test/simple/foo/', [], method)
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
      expect(forward.passed).toEqual([])
    },
  )

  test('HEAD has the headers and no body', async () => {
    const { status, headers } = await ask('http://index.test/simple/foo/', [], 'HEAD')
    expect(status).toBe(200)
    expect(Number(headers.get('content-length'))).toBeGreaterThan(100)
  })
})

describe('projects that belong to another index', () => {
  test('whose patterns claim them are refused: no client goes past the rule', async () => {
    proxy.gateway.addProject('acme-tool', [])
    const { status, body } = await ask('http://index.test/simple/acme-tool/')
    expect(status).toBe(451)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'NOT_SIGNED',
      detail: expect.stringContaining(
        'project acme-tool belongs to index acme: it is not taken from public',
      ) as string,
    })
    const unnormalized = await ask('http://index.test/simple/ACME.tool/')
    expect(unnormalized.headers.get('location')).toBe('../acme-tool/')
  })

  test('that takes the rest are not there, so that clients ask that one', async () => {
    const { status, reason } = await ask('http://acme.test:8443/root/dev/+simple/foo/')
    expect(status).toBe(404)
    expect(reason).toContain('project foo belongs to index public: it is not taken from acme')
  })

  test('are found on their own, whose path may be any', async () => {
    proxy.gateway.addProject('acme-tool', [])
    expect((await ask('http://acme.test:8443/root/dev/+simple/acme-tool/')).status).toBe(200)
    expect((await ask('http://acme.test:8443/root/dev/%2Bsimple/acme-tool/')).status).toBe(200)
    expect((await ask('http://acme.test:8443/simple/acme-tool/')).status).toBe(404)
  })

  test('have no files on the hosts of this one', async () => {
    const filename = 'acme_tool-1.0-py3-none-any.whl'
    proxy.gateway.addProject('acme-tool', [{ filename, content }])
    const { status, reason } = await ask(`http://files.test/packages/${filename}`)
    expect(status).toBe(404)
    expect(reason).toContain('this is not the name of a file of a project of this index')
  })
})

describe('files that are asked for by their own URL', () => {
  test('come from the vault, verified', async () => {
    const { status, body } = await ask(`http://files.test/packages/${sdist}`)
    expect(status).toBe(200)
    expect(body.equals(content)).toBe(true)
    expect(proxy.gateway.events).toMatchObject([
      { kind: 'released', project: 'foo', file: sdist, bytes: content.length },
    ])
  })

  test('may be asked for by http where the record says https', async () => {
    expect((await ask(`http://files.test/packages/${wheel}`)).body.equals(content)).toBe(true)
  })

  test('and their metadata', async () => {
    const { body } = await ask(`http://files.test/packages/${wheel}.metadata`)
    expect(body.equals(metadata)).toBe(true)
  })

  test('are fetched, checked, and then sent; 48 bytes at most before', async () => {
    proxy.gateway.vault.clear()
    client.send(`GET http://files.test/packages/${sdist} HTTP/1.1\r\nHost: files.test\r\n\r\n`)
    await proxy.timers.fire(holdForMs)
    proxy.gateway.fetches[0]!.receive(content)
    for (let at = 0; at < 3; at += 1) await proxy.timers.fire(dripEveryMs)
    expect((await client.bodyBytes(1)).length).toBeLessThanOrEqual(48)
    proxy.gateway.fetches[0]!.finish(content)
    expect((await client.response()).body.equals(content)).toBe(true)
  })

  test('are refused when they are not the signed ones', async () => {
    proxy.gateway.vault.clear()
    client.send(`GET http://files.test/packages/${sdist} HTTP/1.1\r\nHost: files.test\r\n\r\n`)
    await proxy.timers.waitFor(holdForMs)
    proxy.gateway.fetches[0]!.fail(
      new VerifyError('DIGEST_MISMATCH', `sha256 of ${sdist} is not the signed one`),
    )
    const { status, reason } = await client.response()
    expect(status).toBe(403)
    expect(reason).toContain(`sha256 of ${sdist} is not the signed one`)
  })

  test('are refused where policy denies them', async () => {
    proxy.gateway.policy = {
      ...openPolicy,
      deny: [{ project: 'foo', text: 'foo' }],
    }
    const { status, reason } = await ask(`http://files.test/packages/${sdist}`)
    expect(status).toBe(403)
    expect(reason).toContain('the policy denies foo')
  })

  test.each([
    ['another path', `http://files.test/other/${sdist}`, 'the record of foo lists no such file'],
    ['another host of the index', `http://index.test/packages/${sdist}`, 'lists no such file'],
    ['a name that is no file', 'http://files.test/packages/x', 'not the name of a file'],
    ['another JSON', 'http://index.test/pypi/foo/1.0/x/json', 'of the JSON of an index there is'],
    ['a query', `http://files.test/packages/${sdist}?token=1`, 'file URLs have no query'],
    [
      'an empty segment',
      `http://files.test//packages/${sdist}`,
      'no page of the index and no file',
    ],
    ['the root of the host', 'http://files.test/', 'no page of the index and no file'],
    [
      'our own kind of URL',
      `http://files.test/files/foo/files.test/${sdist}`,
      'lists no such file',
    ],
  ])('%s is not found, and says why', async (_, url, reason) => {
    const response = await ask(url)
    expect(response.status).toBe(404)
    expect(response.reason).toContain(reason)
    expect(proxy.gateway.downloads).toEqual([])
  })
})

describe('a file whose name tells no project', () => {
  const filename = 'a-b-c-1.0.tar.gz'
  const url = `http://files.test/packages/${filename}`

  function list(project: string, bytes: Buffer): void {
    proxy.gateway.addProject(project, [{ filename, content: bytes, url }])
  }

  test('is the one of the record that lists its URL', async () => {
    list('a-b-c', content)
    expect((await ask(url)).body.equals(content)).toBe(true)
    expect(proxy.gateway.events).toMatchObject([{ kind: 'released', project: 'a-b-c' }])
  })

  test('is released where all records that list it agree', async () => {
    const legacy = 'a-1-2-x.tar.gz'
    const place = `http://files.test/packages/${legacy}`
    for (const project of ['a', 'a-1']) {
      proxy.gateway.addProject(project, [{ filename: legacy, content, url: place }])
    }
    expect((await ask(place)).body.equals(content)).toBe(true)
  })

  test('is refused where they do not', async () => {
    const legacy = 'a-1-2-x.tar.gz'
    const place = `http://files.test/packages/${legacy}`
    proxy.gateway.addProject('a', [{ filename: legacy, content, url: place }])
    const other = Buffer.from('other')
    proxy.gateway.addProject('a-1', [{ filename: legacy, content: other, url: place }])
    const { status, reason } = await ask(place)
    expect(status).toBe(403)
    expect(reason).toContain(`records of several projects disagree about ${legacy}`)
    expect(codes()).toEqual(['CONFLICT'])
  })

  test('is refused where one of them is in quarantine', async () => {
    const legacy = 'a-1-2-x.tar.gz'
    const place = `http://files.test/packages/${legacy}`
    const quarantine = { 'project-status': { status: 'quarantined' } }
    proxy.gateway.addProject('a-1', [{ filename: legacy, content, url: place }])
    proxy.gateway.addProject('a', [{ filename: legacy, content, url: place }], quarantine)
    expect((await ask(place)).status).toBe(403)
  })

  test('is refused where it may be a file of too many', async () => {
    const legacy = `${Array.from({ length: 12 }, (_, at) => `a-${at}`).join('-')}-x.tar.gz`
    const { status, reason } = await ask(`http://files.test/packages/${legacy}`)
    expect(status).toBe(403)
    expect(reason).toContain('may be a file of more than 8 projects')
  })

  test('of thousands of hyphens is not looked at for long', async () => {
    const { status } = await ask(`http://files.test/${'1-'.repeat(3500)}.tar.gz`)
    expect(status).toBe(404)
  })

  test('is not found where a lookup cannot say: 503, never 404', async () => {
    proxy.gateway.lookupFault = new UpstreamError('METADATA_UNAVAILABLE', 'no mirror answers')
    expect((await ask(url)).status).toBe(503)
  })
})

test('what is let pass and nobody waits for is not said to be answered', async () => {
  forward.allowed.add('other.test:80')
  forward.passThrough = async (_request, response) => {
    response.destroy()
    return { status: 0, bytes: 0 }
  }
  client.send('GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n')
  await client.ended()
  await proxy.get('/-/health')
  expect(proxy.gateway.events.slice(0, 2).map(({ message }) => message)).toEqual([
    'let pass to other.test:80, unverified',
    'the client left before other.test:80 answered',
  ])
})
