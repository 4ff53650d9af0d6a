import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncOptions, SyncResult } from '../../src/mirror/sync.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serve, startHostileServer, status, type HostileServer } from '../support/hostile-server.ts'
import { MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let server: HostileServer
let folder: string
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init()
  server = await startHostileServer()
  folder = await mkdtemp(join(tmpdir(), 'tufgate-sizes-'))
})
afterEach(async () => {
  await server.close()
  await mirror.remove()
  await rm(folder, { recursive: true, force: true })
})

function wheels(count: number): ReturnType<typeof buildWheel>[] {
  return Array.from({ length: count }, (_, at) => buildWheel({ name: 'foo', version: `1.${at}` }))
}

/** An HTML page, which knows no sizes. */
function putPage(shown: readonly ReturnType<typeof buildWheel>[]): void {
  const links = shown.map(
    ({ filename, sha256 }) => `<a href="/files/${filename}#sha256=${sha256}">${filename}</a>`,
  )
  const page = Buffer.from(`<html><body>${links.join('\n')}</body></html>`)
  server.on('/simple/foo/', serve(page, { 'content-type': 'text/html' }))
}

function sync(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
  return mirror.sync({
    index: server.url('/simple/'),
    projects: ['foo'],
    acceptClock: true,
    ...options,
  })
}

function isFile(path: string): boolean {
  return path.startsWith('/files/')
}

function countHeads(): number {
  return server.requests.filter(({ method, path }) => method === 'HEAD' && isFile(path)).length
}

describe('lengths that an HTML index does not tell', () => {
  test('come from HEAD, once in the life of a file, as what a server told', async () => {
    const [first, second] = wheels(2)
    for (const { filename, bytes } of [first!, second!])
      server.on(`/files/${filename}`, serve(bytes))
    putPage([first!])
    await sync()
    const { files } = (await mirror.findRecord('foo'))!
    expect(files).toMatchObject([{ toldSize: first!.bytes.length }])
    expect(files[0]).not.toHaveProperty('size')
    expect(countHeads()).toBe(1)
    putPage([first!, second!])
    await sync()
    expect((await mirror.findRecord('foo'))?.files).toMatchObject([
      { toldSize: first!.bytes.length },
      { toldSize: second!.bytes.length },
    ])
    expect(
      server.requests.filter(({ method }) => method === 'HEAD').map(({ path }) => path),
    ).toEqual([`/files/${first!.filename}`, `/files/${second!.filename}`])
  })

  test('are not asked for with --no-sizes', async () => {
    const [wheel] = wheels(1)
    putPage([wheel!])
    await sync({ hasSizes: false })
    expect(countHeads()).toBe(0)
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(1)
  })

  test('are not asked for any more of a host that tells none', async () => {
    const all = wheels(12)
    putPage(all)
    server.use((path) => (path.startsWith('/files/') ? status(405) : undefined))
    expect(await sync()).toMatchObject({ failed: 0, changed: 1 })
    // Four are under way when the third has told nothing.
    expect(countHeads()).toBeLessThanOrEqual(6)
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(12)
  })

  test('are left out where a server answers without Content-Length', async () => {
    const [wheel] = wheels(1)
    putPage([wheel!])
    server.on(`/files/${wheel!.filename}`, (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end()
    })
    await sync()
    expect((await mirror.findRecord('foo'))?.files[0]).not.toHaveProperty('toldSize')
  })

  test('are never asked for at a host that is not allowed', async () => {
    const [wheel] = wheels(1)
    const { filename, sha256 } = wheel!
    const other = await startHostileServer()
    const link = `<a href="${other.url(`/files/${filename}`)}#sha256=${sha256}">${filename}</a>`
    const page = Buffer.from(`<html><body>${link}</body></html>`)
    server.on('/simple/foo/', serve(page, { 'content-type': 'text/html' }))
    await sync()
    expect(other.count()).toBe(0)
    await other.close()
  })
})

describe('a server whose HEAD lies about the length', () => {
  test.each([0, 1, 10_000_000])('(%i) cannot make a good file be refused', async (told) => {
    const [wheel] = wheels(1)
    putPage([wheel!])
    server.on(`/files/${wheel!.filename}`, (_request, response) => {
      response.writeHead(200, { 'content-length': told }).end()
    })
    await sync()
    const record = await mirror.findRecord('foo')
    const [served] = [...record!.byPath.values()]
    // The proxy holds a file to `size` alone, and to the sha256 in any case.
    expect(served).toMatchObject({ toldSize: told, sha256: wheel!.sha256 })
    expect(served).not.toHaveProperty('size')
  })
})
