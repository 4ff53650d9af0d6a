import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isFile, PublishedTree, requireVacant } from '../../src/store/published-tree.ts'

let folder: string
let tree: PublishedTree
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'published-tree-'))
  tree = await PublishedTree.open(folder)
})
afterEach(async () => {
  await tree.close()
  await rm(folder, { recursive: true, force: true })
})

const bytes = Buffer.from('content')

function listPublic(): Promise<string[]> {
  return readdir(folder).then((names) => names.filter((name) => name !== '.staging'))
}

test('shows nothing that is staged before it is published', async () => {
  await tree.stage('a/b/file', bytes)
  expect(await listPublic()).toEqual([])
  expect(await tree.read('a/b/file')).toBeUndefined()
  await tree.publish()
  expect(await tree.read('a/b/file')).toEqual(bytes)
})

test('puts a compressed twin and a second name beside it, readable for a server', async () => {
  await tree.stage('a/one', bytes, { hasTwin: true, alsoAs: 'a/two' })
  await tree.publish()
  expect((await readdir(join(folder, 'a'))).toSorted()).toEqual(['one', 'one.gz', 'two', 'two.gz'])
  for (const name of ['one', 'two']) {
    expect(await readFile(join(folder, 'a', name))).toEqual(bytes)
    expect(gunzipSync(await readFile(join(folder, 'a', `${name}.gz`)))).toEqual(bytes)
    expect((await stat(join(folder, 'a', name))).mode & 0o777).toBe(0o644)
  }
})

test('replaces one name without changing another of the same content', async () => {
  await tree.stage('one', bytes, { alsoAs: 'two' })
  await tree.publish()
  await tree.stage('two', Buffer.from('new'))
  await tree.publish()
  expect(await tree.read('one')).toEqual(bytes)
  expect(await tree.read('two')).toEqual(Buffer.from('new'))
})

test('keeps what is half written out of the reach of a server, and drops it at the next start', async () => {
  expect((await stat(join(folder, '.staging'))).mode & 0o777).toBe(0o700)
  await writeFile(join(folder, '.staging', '1'), 'left by a crash')
  await tree.close()
  tree = await PublishedTree.open(folder)
  expect(await readdir(join(folder, '.staging'))).toEqual([])
})

test('publishes what many stage at the same time', async () => {
  const paths = Array.from({ length: 100 }, (_, at) => `${at % 7}/${at}`)
  await Promise.all(
    paths.map(async (path, at) => {
      await tree.stage(path, Buffer.from(path), { hasTwin: true })
      if (at % 10 === 0) await tree.publish()
    }),
  )
  await tree.publish()
  for (const path of paths) expect(await tree.read(path)).toEqual(Buffer.from(path))
  expect(await readdir(join(folder, '.staging'))).toEqual([])
})

test('removes a file with its twin, also when it is gone already', async () => {
  await tree.stage('file', bytes, { hasTwin: true })
  await tree.publish()
  await tree.remove('file')
  await tree.remove('file')
  expect(await listPublic()).toEqual([])
})

test('names the file that cannot be written', async () => {
  await tree.stage('file', bytes)
  await tree.publish()
  await tree.stage('file/below', bytes)
  await expect(tree.publish()).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: expect.stringContaining(`cannot publish into ${folder}`) as string,
  })
})

test('tells a vacant folder from one with something in it', async () => {
  await expect(requireVacant(join(folder, 'absent'), 'next')).resolves.toBeUndefined()
  await expect(requireVacant(folder, 'what to do')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `${folder} is not empty`,
    facts: { next: 'what to do' },
  })
})

test('tells a file from a folder and from nothing', async () => {
  await tree.stage('file', bytes)
  await tree.publish()
  expect(await isFile(join(folder, 'file'))).toBe(true)
  expect(await isFile(folder)).toBe(false)
  expect(await isFile(join(folder, 'file', 'below'))).toBe(false)
})
