import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { verifyFiles, type VerifyFilesOptions } from '../../src/mirror/verify-files.ts'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { buildOddZip } from '../support/odd-zip.ts'
import { MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
let folder: string
let served: ServedIndex
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  folder = await mkdtemp(join(tmpdir(), 'tufgate-files-'))
  served = await serveFolder(folder)
  await mirror.init()
})
afterEach(async () => {
  await served.close()
  await mirror.remove()
  await rm(folder, { recursive: true, force: true })
})

const wheels = ['1.0', '1.1'].map((version) => buildWheel({ name: 'foo', version }))
const other = buildWheel({ name: 'bar', version: '1.0' })

async function putIndex(shown: readonly Wheel[]): Promise<void> {
  await writeIndex(folder, [
    { name: 'foo', wheels: shown },
    { name: 'bar', wheels: [other] },
  ])
}

async function sign(shown: readonly Wheel[] = wheels): Promise<void> {
  await putIndex(shown)
  await mirror.sync({ index: served.url, all: true, acceptClock: true })
  mirror.events.length = 0
}

const pass = (): Promise<void> => Promise.resolve()

function verify(options: Partial<VerifyFilesOptions> = {}): ReturnType<typeof verifyFiles> {
  const { context } = mirror
  return verifyFiles({ ...context, openIndex: openMirrorIndex, sleep: pass, ...options })
}

function readJournal(project: string): Promise<unknown[]> {
  return readMirror(mirror.directory, ({ journal }) =>
    [...journal.list({ project, kinds: ['file-differs'] })].map(
      ({ detail }) => JSON.parse(detail) as unknown,
    ),
  )
}

const countFiles = (): number =>
  served.requests.filter((path) => path.startsWith('/files/') && path.endsWith('.whl')).length

