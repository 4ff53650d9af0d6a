/** `/pypi/<project>/json` and `/pypi/<project>/<version>/json`, of our own and as the index's. */

import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import { parsePins } from '../../src/policy/pin-set.ts'
import { MemoryForward } from '../support/memory-forward.ts'
import { openPolicy, type FileInput } from '../support/memory-gateway.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const metadata = encodeUtf8('Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n')
const wheel: FileInput = {
  filename: 'foo-1.0-py3-none-any.whl',
  content: encodeUtf8('a wheel'),
  uploadTime: '2026-11-20T11:00:00.000000Z',
  metadata,
}
const sdist: FileInput = { filename: 'foo-1.0.tar.gz', content: encodeUtf8('an sdist') }
const newer: FileInput = {
  filename: 'foo-1.1-py3-none-any.whl',
  content: encodeUtf8('another wheel'),
}

let forward: MemoryForward
let proxy: RunningProxy
beforeEach(async () => {
  forward = new MemoryForward()
  proxy = await RunningProxy.start({ forward })
  proxy.gateway.addProject('foo', [wheel, sdist, newer], { versions: ['1.0', '1.1'] })
  proxy.gateway.store(metadata)
})
afterEach(async () => {
  expect((await proxy.get('/-/health')).status).toBe(200)
  expect(proxy.gateway.openFiles).toBe(0)
  expect(proxy.faults).toEqual([])
  await proxy.stop()
})

interface Release {
  info: Record<string, unknown>
  urls: { filename: string; url: string; digests: object; yanked_reason: string | null }[]
  releases?: Record<string, Release['urls']>
}

function parse({ status, body }: RawResponse): Release {
  if (status !== 200) throw new Error(body.toString())
  return JSON.parse(body.toString()) as Release
}

const get = async (target: string): Promise<Release> => parse(await proxy.get(target))

/** As the index's own, as a client does that was told to use a proxy. */
async function ask(
  url: string,
  headers: readonly string[] = [],
  method: 'GET' | 'HEAD' = 'GET',
): Promise<RawResponse> {
  const client = await proxy.connect()
  client.send(
    [`${method} ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, ...headers, '', ''].join('\r\n'),
  )
  return client.response({ head: method === 'HEAD' })
}

const refusals = (): (string | undefined)[] =>
  proxy.gateway.events.filter(({ kind }) => kind === 'refused').map(({ code }) => code)

describe('the JSON of a release', () => {
  test('is made of the signed record, with the links of the record', async () => {
    const { status, headers, body } = await ask('http://index.test/pypi/foo/1.0/json')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('vary')).toBe('Accept-Encoding')
    expect(headers.get('x-tufgate-trust')).toBe('root=3 timestamp=41 snapshot=40')
    const { info, urls } = JSON.parse(body.toString()) as Release
    expect(info).toMatchObject({ name: 'foo', version: '1.0', yanked: false })
    expect(urls).toMatchObject([
      {
        filename: wheel.filename,
        url: `https://files.test/packages/${wheel.filename}`,
        packagetype: 'bdist_wheel',
        digests: { sha256: sha256Hex(wheel.content) },
        size: 7,
      },
      { filename: sdist.filename, packagetype: 'sdist' },
    ])
    expect(proxy.gateway.events).toMatchObject([
      {
        kind: 'page',
        project: 'foo',
        request: 'GET http://index.test/pypi/foo/1.0/json',
        bytes: body.length,
      },
    ])
    expect(proxy.gateway.downloads).toEqual([])
  })

  test('asked of ourselves has links to this proxy, relative, that lead to the files', async () => {
    proxy.gateway.store(wheel.content)
    const { urls } = await get('/pypi/foo/1.0/json')
    const { releases = {} } = await get('/pypi/foo/json')
    const links = [
      [urls[0]?.url, '/pypi/foo/1.0/json'],
      [releases['1.0']?.[0]?.url, '/pypi/foo/json'],
    ]
    for (const [link = '', base = ''] of links) {
      expect(link).toMatch(/^\.\.\//)
      const { pathname } = new URL(link, `http://localhost${base}`)
      expect(pathname).toBe(`/files/foo/files.test/packages/${wheel.filename}`)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await proxy.get(pathname)).status).toBe(200)
    }
  })

  test('is found by any spelling of the version, and is then the same', async () => {
    const tags = await Promise.all(
      ['1.0', '1.0.0', 'v1', '1%2E0'].map(async (version) =>
        (await proxy.get(`/pypi/foo/${version}/json`)).headers.get('etag'),
      ),
    )
    expect(new Set(tags).size).toBe(1)
    expect((await get('/pypi/foo/v1/json')).info['version']).toBe('1.0')
  })

  test.each([
    ['/pypi/Foo/json', '../foo/json'],
    ['/pypi/F_o.o/1.0+a!b/json', '../../f-o-o/1.0%2Ba!b/json'],
  ])('of another spelling of the project is elsewhere: %s', async (target, location) => {
    const own = await proxy.get(target)
    expect([own.status, own.headers.get('location')]).toEqual([301, location])
    const theirs = await ask(`http://index.test${target}`)
    expect([theirs.status, theirs.headers.get('location')]).toEqual([301, location])
  })

  test('has an ETag of its own, answers 304 to it, HEAD, and gzip where it is worth it', async () => {
    const url = 'http://index.test/pypi/foo/1.0/json'
    const plain = await ask(url)
    const etag = plain.headers.get('etag') ?? ''
    expect((await ask(url, [`If-None-Match: ${etag}`])).status).toBe(304)
    expect((await proxy.get('/pypi/foo/1.0/json', [`If-None-Match: ${etag}`])).status).toBe(200)
    const head = await ask(url, [], 'HEAD')
    expect([head.status, head.headers.get('etag'), head.body.length]).toEqual([200, etag, 0])
    expect(head.headers.get('content-length')).toBe(String(plain.body.length))
    const many = Array.from({ length: 40 }, (_, at) => ({
      ...sdist,
      filename: `foo-1.0-${at}-py3-none-any.whl`,
    }))
    proxy.gateway.addProject('foo', many)
    const zipped = await ask(url, ['Accept-Encoding: gzip'])
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(zipped.body)).toEqual((await ask(url)).body)
  })

  test('changes when the record does', async () => {
    const before = await get('/pypi/foo/1.0/json')
    proxy.gateway.addProject('foo', [{ ...wheel, removed: '2026-11-19T00:00:00Z' }, sdist])
    const after = await get('/pypi/foo/1.0/json')
    expect(before.urls[0]?.yanked_reason).toBeNull()
    expect(after.urls[0]?.yanked_reason).toBe('not listed since 2026-11-19T00:00:00Z')
  })

  test('of a first sight says so', async () => {
    const found = proxy.gateway.lookups.get('foo')!
    proxy.gateway.lookups.set('foo', { ...found, trust: { root: 1, firstUse: true } })
    const answer = await proxy.get('/pypi/foo/1.0/json')
    expect(answer.headers.get('x-tufgate-trust')).toBe('first-use')
    expect(answer.body.toString()).toContain('"_remark":"first-use: nobody vouches')
  })
})

