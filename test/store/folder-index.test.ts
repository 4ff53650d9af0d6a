import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { openFolderIndex } from '../../src/store/folder-index.ts'
import type { IndexSource } from '../../src/upstream/index-client.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-index-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function put(path: string, content: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), content)
}

/** Typed as the port of the HTTP index: the shapes must agree. */
function open(maxPageBytes = 1000): IndexSource {
  return openFolderIndex({ folder, url: 'https://index.example/simple', maxPageBytes })
}

test('finds pages of a plain tree, JSON before HTML', async () => {
  await put('simple/foo/index.html', '<a>')
  expect(await open().fetchProject('foo')).toMatchObject({
    kind: 'page',
    body: Buffer.from('<a>'),
    format: 'html',
    contentType: 'text/html',
    url: 'https://index.example/simple/foo/',
  })
  await put('simple/foo/index.json', '{}')
  expect(await open().fetchProject('foo')).toMatchObject({ format: 'json' })
})

test('finds pages as bandersnatch lays them out', async () => {
  await put('web/simple/foo/index.v1_html', '<a>')
  expect(await open().fetchProject('foo')).toMatchObject({ format: 'html' })
  await put('web/simple/foo/index.v1_json', '{}')
  expect(await open().fetchProject('foo')).toMatchObject({ format: 'json' })
})

test('says unchanged until the file changes', async () => {
  await put('simple/foo/index.json', '{}')
  const page = await open().fetchProject('foo')
  const etag = typeof page === 'object' ? (page.etag ?? '') : ''
  expect(etag).not.toBe('')
  expect(await open().fetchProject('foo', { etag })).toBe('unchanged')
  await put('simple/foo/index.json', '{"files": []}')
  expect(await open().fetchProject('foo', { etag })).toMatchObject({ kind: 'page' })
})

test('says absent, also for names that lead out of the folder', async () => {
  await put('secret/index.html', 'secret')
  await put('simple/foo/index.html', '<a>')
  for (const project of ['bar', '..', '../secret', '/etc', 'foo/../../secret', '.', '']) {
    expect(await open().fetchProject(project)).toBe('absent')
  }
})

test('refuses a page that is too long', async () => {
  await put('simple/foo/index.json', ' '.repeat(1001))
  await expect(open().fetchProject('foo')).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: `${join(folder, 'simple/foo/index.json')} has 1001 bytes, more than the 1000 allowed`,
  })
})

test('lists projects from its page, or else from its folders', async () => {
  await put('simple/foo/index.html', '<a>')
  await put('simple/bar/index.html', '<a>')
  const list = await open().fetchProjectList()
  expect(list).toMatchObject({ format: 'json', url: 'https://index.example/simple/' })
  expect(JSON.parse(Buffer.from((list as { body: Uint8Array }).body).toString())).toEqual({
    meta: { 'api-version': '1.0' },
    projects: [{ name: 'bar' }, { name: 'foo' }],
  })
  await put('simple/index.html', '<a href="foo/">foo</a>')
  expect(await open().fetchProjectList()).toMatchObject({ format: 'html' })
})

test('knows size and digest of the files of its tree, and of no others', async () => {
  await put('packages/foo-1.0+local.whl', 'wheel')
  await put('simple/foo/index.html', '<a>')
  const index = open()
  const url = 'https://index.example/packages/foo-1.0%2Blocal.whl'
  expect(await index.findSize(url)).toBe(5)
  const digest = sha256Hex(Buffer.from('wheel'))
  expect(await index.hashFile(url)).toEqual({ sha256: digest, size: 5 })
  const others = [
    'https://elsewhere.example/packages/foo-1.0+local.whl',
    'https://index.example/packages/..%2f..%2fetc/passwd',
    'https://index.example/%2e%2e/etc/passwd',
    'https://index.example/packages',
    'https://index.example/packages/%ff',
    'nonsense',
  ]
  for (const other of others) {
    expect(await index.findSize(other)).toBeUndefined()
    await expect(index.hashFile(other)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  }
})
