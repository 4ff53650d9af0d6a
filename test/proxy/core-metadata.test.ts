/** A7: a record that signs a forged `.metadata` beside a genuine wheel. The wheel itself gives it away. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { containing } from '../support/expecting.ts'
import { filePath, openPolicy, trust, type FileInput } from '../support/memory-gateway.ts'
import { buildOddZip } from '../support/odd-zip.ts'
import { dripEveryMs, holdForMs, RunningProxy } from '../support/running-proxy.ts'

const { filename, bytes: content, metadata } = buildWheel({ name: 'foo', version: '1.0' })
const forged = encodeUtf8(`${metadata.toString().trimEnd()}\nRequires-Dist: evil\n\n`)
const path = filePath('foo', filename)
const differs = `METADATA in ${filename} differs from ${filename}.metadata, by which installers plan`

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
})
afterEach(async () => {
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

/** The vault has what is listed. */
function publish(file: Partial<FileInput> & { readonly metadata: Bytes }): void {
  const input = { filename, content, ...file }
  proxy.gateway.addProject('foo', [input])
  proxy.gateway.store(input.content)
  proxy.gateway.store(input.metadata)
}

function warnings(): readonly (string | undefined)[] {
  return proxy.gateway.events.flatMap(({ kind, message }) => (kind === 'warning' ? [message] : []))
}

/** How often the vault was read for anything. */
function countReads(): { reads: number; opened: string[] } {
  const count = { reads: 0, opened: [] as string[] }
  const open = proxy.gateway.openVerified.bind(proxy.gateway)
  proxy.gateway.openVerified = async (sha256) => {
    const file = await open(sha256)
    if (file !== undefined) count.opened.push(sha256)
    return (
      file && {
        ...file,
        read: (buffer, position, length) => {
          count.reads += 1
          return file.read(buffer, position, length)
        },
      }
    )
  }
  return count
}

const refused: Partial<AuditEvent> = {
  kind: 'refused',
  code: 'CORE_METADATA_MISMATCH',
  message: differs,
  file: filename,
  expected: sha256Hex(forged),
  found: sha256Hex(metadata),
}

describe('A7: a forged .metadata that was signed at the first look', () => {
  test('has its wheel refused, by every way to ask for it, before a byte of it leaves', async () => {
    publish({ metadata: forged })
    const etag = `If-None-Match: "sha256-${sha256Hex(content)}"`
    for (const headers of [[], ['Range: bytes=0-9'], ['Range: bytes=-20'], [etag]]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, reason, body } = await proxy.get(path, headers)
      expect(status).toBe(403)
      expect(reason).toContain(`Refused by tufgate: ${differs} (r-`)
      expect(JSON.parse(body.toString())).toMatchObject({
        code: 'CORE_METADATA_MISMATCH',
        next: containing('tufgate mirror verify-files finds it'),
      })
    }
    expect((await proxy.get(path, [], 'HEAD')).status).toBe(403)
    expect(proxy.gateway.events).toMatchObject(Array.from({ length: 5 }, () => refused))
  })

  test('has its wheel refused when it has just been fetched', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, metadata: forged }])
    const answer = proxy.get(path)
    await expect.poll(() => proxy.gateway.fetches.length).toBe(1)
    proxy.gateway.fetches[0]?.finish(content)
    expect((await answer).status).toBe(403)
    expect(proxy.gateway.events).toMatchObject([refused])
  })

  test('has the answer cut off where the trickle had begun: two bytes are all that left', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, metadata: forged }])
    const client = await proxy.connect()
    client.ask(path)
    await proxy.timers.waitFor(holdForMs)
    proxy.gateway.fetches[0]?.receive(content)
    await proxy.timers.fire(holdForMs)
    await proxy.timers.fire(dripEveryMs)
    await proxy.timers.waitFor(dripEveryMs)
    proxy.gateway.fetches[0]?.finish(content)
    await client.ended()
    expect((await client.bodyBytes(0)).equals(content.subarray(0, 2))).toBe(true)
    expect(proxy.gateway.events).toMatchObject([refused])
  })

  test('is refused itself once the wheel is here', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, metadata: forged }])
    proxy.gateway.store(forged)
    expect((await proxy.get(`${path}.metadata`)).status).toBe(200)
    proxy.gateway.store(content)
    const { status, reason } = await proxy.get(`${path}.metadata`)
    expect(status).toBe(403)
    expect(reason).toContain(differs)
    // It stays known when the wheel is gone again.
    proxy.gateway.vault.delete(sha256Hex(content))
    expect((await proxy.get(`${path}.metadata`)).status).toBe(403)
  })

  test('is found in a wheel that is in the vault from before, by whichever record it is listed', async () => {
    publish({ metadata })
    expect((await proxy.get(path)).status).toBe(200)
    publish({ metadata: forged })
    expect((await proxy.get(path)).status).toBe(403)
    publish({ metadata })
    expect((await proxy.get(path)).status).toBe(200)
  })

  test('is refused with trust on first use too, and nobody says that anything was signed', async () => {
    publish({ metadata: forged })
    const found = proxy.gateway.lookups.get('foo')
    if (found?.kind !== 'found') throw new Error('it is not there')
    const firstUse = { ...found, trust: { ...trust, firstUse: true } }
    proxy.gateway.lookups.set('foo', firstUse)
    const { status, reason, body } = await proxy.get(path)
    expect(status).toBe(403)
    const next =
      'Ask whoever runs the index: its page says of this wheel what the wheel itself does'
    expect(JSON.parse(body.toString())).toMatchObject({ next: containing(next) })
    expect(`${reason} ${body.toString()}`).not.toMatch(/signed|verified/)
  })

  test('gives no requirements to the JSON of its release once the wheel is here', async () => {
    publish({ metadata: forged })
    proxy.gateway.vault.delete(sha256Hex(content))
    const find = async (): Promise<unknown> => {
      const { body } = await proxy.get('/pypi/foo/1.0/json')
      return (JSON.parse(body.toString()) as { info: { requires_dist: unknown } }).info
        .requires_dist
    }
    expect(await find()).toEqual(['evil'])
    proxy.gateway.store(content)
    expect(await find()).toBeNull()
    expect(warnings()).toEqual([`told without requirements: ${differs}`])
  })
})