describe('policy', () => {
  const places = [
    ['asked of ourselves', async (path: string) => proxy.get(path)],
    ['asked of the index', async (path: string) => ask(`http://index.test${path}`)],
  ] as const

  test.each(places)('hides a release that is too young, and says so, %s', async (_, read) => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 86_400_000 }
    const answer = await read('/pypi/foo/1.0/json')
    expect(answer.status).toBe(451)
    expect(answer.reason).toContain(`Refused by tufgate: ${wheel.filename} is younger than`)
    expect(refusals()).toEqual(['TOO_YOUNG'])
    expect(proxy.gateway.whollyHidden).toEqual(['foo'])
    expect(parse(await read('/pypi/foo/json')).releases).toEqual({})
  })

  test('hides one file of a release, and tells the log once', async () => {
    const lines = [wheel, newer].map(
      ({ filename, content }) => `foo 1.0 ${filename} ${sha256Hex(content)}`,
    )
    const pins = parsePins(`# tufgate pins 1\n${lines.join('\n')}\n`, 'pins.txt')
    proxy.gateway.policy = { ...openPolicy, pins }
    for (let round = 0; round < 2; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the second comes after the first
      const { urls } = await get('/pypi/foo/1.0/json')
      expect(urls.map(({ filename }) => filename)).toEqual([wheel.filename])
    }
    const hidden = proxy.gateway.events.filter(({ kind }) => kind === 'hidden')
    expect(hidden).toMatchObject([
      { code: 'NOT_PINNED', message: `policy hides ${sdist.filename}` },
    ])
  })

  test('shows what is hidden as yanked, where it is to be shown', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 86_400_000, showHidden: true }
    const { info, urls } = await get('/pypi/foo/1.0/json')
    expect(info).toMatchObject({ yanked: true, requires_dist: null })
    expect(urls[0]?.yanked_reason).toContain('is younger than the policy allows')
  })

  test('is asked anew for each release: one that it hides does not hide another', async () => {
    const old = { ...newer, uploadTime: '2026-01-01T00:00:00.000000Z' }
    proxy.gateway.addProject('foo', [wheel, old])
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 86_400_000 }
    expect((await proxy.get('/pypi/foo/1.0/json')).status).toBe(451)
    expect((await proxy.get('/pypi/foo/1.1/json')).status).toBe(200)
    expect(Object.keys((await get('/pypi/foo/json')).releases ?? {})).toEqual(['1.1'])
  })

  test('a project in quarantine has no releases', async () => {
    proxy.gateway.addProject('foo', [wheel], { 'project-status': { status: 'quarantined' } })
    const { status, reason } = await proxy.get('/pypi/foo/1.0/json')
    expect(status).toBe(451)
    expect(reason).toContain('the index has put project foo into quarantine')
    expect((await get('/pypi/foo/json')).releases).toEqual({})
  })
})

