import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { HostRules } from '../../src/upstream/host-rules.ts'
import { createIndexClient, type IndexSource } from '../../src/upstream/index-client.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { having } from '../support/expecting.ts'
import { redirect, serve, serveGzip, serveWithEtag, status } from '../support/hostile-server.ts'
import { createClient, kilobyte, local, server, text, useHostileServer } from './http-fixture.ts'

useHostileServer()

const json = 'application/vnd.pypi.simple.v1+json'

function createIndex(hosts: HostRules = local()): IndexSource {
  return createIndexClient(createClient(), {
    url: server.url('/simple'),
    hosts,
    maxPageBytes: 10_000,
  })
}

describe('a project page', () => {
  test('is asked for in JSON first and comes with all that is known of it', async () => {
    const headers = {
      'content-type': `${json}; charset=utf-8`,
      etag: '"e"',
      'x-pypi-last-serial': 7,
    }
    server.on('/simple/foo/', serveGzip(text, headers))
    const page = await createIndex().fetchProject('foo')
    expect(page).toEqual({
      kind: 'page',
      body: Buffer.from(text),
      format: 'json',
      contentType: `${json}; charset=utf-8`,
      etag: '"e"',
      serial: 7,
      url: server.url('/simple/foo/'),
    })
    expect(server.requests[0]?.headers.accept).toBe(
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01',
    )
  })

  test('in HTML, from where a redirect led', async () => {
    server.on('/simple/foo/', redirect('/other/foo/'))
    server.on('/other/foo/', serve(text, { 'content-type': 'Text/HTML;charset=x' }))
    const page = await createIndex().fetchProject('foo')
    expect(page).toMatchObject({ format: 'html', url: server.url('/other/foo/') })
  })

  test('unchanged, and absent', async () => {
    server.on('/simple/foo/', serveWithEtag(text, '"e"', { 'content-type': json }))
    server.on('/simple/gone/', status(410))
    const index = createIndex()
    expect(await index.fetchProject('foo', { etag: '"e"' })).toBe('unchanged')
    expect(await index.fetchProject('missing')).toBe('absent')
    expect(await index.fetchProject('gone')).toBe('absent')
  })

  test.each([401, 403, 451, 500])('status %i is an error and not an absence', async (code) => {
    server.on('/simple/foo/', status(code))
    await expect(createIndex().fetchProject('foo')).rejects.toMatchObject({
      code: code === 401 ? 'ACCESS_DENIED' : 'BAD_STATUS',
      status: code,
    })
  })

  test.each(['application/vnd.pypi.simple.v2+json', 'text/plain', ''])(
    'of type %j is refused',
    async (type) => {
      server.on('/simple/foo/', serve(text, type === '' ? {} : { 'content-type': type }))
      await expect(createIndex().fetchProject('foo')).rejects.toMatchObject({
        code: 'BAD_STATUS',
        message: `${server.url('/simple/foo/')} is not a page of the Simple API`,
        facts: { found: type === '' ? 'no Content-Type' : type },
      })
    },
  )

  test('a name cannot lead elsewhere', async () => {
    expect(await createIndex().fetchProject('../admin')).toBe('absent')
    expect(server.requests[0]?.path).toBe('/simple/..%2Fadmin/')
  })
})

test('the list of projects', async () => {
  server.on('/simple/', serve(text, { 'content-type': json }))
  expect(await createIndex().fetchProjectList()).toMatchObject({ kind: 'page', format: 'json' })
})

test('size and digest of a file', async () => {
  server.on('/files/foo.whl', serve(kilobyte))
  const index = createIndex()
  const url = server.url('/files/foo.whl')
  expect(await index.findSize(url)).toBe(1024)
  expect(await index.hashFile(url)).toEqual({ sha256: sha256Hex(kilobyte), size: 1024 })
})

test('a hashless link to an internal host is never fetched (A18)', async () => {
  const index = createIndex()
  const expected = having({ code: 'HOST_REFUSED' })
  await expect(index.hashFile('http://169.254.169.254/latest/')).rejects.toEqual(expected)
  await expect(index.findSize('http://intranet.example/')).rejects.toEqual(expected)
  expect(server.count()).toBe(0)
})

describe('a page whose server knows no ETag', () => {
  const changed = 'Tue, 01 Sep 2026 10:00:00 GMT'
  const serveDated =
    (date: string) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers['if-modified-since'] === changed) response.writeHead(304).end()
      else
        response.writeHead(200, { 'content-type': json, 'last-modified': changed, date }).end(text)
    }

  test('is asked for by the time of its last change', async () => {
    server.on('/simple/foo/', serveDated('Tue, 01 Sep 2026 12:00:00 GMT'))
    const index = createIndex()
    const page = await index.fetchProject('foo')
    expect(page).toMatchObject({ lastModified: changed })
    expect(await index.fetchProject('foo', { lastModified: changed })).toBe('unchanged')
  })

  test('comes whole again where it was changed a moment ago: it may have changed once more', async () => {
    server.on('/simple/foo/', serveDated('Tue, 01 Sep 2026 10:00:59 GMT'))
    expect(await createIndex().fetchProject('foo')).not.toHaveProperty('lastModified')
  })

  test('comes whole again where nobody says what time it is', async () => {
    server.on('/simple/foo/', (_request, response) => {
      response.sendDate = false
      response.writeHead(200, { 'content-type': json, 'last-modified': changed }).end(text)
    })
    expect(await createIndex().fetchProject('foo')).not.toHaveProperty('lastModified')
  })
})

test('a page is asked for past the caches where that is wanted', async () => {
  server.on('/simple/foo/', serve(text, { 'content-type': json }))
  const index = createIndex()
  await index.fetchProject('foo')
  await index.fetchProject('foo', { isFresh: true })
  expect(server.requests.map(({ headers }) => headers['cache-control'])).toEqual([
    undefined,
    'no-cache',
  ])
})

test('a file is handed on chunk by chunk, after the sink has begun anew', async () => {
  server.on('/files/foo.whl', serve(kilobyte))
  const chunks: Buffer[] = []
  let restarts = 0
  await createIndex().fetchFile(server.url('/files/foo.whl'), {
    restart: async () => void (restarts += 1),
    write: async (chunk) => void chunks.push(Buffer.from(chunk)),
  })
  expect(Buffer.concat(chunks)).toEqual(Buffer.from(kilobyte))
  expect(restarts).toBe(1)
})