describe('verify-files', () => {
  test('downloads every file once in its life', async () => {
    await sign()
    const heads = countFiles()
    const bytes = [...wheels, other].reduce((sum, wheel) => sum + wheel.bytes.length, 0)
    const expected = { verified: 3, bytes, differing: [], failed: 0, exitCode: 0 }
    expect(await verify()).toEqual(expected)
    expect(countFiles() - heads).toBe(3)
    expect(await verify()).toEqual({ ...expected, verified: 0, bytes: 0 })
    expect(countFiles() - heads).toBe(3)
  })

  test('goes on where it was, and takes what is new', async () => {
    await sign([wheels[0]!])
    expect(await verify({ projects: ['foo'] })).toMatchObject({ verified: 1 })
    await sign()
    expect(await verify()).toMatchObject({ verified: 2 })
  })

  test('reports a file whose content is not the signed one, and changes nothing', async () => {
    await sign()
    const [first] = wheels
    const changed = Buffer.from(first!.bytes)
    changed[40] = changed.readUInt8(40) ^ 1
    await writeFile(join(folder, 'files', first!.filename), changed)
    const before = await readFile(join(mirror.public, 'targets/simple/foo/index.json'))
    const difference = {
      file: first!.filename,
      aspect: 'sha256',
      expected: first!.sha256,
      found: sha256(changed),
    }
    expect(await verify()).toMatchObject({
      verified: 2,
      differing: [{ project: 'foo', ...difference }],
      exitCode: 3,
    })
    expect(mirror.takeEvents('differs')).toEqual([
      { kind: 'differs', project: 'foo', ...difference },
    ])
    expect(await readJournal('foo')).toEqual([difference])
    expect(await readFile(join(mirror.public, 'targets/simple/foo/index.json'))).toEqual(before)
    // It is looked at again each time, and told in the journal once.
    expect(await verify()).toMatchObject({ verified: 0, exitCode: 3 })
    expect(await readJournal('foo')).toHaveLength(1)
    await writeFile(join(folder, 'files', first!.filename), first!.bytes)
    expect(await verify()).toMatchObject({ verified: 1, exitCode: 0 })
  })

  test('finds METADATA in a wheel that is not the .metadata file beside it', async () => {
    const [first] = wheels
    const lying = { ...first!, metadata: Buffer.from('Metadata-Version: 2.1\nName: foo\n') }
    await sign([lying])
    expect(await verify({ projects: ['foo'] })).toMatchObject({
      verified: 0,
      differing: [
        {
          file: first!.filename,
          aspect: 'metadata',
          expected: sha256(lying.metadata),
          found: sha256(first!.metadata),
        },
      ],
      exitCode: 3,
    })
  })

  test('finds a wheel that two installers would read differently', async () => {
    const path = 'foo-1.0.dist-info/METADATA'
    const entries = ['one', 'two'].map((text) => ({ name: path, content: Buffer.from(text) }))
    const bytes = buildOddZip(entries)
    await sign([{ ...wheels[0]!, bytes, sha256: sha256(bytes) }])
    expect(await verify({ projects: ['foo'] })).toMatchObject({
      differing: [{ aspect: 'archive', found: `two entries are called "${path}"` }],
    })
  })

  test('finds a signed size that would make clients refuse the file', async () => {
    const [first] = wheels
    await putIndex([first!])
    const page = {
      meta: { 'api-version': '1.1' },
      name: 'foo',
      versions: ['1.0'],
      files: [
        {
          filename: first!.filename,
          url: `../../files/${first!.filename}`,
          hashes: { sha256: first!.sha256 },
          size: 5,
        },
      ],
    }
    await rm(join(folder, 'simple/foo/index.html'))
    await writeFile(join(folder, 'simple/foo/index.json'), JSON.stringify(page))
    const choice = { index: folder, baseUrl: `${served.origin}/`, projects: ['foo'] }
    await mirror.sync(choice)
    expect(await verify()).toMatchObject({
      differing: [{ aspect: 'size', expected: '5 bytes', found: `${first!.bytes.length} bytes` }],
    })
  })

  test('counts what cannot be downloaded, and tries it again next time', async () => {
    await sign()
    const [first] = wheels
    await rm(join(folder, 'files', first!.filename))
    expect(await verify()).toMatchObject({ verified: 2, failed: 1, exitCode: 1 })
    expect(mirror.takeEvents('failed')).toMatchObject([{ project: 'foo', code: 'BAD_STATUS' }])
    await writeFile(join(folder, 'files', first!.filename), first!.bytes)
    expect(await verify()).toMatchObject({ verified: 1, failed: 0, exitCode: 0 })
  })

  test('is no success where the signed record cannot be read', async () => {
    await sign()
    const record = join(mirror.public, 'targets/simple/bar')
    for (const name of await readdir(record)) await writeFile(join(record, name), '{}')
    expect(await verify()).toMatchObject({ verified: 2, failed: 1, exitCode: 1 })
    expect(mirror.takeEvents('warning')).toMatchObject([
      {
        message: 'the record of bar cannot be read: it is not what was signed',
        next: `Make it again: tufgate mirror sync ${mirror.directory} --project bar --full`,
      },
    ])
  })

  test('does not keep a sync from working, and leaves nothing on disk', async () => {
    await sign()
    let during: unknown
    const openIndex: VerifyFilesOptions['openIndex'] = async (address) => {
      const port = await openMirrorIndex(address)
      const sync = mirror.sync({ index: served.url, all: true, acceptClock: true })
      return {
        ...port,
        fetchFile: async (url, sink) => {
          during ??= await sync
          await port.fetchFile(url, sink)
        },
      }
    }
    expect(await verify({ openIndex })).toMatchObject({ verified: 3 })
    expect(during).toMatchObject({ failed: 0 })
    expect(await readdir(join(mirror.directory, 'scratch'))).toEqual([])
  })

  test('waits with the journal for a process that works on the mirror', async () => {
    await sign()
    await writeFile(join(folder, 'files', other.filename), 'other')
    const gate = Promise.withResolvers<undefined>()
    const busy = mirror.sync({
      index: served.url,
      all: true,
      acceptClock: true,
      openIndex: async (address) => {
        const port = await openMirrorIndex(address)
        return {
          ...port,
          fetchProjectList: async (etag) => {
            await gate.promise
            return port.fetchProjectList(etag)
          },
        }
      },
    })
    const sleep = async (): Promise<void> => {
      gate.resolve(undefined)
      await busy
    }
    expect(await verify({ sleep })).toMatchObject({ exitCode: 3 })
    expect(await readJournal('bar')).toHaveLength(1)
  })

  test('of a project that is not signed says so', async () => {
    await sign()
    await expect(verify({ projects: ['baz'] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'The mirror has not signed anything of baz',
    })
  })

  test('of a mirror that follows no index says so', async () => {
    await mkdir(join(folder, 'files'), { recursive: true })
    await expect(verify()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'The mirror does not follow any index yet',
    })
  })
})

test('files whose pins came from another mirror are compared like all others', async () => {
  await readMirror(mirror.directory, ({ ledger }) =>
    ledger.database.transaction(() => {
      for (const { filename, sha256: digest } of wheels)
        ledger.putImportedPin('foo', filename, digest)
    }),
  )
  await sign()
  expect(await verify({ projects: ['foo'] })).toMatchObject({ verified: 2 })
  expect(await verify({ projects: ['foo'] })).toMatchObject({ verified: 0 })
})