describe('what is not there', () => {
  test.each([
    ['/pypi/foo/9.9/json', 'the signed record of foo lists no files of 9.9'],
    ['/pypi/bar/1.0/json', 'project bar is not in the signed list'],
    ['/pypi/bar/json', 'project bar is not in the signed list'],
    ['/pypi/foo/', 'of the JSON of an index there is'],
    ['/pypi/foo', 'of the JSON of an index there is'],
    ['/pypi/foo//json', 'of the JSON of an index there is'],
    ['/pypi/foo/json/', 'of the JSON of an index there is'],
    ['/pypi/foo/1.0/x/json', 'of the JSON of an index there is'],
    ['/pypi/-foo/json', 'of the JSON of an index there is'],
    ['/pypi/json', 'of the JSON of an index there is'],
    ['/pypi', 'of the JSON of an index there is'],
  ])('%s is 404, and says why', async (path, reason) => {
    const answer = await proxy.get(path)
    expect([answer.status, answer.reason]).toEqual([404, expect.stringContaining(reason)])
  })

  test.each([
    ['http://index.test/pypi/foo/9.9/json', 'lists no files of 9.9'],
    ['http://index.test/pypi/bar/1.0/json', 'project bar is not in the signed list'],
    ['http://index.test/pypi/foo/1.0/x/json', 'of the JSON of an index there is'],
    ['http://index.test/pypi/foo/', 'no page of the index and no file has this URL'],
    ['http://index.test/search?q=foo', 'no page of the index and no file has this URL'],
    ['http://index.test/search', 'not the name of a file'],
    // Another host of the index, and an index whose pages are not under `simple`.
    ['http://files.test/pypi/foo/json', 'not the name of a file'],
    ['http://index.test/simple/pypi/foo/json', 'not the name of a file'],
  ])('%s is 404, and says why', async (url, reason) => {
    const answer = await ask(url)
    expect([answer.status, answer.reason]).toEqual([404, expect.stringContaining(reason)])
  })

  test('a project of another index is not taken from this one', async () => {
    proxy.gateway.addProject('acme-foo', [{ ...sdist, filename: 'acme-foo-1.0.tar.gz' }])
    for (const path of ['/pypi/acme-foo/json', '/pypi/acme-foo/1.0/json']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, reason } = await ask(`http://index.test${path}`)
      expect([status, reason]).toEqual([451, expect.stringContaining('belongs to index acme')])
    }
  })

  test('a name that the settings give to one index is refused, not passed over', async () => {
    const { trust } = proxy.gateway.lookups.get('foo')!
    proxy.gateway.lookups.set('bar', { kind: 'absent', trust, claimed: true })
    expect((await proxy.get('/pypi/bar/1.0/json')).status).toBe(451)
  })

  test('metadata that cannot be had is 503', async () => {
    proxy.gateway.lookupFault = new UpstreamError('METADATA_UNAVAILABLE', 'the mirror is away')
    expect((await proxy.get('/pypi/foo/1.0/json')).status).toBe(503)
  })

  test('a record that is not to be trusted is 451', async () => {
    proxy.gateway.lookupFault = new VerifyError('SIGNATURE_THRESHOLD', 'too few signatures')
    const { status, reason } = await ask('http://index.test/pypi/foo/1.0/json')
    expect([status, reason]).toEqual([451, expect.stringContaining('too few signatures')])
  })

  test('a version of any length and any letters is not there, and nothing else happens', async () => {
    for (const version of ['9'.repeat(5000), '%22%3E%3Cscript%3E', '__proto__', 'constructor']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await proxy.get(`/pypi/foo/${version}/json`)).status).toBe(404)
    }
    expect((await proxy.get('/pypi/foo/..%2F1.0/json')).status).toBe(400)
    expect((await proxy.get('/pypi/foo/../json')).status).toBe(400)
  })
})