describe('where no .metadata is offered', () => {
  const projects = new Map([['foo', new Map([[filename, sha256Hex(content)]])]])
  test.each([
    ['by the settings', { hidesMetadata: true }, 'DENIED', 'core-metadata = false'],
    ['of what is pinned', { pins: { source: 'p.txt', projects, count: 1 } }, 'NOT_PINNED', 'p.txt'],
  ])('%s, a lie in it has no listener, and the wheel is served', async (_, more, code, message) => {
    publish({ metadata: forged })
    const open = await proxy.get('/simple/foo/')
    proxy.gateway.policy = { ...openPolicy, ...more }
    const page = await proxy.get('/simple/foo/')
    expect([open, page].map(({ body }) => body.includes('core-metadata'))).toEqual([true, false])
    expect((await proxy.get(path)).status).toBe(200)
    const { status, reason } = await proxy.get(`${path}.metadata`)
    expect(status).toBe(403)
    expect(reason).toContain(message)
    expect(proxy.gateway.events.at(-1)).toMatchObject({ kind: 'refused', code })
    const { body } = await proxy.get('/pypi/foo/1.0/json')
    expect(JSON.parse(body.toString())).toMatchObject({ info: { requires_dist: null } })
  })
})

describe('a wheel and its .metadata that agree', () => {
  test('are served, and the wheel is looked into once', async () => {
    publish({ metadata })
    const count = countReads()
    expect((await proxy.get(path)).body.equals(content)).toBe(true)
    const first = count.reads
    expect((await proxy.get(path)).status).toBe(200)
    // One read is that of the release itself.
    expect([first > 1, count.reads - first]).toEqual([true, 1])
    expect((await proxy.get(`${path}.metadata`)).body.equals(metadata)).toBe(true)
    expect(count.opened).toEqual([content, content, metadata].map(sha256Hex))
    expect(proxy.gateway.events.map(({ kind }) => kind)).toEqual([
      'released',
      'released',
      'released',
    ])
  })

  test('are served to many at once, and the wheel is looked into once', async () => {
    publish({ metadata })
    const count = countReads()
    await proxy.get(path)
    const single = count.reads
    const other = buildWheel({ name: 'foo', version: '1.1' })
    publish({ ...other, content: other.bytes })
    count.reads = 0
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => proxy.get(filePath('foo', other.filename))),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(count.reads).toBe(single + 7)
  })

  test('are served after the disk has failed once', async () => {
    publish({ metadata })
    const open = proxy.gateway.openVerified.bind(proxy.gateway)
    proxy.gateway.openVerified = async (sha256) => {
      const file = await open(sha256)
      return file && { ...file, read: async () => 0 }
    }
    expect((await proxy.get(path)).status).toBe(507)
    proxy.gateway.openVerified = open
    expect((await proxy.get(path)).status).toBe(200)
  })
})

describe('is served without being looked into', () => {
  test('a wheel of which no .metadata is signed', async () => {
    proxy.gateway.addProject('foo', [{ filename, content }])
    proxy.gateway.store(content)
    const count = countReads()
    expect((await proxy.get(path)).status).toBe(200)
    expect(count.reads).toBe(1)
  })

  test('an sdist, whatever is signed beside it', async () => {
    publish({ filename: 'foo-1.0.tar.gz', metadata: forged })
    expect((await proxy.get(filePath('foo', 'foo-1.0.tar.gz'))).status).toBe(200)
    expect(proxy.gateway.events.map(({ kind }) => kind)).toEqual(['released'])
  })

  test('the .metadata of a wheel that is here and large: the client would wait for its hash', async () => {
    publish({ metadata: forged, size: 100 * 1024 ** 2 + 1 })
    const count = countReads()
    expect((await proxy.get(`${path}.metadata`)).status).toBe(200)
    expect(count.opened).toEqual([sha256Hex(forged)])
  })
})

describe('a wheel that cannot be read for sure is served, with one warning', () => {
  const info = 'foo-1.0.dist-info/METADATA'
  const entry = { name: info, content: metadata }
  const zip64 = buildOddZip([entry], { count: 0xffff })
  const spelled = { ...entry, name: info.toUpperCase() }
  const bomb = { name: info, content: Buffer.alloc(17 * 1024 ** 2), isDeflated: true }
  const far = { ...entry, size: 0xfffffff0 }
  test.each([
    ['zip64', zip64, 'it is a zip64 archive, which is not read here'],
    ['no archive', Buffer.from('PK, or not'), 'it is no zip archive, or not whole'],
    ['two METADATA', buildOddZip([entry, spelled]), 'it has two METADATA'],
    ['bytes before it', buildOddZip([entry], { before: Buffer.from('#!') }), 'its directory does'],
    ['a bomb', buildOddZip([bomb]), `"${info}" has 17825792 bytes`],
    ['a length that lies', buildOddZip([far]), `"${info}" has 4294967280 bytes`],
  ])('%s', async (_, odd, problem) => {
    publish({ content: odd, metadata: forged })
    for (const target of [path, path, `${path}.metadata`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await proxy.get(target)).status).toBe(200)
    }
    const start = 'its METADATA was not compared with its .metadata file: '
    expect(warnings()).toEqual([containing(start + problem)])
  })
})
