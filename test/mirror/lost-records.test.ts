import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { renewMirror } from '../../src/mirror/renew.ts'
import { denyFiles } from '../../src/mirror/deny-work.ts'
import { checkMirror, type CheckReport } from '../../src/watch/check.ts'
import { startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { JournalFixture } from './journal-fixture.ts'
import { digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let server: HostileServer
/** The index says of every page that was asked for before that it is unchanged. */
let pages: Map<string, object>
let answers: string[]

beforeEach(async () => {
  mirror = await MirrorFixture.create()
  server = await startHostileServer()
  answers = []
  pages = new Map()
  server.use((path) => (request, response) => {
    const project = path.split('/')[2] ?? ''
    const page = pages.get(project)
    const body = JSON.stringify(page ?? {})
    const etag = `"${digestOf(body).slice(0, 16)}"`
    const isSame = request.headers['if-none-match'] === etag
    const status = page === undefined ? 404 : isSame ? 304 : 200
    answers.push(`${project} ${status}`)
    const type = 'application/vnd.pypi.simple.v1+json'
    response.writeHead(status, { 'content-type': type, etag }).end(status === 200 ? body : '')
  })
  await mirror.init({ hasProjectList: true })
  put('foo', 'foo-1.0.tar.gz')
  put('bar', 'bar-1.0.tar.gz')
  await sync({ projects: ['foo', 'bar'] })
  mirror.now += hourMs
  answers.length = 0
})
afterEach(async () => {
  await server.close()
  await mirror.remove()
})

function put(name: string, ...filenames: string[]): void {
  const files = filenames.map((filename) => ({
    filename,
    url: `/files/${filename}`,
    hashes: { sha256: digestOf(filename) },
    size: filename.length,
    'upload-time': '2024-01-01T00:00:00Z',
  }))
  pages.set(name, { meta: { 'api-version': '1.1' }, name, versions: [], files })
}

function sync(
  options: Parameters<MirrorFixture['sync']>[0] = {},
): ReturnType<MirrorFixture['sync']> {
  return mirror.sync({ index: server.url('/simple/'), ...options })
}

function check(): Promise<CheckReport> {
  return checkMirror({ ...mirror.context, isFull: true })
}

async function recordFile(project = 'foo'): Promise<string> {
  const known = await readMirror(mirror.directory, ({ ledger }) => ledger.findProject(project))
  return join(mirror.public, 'targets/simple', project, `${known?.sha256}.index.json`)
}

function kinds(): Promise<string[]> {
  return new JournalFixture(mirror).kinds('foo')
}

describe('a signed record that is lost on disk', () => {
  test('is made again, byte for byte, though its page is unchanged', async () => {
    const file = await recordFile()
    const bytes = await readFile(file)
    await rm(file)
    expect(await sync()).toMatchObject({ changed: 1, failed: 0, held: 0 })
    expect(answers.toSorted()).toEqual(['bar 304', 'foo 200'])
    expect(await readFile(file)).toEqual(bytes)
    expect((await check()).findings).toEqual([])
    expect(await kinds()).toEqual(['new-project signed', 'record-remade warned'])
    mirror.now += hourMs
    expect(await sync()).toMatchObject({ changed: 0 })
    expect(answers.slice(2).toSorted()).toEqual(['bar 304', 'foo 304'])
    expect(await readFile(file)).toEqual(bytes)
  })

  test('is made again where it was cut off', async () => {
    await truncate(await recordFile(), 20)
    await sync()
    expect((await check()).findings).toEqual([])
  })

  test('of the same length is found by a check, which names what makes it again', async () => {
    const file = await recordFile()
    const bytes = await readFile(file)
    await writeFile(file, bytes.with(20, 0x21))
    await rm(`${file}.gz`)
    const { findings } = await check()
    expect(findings).toMatchObject([
      {
        where: 'project foo',
        next: `It is made anew by: tufgate mirror sync ${mirror.directory} --project foo --full`,
      },
    ])
    await sync({ projects: ['foo'], full: true })
    expect(await readFile(file)).toEqual(bytes)
    expect((await check()).findings).toEqual([])
  })

  test.each([
    ['its compressed twin is another', (file: string) => writeFile(`${file}.gz`, gzipSync('{}'))],
    ['its compressed twin is none', (file: string) => writeFile(`${file}.gz`, 'evil')],
    ['the plain page is gone', (file: string) => rm(join(file, '../index.html'))],
  ])('counts as lost with --full where %s', async (_, damage) => {
    await damage(await recordFile())
    expect(await sync({ full: true })).toMatchObject({ changed: 1 })
    expect((await check()).findings).toEqual([])
    expect(await sync({ full: true })).toMatchObject({ changed: 0 })
  })

  test('does not become an empty project while the index shows nothing either', async () => {
    const file = await recordFile()
    const bytes = await readFile(file)
    await rm(file)
    pages.delete('foo')
    expect(await sync()).toMatchObject({ changed: 0, failed: 1 })
    put('foo')
    expect(await sync()).toMatchObject({ changed: 0, failed: 1 })
    expect(mirror.takeEvents('failed')).toMatchObject([
      {
        project: 'foo',
        message: 'its record is lost, and the index shows no files of it to make it again from',
      },
      { project: 'foo' },
    ])
    await writeFile(file, bytes)
    expect((await check()).findings).toEqual([])
  })

  test('does not let through what waits for a person', async () => {
    put('foo', 'foo-1.0.tar.gz', 'foo-1.0-py3-none-any.whl')
    expect(await sync()).toMatchObject({ held: 1 })
    await rm(await recordFile())
    for (let times = 0; times < 2; times += 1) {
      mirror.now += hourMs
      expect(await sync()).toMatchObject({ held: 1, changed: 0 })
    }
    put('foo', 'foo-1.0.tar.gz', 'foo-1.0-2-py3-none-any.whl')
    expect(await sync()).toMatchObject({ held: 1, changed: 0 })
    expect(await kinds()).toContain('record-remade held')
    expect(await mirror.approve()).toMatchObject({ approved: ['foo'] })
    expect((await check()).findings).toEqual([])
  })
})

describe('what is lost besides records', () => {
  test('is made again by renew --all, as the check says', async () => {
    await denyFiles({ ...mirror.context, project: 'foo', reason: 'malware' })
    const folder = join(mirror.public, 'targets')
    await rm(join(folder, 'deny'), { recursive: true })
    const list = await readFile(join(folder, 'simple/index.json'))
    await rm(join(folder, 'simple', `${digestOf(list.toString())}.index.json`))
    const { findings } = await check()
    const next = `It is made anew by: tufgate mirror renew ${mirror.directory} --all`
    expect(findings).toContainEqual(
      expect.objectContaining({ where: 'target deny/foo.json', next }),
    )
    expect(findings).toContainEqual(
      expect.objectContaining({ where: 'target simple/index.json', next }),
    )
    expect(findings).toContainEqual(expect.objectContaining({ where: 'project foo', next }))
    await renewMirror({ ...mirror.context, isAll: true })
    expect((await check()).findings).toEqual([])
  })
})

describe('a record that owners have signed', () => {
  let it: ClaimedMirror
  beforeEach(async () => {
    it = await ClaimedMirror.create()
  })
  afterEach(() => it.remove())

  test('is not made by the mirror; their release, accepted again, brings it back', async () => {
    await it.claim()
    const release = await it.signVersion('1.1')
    await it.accept(release)
    const folder = join(it.mirror.public, 'targets/simple/foo')
    const checkOwned = (): Promise<CheckReport> =>
      checkMirror({ ...it.mirror.context, isFull: true })
    await rm(folder, { recursive: true })
    expect((await checkOwned()).findings).toMatchObject([
      {
        where: 'project foo',
        next: expect.stringContaining(
          `tufgate mirror claims accept ${it.mirror.directory} RELEASE`,
        ) as string,
      },
    ])
    await it.sync({ full: true })
    expect((await checkOwned()).findings).toHaveLength(1)
    expect((await it.accept(release)).accepted).toMatchObject([{ isNew: false }])
    expect((await checkOwned()).findings).toEqual([])
  })
})
