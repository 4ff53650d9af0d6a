import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { RepositorySource } from '../../src/client/repository-source.ts'
import { createMirrorSource } from '../../src/upstream/mirror-source.ts'
import {
  endless,
  redirect,
  serve,
  serveGzip,
  serveWithEtag,
  status,
  type Behaviour,
} from '../support/hostile-server.ts'
import { createClient, server, text, useHostileServer } from './http-fixture.ts'

useHostileServer()

function endlessGzip(): Behaviour {
  return (request, response, earlier) => {
    response.setHeader('content-encoding', 'gzip')
    endless(text)(request, response, earlier)
  }
}

/** Typed as the client's port: the shapes must agree. */
function createSource(base = '/tree'): RepositorySource {
  return createMirrorSource(createClient(), server.url(base))
}

describe('metadata of a mirror', () => {
  test('comes with its ETag, gzip undone, and is not sent twice', async () => {
    server.on('/tree/metadata/timestamp.json', serveWithEtag(text, '"t1"'))
    server.on('/tree/metadata/2.snapshot.json', serveGzip(text))
    const source = createSource()
    const first = await source.fetchMetadata('metadata/timestamp.json', 16_000)
    expect(first).toEqual({ bytes: Buffer.from(text), etag: '"t1"' })
    expect(await source.fetchMetadata('metadata/timestamp.json', 16_000, '"t1"')).toBe('unchanged')
    const snapshot = await source.fetchMetadata('metadata/2.snapshot.json', 16_000)
    expect(snapshot).toEqual({ bytes: Buffer.from(text) })
  })

  test('may be longer as gzip than the length that is signed: the record of an empty project is', async () => {
    const record = Buffer.from('{"files":[],"meta":{"api-version":"1.4"},"name":"x","versions":[]}')
    expect(gzipSync(record).length).toBeGreaterThan(record.length)
    server.on('/tree/targets/index.json', serveGzip(record))
    const found = await createSource().fetchTarget('targets/index.json', record.length)
    expect(found).toEqual(record)
    await expect(createSource().fetchTarget('targets/index.json', 65)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `${server.url('/tree/targets/index.json')} unpacks to more than 65 bytes`,
    })
  })

  test('that is endless as gzip too is cut off a little beyond the length that is signed', async () => {
    server.on('/tree/metadata/1.root.json', endlessGzip())
    await expect(
      createSource().fetchMetadata('metadata/1.root.json', 100_000),
    ).rejects.toMatchObject({ code: 'TOO_LARGE', facts: { expected: 'at most 101122 bytes' } })
  })

  test.each([403, 404])('status %i says that it is not there', async (code) => {
    server.on('/tree/metadata/2.root.json', status(code))
    expect(await createSource().fetchMetadata('metadata/2.root.json', 512_000)).toBe('absent')
  })

  test.each([401, 429, 500, 503])('status %i is an error, never "no newer root"', async (code) => {
    server.on('/tree/metadata/2.root.json', status(code))
    await expect(
      createSource().fetchMetadata('metadata/2.root.json', 512_000),
    ).rejects.toMatchObject({
      code: code === 401 ? 'ACCESS_DENIED' : 'BAD_STATUS',
      status: code,
    })
  })

  test('endless data ends at the limit of the role', async () => {
    server.on('/tree/metadata/timestamp.json', endless(text))
    await expect(
      createSource().fetchMetadata('metadata/timestamp.json', 16_000),
    ).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  test('a redirect to another host is refused', async () => {
    server.on('/tree/metadata/timestamp.json', redirect('http://evil.example/timestamp.json'))
    await expect(
      createSource().fetchMetadata('metadata/timestamp.json', 16_000),
    ).rejects.toMatchObject({
      code: 'HOST_REFUSED',
    })
  })
})

describe('targets of a mirror', () => {
  test('are there or not', async () => {
    server.on('/tree/targets/simple/foo/index.json', serve(text))
    const source = createSource('/tree/')
    expect(await source.fetchTarget('targets/simple/foo/index.json', 1000)).toEqual(
      Buffer.from(text),
    )
    expect(await source.fetchTarget('targets/simple/bar/index.json', 1000)).toBeUndefined()
  })

  test('403 is no answer to whether it is there', async () => {
    server.on('/tree/targets/x', status(403))
    await expect(createSource().fetchTarget('targets/x', 1000)).rejects.toMatchObject({
      status: 403,
    })
  })
})

test.each([
  '../secret',
  '//evil.example/x',
  '/etc/passwd',
  'http://evil.example/',
  'a?b',
  'a/%2e%2e/../../x',
])('path %s leads out of the mirror and is refused', async (path) => {
  await expect(createSource().fetchMetadata(path, 1000)).rejects.toMatchObject({
    code: 'HOST_REFUSED',
    message: `a path leads out of the mirror ${server.url('/tree/')}`,
  })
  expect(server.count()).toBe(0)
})

test('its name shows no credentials', () => {
  const { name } = createMirrorSource(createClient(), 'https://user:secret@mirror.example/tree')
  expect(name).toBe('https://mirror.example/tree/')
})
