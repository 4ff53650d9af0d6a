import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serveStatic, type StaticServer } from '../mirror/static-server.ts'
import { Ceremony } from './ceremony-fixture.ts'
import type { Seen } from './returning-client.ts'
import { TufJsClient } from './tuf-js-client.ts'

let ceremony: Ceremony
let server: StaticServer
let tufJs: TufJsClient
const names = Array.from({ length: 12 }, (_, at) => `project-${at}`)
beforeEach(async () => {
  ceremony = await Ceremony.create({ hasProjectList: true })
  ceremony.mirror.now = Date.now()
  for (const name of names) await ceremony.mirror.putPage(name, [`${name}-1.0.tar.gz`])
  await ceremony.mirror.sync({ projects: [...ceremony.projects, ...names] })
  server = await serveStatic(ceremony.mirror.public)
  tufJs = new TufJsClient(join(ceremony.mirror.root, 'tuf-js'))
})
afterEach(async () => {
  server.close()
  await ceremony.remove()
})

const visit = (client = ceremony.client()): Promise<Seen> =>
  client.visit(ceremony.mirror.public, ceremony.mirror.now, names)

async function rebin(bins: number): Promise<void> {
  await ceremony.change({ bins }, await ceremony.offline('bins'))
}

async function listBins(): Promise<string[]> {
  const { meta } = await ceremony.mirror.readMetadata('timestamp')
  const snapshot = await ceremony.mirror.readMetadata(`${meta['snapshot.json']!.version}.snapshot`)
  return Object.keys(snapshot.meta).filter((name) => name.startsWith('bins-'))
}

function requireAll({ files }: Seen): void {
  for (const name of names) expect(files[name], name).toEqual([`${name}-1.0.tar.gz`])
}

describe('another number of bins', () => {
  test.each([
    ['more, with the same names and new ones', [8]],
    ['fewer, with some of the same names', [2]],
    ['more, with other names', [32]],
    ['fewer, and back to names that were retired', [32, 2, 16, 4]],
  ])('%s: clients that were there before, and new ones, find everything', async (_what, sizes) => {
    requireAll(await visit())
    for (const [at, bins] of sizes.entries()) {
      await rebin(bins)
      requireAll(await visit())
      requireAll(await visit(ceremony.client(`new-${at}`)))
      for (const name of names.slice(0, 3)) {
        expect(await tufJs.visit(ceremony.mirror.public, server.origin, name)).toHaveLength(1)
      }
    }
    await ceremony.mirror.putPage('project-3', ['project-3-1.0.tar.gz', 'project-3-1.1.tar.gz'])
    await ceremony.mirror.sync()
    const { files } = await visit()
    expect(files['project-3']).toHaveLength(2)
    expect(await tufJs.visit(ceremony.mirror.public, server.origin, 'project-3')).toHaveLength(2)
  })

  test('goes on listing the bins of before, until the key of snapshot is replaced', async () => {
    requireAll(await visit())
    await rebin(32)
    expect(await listBins()).toHaveLength(4 + 32)
    await ceremony.mirror.sync()
    expect(await listBins()).toHaveLength(4 + 32)
    await ceremony.change(
      { rotate: new Map([['snapshot', undefined]]) },
      await ceremony.offline('root-1'),
    )
    expect(await listBins()).toHaveLength(32)
    requireAll(await visit())
  })

  test('never gives out a version twice, even of a bin that was forgotten', async () => {
    await rebin(32)
    await ceremony.change(
      { rotate: new Map([['snapshot', undefined]]) },
      await ceremony.offline('root-1'),
    )
    await rebin(4)
    const { meta } = await ceremony.mirror.readMetadata('timestamp')
    const snapshot = await ceremony.mirror.readMetadata(
      `${meta['snapshot.json']!.version}.snapshot`,
    )
    for (const bin of ['bins-0', 'bins-1', 'bins-2', 'bins-3']) {
      expect(snapshot.meta[`${bin}.json`]!.version, bin).toBeGreaterThan(1)
    }
    requireAll(await visit())
  })

  test('keeps the signed list of projects findable', async () => {
    await rebin(16)
    const { meta } = await ceremony.mirror.readMetadata('timestamp')
    const snapshot = await ceremony.mirror.readMetadata(
      `${meta['snapshot.json']!.version}.snapshot`,
    )
    const found = []
    for (const [name, { version }] of Object.entries(snapshot.meta)) {
      if (!/^bins-[0-9a-f]\.json$/.test(name)) continue
      const bin = await ceremony.mirror.readMetadata(`${version}.${name.replace('.json', '')}`)
      if ('simple/index.json' in bin.targets) found.push(name)
    }
    expect(found).toHaveLength(1)
  })

  test('stands together with a new key of the bins', async () => {
    requireAll(await visit())
    await ceremony.change(
      { bins: 16, rotate: new Map([['bins-nn', undefined]]) },
      await ceremony.offline('bins'),
    )
    requireAll(await visit())
  })
})
