/** `requires_dist` in the JSON of a release: of verified METADATA files that agree, or null. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { StorageError, UpstreamError, VerifyError } from '../../src/base/errors.ts'
import type { FileFetch } from '../../src/proxy/gateway.ts'
import { parsePins } from '../../src/policy/pin-set.ts'
import { openPolicy, type FileInput } from '../support/memory-gateway.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const metadataOf = (version: string, ...requirements: readonly string[]): Bytes =>
  encodeUtf8(
    [
      'Metadata-Version: 2.1',
      'Name: foo',
      `Version: ${version}`,
      'Summary: A foo',
      ...requirements.map((text) => `Requires-Dist: ${text}`),
      '',
      '',
    ].join('\n'),
  )

const metadata = metadataOf('1.0', 'bar>=1')
const wheel: FileInput = {
  filename: 'foo-1.0-py3-none-any.whl',
  content: encodeUtf8('a wheel'),
  metadata,
}
const sdist: FileInput = { filename: 'foo-1.0.tar.gz', content: encodeUtf8('an sdist') }
const newer: FileInput = {
  filename: 'foo-1.1-py3-none-any.whl',
  content: encodeUtf8('another wheel'),
}

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [wheel, sdist, newer], { versions: ['1.0', '1.1'] })
  proxy.gateway.store(metadata)
})
afterEach(async () => {
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

interface Info {
  summary: string | null
  requires_dist: string[] | null
}

function parse({ status, body }: RawResponse): Info {
  if (status !== 200) throw new Error(body.toString())
  return (JSON.parse(body.toString()) as { info: Info }).info
}

async function find(version = '1.0'): Promise<string[] | null> {
  return parse(await proxy.get(`/pypi/foo/${version}/json`)).requires_dist
}

describe('requirements', () => {
  test('are those of the verified METADATA, which is fetched once', async () => {
    proxy.gateway.vault.clear()
    const client = await proxy.connect()
    client.ask('/pypi/foo/1.0/json')
    await expect.poll(() => proxy.gateway.fetches.length).toBe(1)
    proxy.gateway.fetches[0]?.finish(metadata)
    expect(parse(await client.response())).toMatchObject({
      summary: 'A foo',
      requires_dist: ['bar>=1'],
    })
    proxy.gateway.vault.clear()
    expect(await find()).toEqual(['bar>=1'])
    expect(proxy.gateway.downloads.map(({ kind }) => kind)).toEqual(['metadata'])
  })

  test('are null where a wheel has no METADATA of its own, or there is no wheel', async () => {
    expect(await find('1.1')).toBeNull()
    proxy.gateway.addProject('foo', [sdist])
    expect(await find()).toBeNull()
    const other = { ...newer, filename: 'foo-1.0-py2-none-any.whl' }
    proxy.gateway.addProject('foo', [wheel, other])
    expect(await find()).toBeNull()
  })

  test.each([
    ['the same', ['bar>=1'], ['bar>=1']],
    ['others', ['bar>=2'], null],
    ['none', [], null],
  ])('of two wheels that want %s', async (_, requirements, expected) => {
    const other = metadataOf('1.0', ...requirements)
    // Another file all the same.
    const bytes = encodeUtf8(`${new TextDecoder().decode(other)}Something about it\n`)
    proxy.gateway.store(bytes)
    const second = { ...newer, filename: 'foo-1.0-py2-none-any.whl', metadata: bytes }
    proxy.gateway.addProject('foo', [wheel, second])
    expect(await find()).toEqual(expected)
  })

  test('are null where the METADATA is of something else, or not to be read for sure', async () => {
    for (const bytes of [metadataOf('2.0'), encodeUtf8('no metadata'), new Uint8Array()]) {
      proxy.gateway.store(bytes)
      proxy.gateway.addProject('foo', [{ ...wheel, metadata: bytes }])
      // oxlint-disable-next-line no-await-in-loop -- one record after the other
      expect(await find()).toBeNull()
    }
  })

  test.each([
    ['is not the signed one', new VerifyError('DIGEST_MISMATCH', 'it was changed')],
    ['cannot be fetched', new UpstreamError('UNREACHABLE', 'nobody there')],
  ])('are null where the METADATA %s, and the log says why', async (_, fault) => {
    proxy.gateway.vault.clear()
    const fetch: FileFetch = {
      done: Promise.reject(fault),
      progress: () => ({ attempt: 1, head: new Uint8Array(), length: 0, receivedBytes: 0 }),
    }
    fetch.done.catch(() => undefined)
    proxy.gateway.nextFetch = () => fetch
    expect(await find()).toBeNull()
    expect(proxy.gateway.events[0]).toMatchObject({
      kind: 'warning',
      code: fault.code,
      message: `told without requirements: ${fault.message}`,
    })
    // It is tried again by the next.
    proxy.gateway.store(metadata)
    expect(await find()).toEqual(['bar>=1'])
  })

  test('are refused with the release where our disk is at fault', async () => {
    proxy.gateway.openVerified = async () =>
      Promise.reject(new StorageError('STORAGE_FAILED', 'the disk is gone'))
    expect((await proxy.get('/pypi/foo/1.0/json')).status).toBe(507)
    proxy.faults.length = 0
  })

  test('are not taken from a wheel that is refused, nor where files are pinned', async () => {
    proxy.gateway.addProject('foo', [{ ...wheel, removed: '2026-11-19T00:00:00Z' }])
    expect(await find()).toBeNull()
    proxy.gateway.addProject('foo', [wheel])
    expect(await find()).toEqual(['bar>=1'])
    const line = `foo 1.0 ${wheel.filename} ${sha256Hex(wheel.content)}`
    const pins = parsePins(`# tufgate pins 1\n${line}\n`, 'pins.txt')
    proxy.gateway.policy = { ...openPolicy, pins }
    expect(await find()).toBeNull()
  })

  test('are not taken from METADATA that settings do not trust', async () => {
    const fault = new VerifyError('ROLE_NOT_IN_SNAPSHOT', 'no target of the owner')
    proxy.gateway.requireFile = async () => Promise.reject(fault)
    expect(await find()).toBeNull()
    expect(proxy.gateway.events[0]).toMatchObject({ kind: 'warning', code: fault.code })
  })
})
