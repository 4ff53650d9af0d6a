import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFolderSource } from '../../src/store/folder-source.ts'
import { makeTempFolder } from './temp-folder.ts'

function makeMirror(): string {
  const folder = join(makeTempFolder(), 'mirror')
  mkdirSync(join(folder, 'metadata'), { recursive: true })
  mkdirSync(join(folder, 'targets', 'simple', 'foo'), { recursive: true })
  writeFileSync(join(folder, 'metadata', 'timestamp.json'), '{}')
  writeFileSync(join(folder, 'targets', 'simple', 'foo', 'a b#?.json'), 'record')
  return folder
}

test('gives metadata and targets, and says what is absent or unchanged', async () => {
  const folder = makeMirror()
  const source = openFolderSource(folder)
  const answer = await source.fetchMetadata('metadata/timestamp.json', 100)
  if (typeof answer === 'string') expect.unreachable(answer)
  expect(Buffer.from(answer.bytes).toString()).toBe('{}')
  expect(await source.fetchMetadata('metadata/timestamp.json', 100, answer.etag)).toBe('unchanged')
  writeFileSync(join(folder, 'metadata', 'timestamp.json'), '{"v":2}')
  expect(await source.fetchMetadata('metadata/timestamp.json', 100, answer.etag)).not.toBe(
    'unchanged',
  )
  expect(await source.fetchMetadata('metadata/2.root.json', 100)).toBe('absent')
  expect(await source.fetchMetadata('metadata/timestamp.json/x', 100)).toBe('absent')
  expect(await source.fetchMetadata('metadata', 100)).toBe('absent')
  const target = await source.fetchTarget('targets/simple/foo/a%20b%23%3F.json', 100)
  expect(Buffer.from(target ?? []).toString()).toBe('record')
  expect(await source.fetchTarget('targets/simple/bar/index.json', 100)).toBeUndefined()
})

test.each([
  '../secret',
  'metadata/../../secret',
  'metadata/%2e%2e/%2E%2E/secret',
  '..%2fsecret',
  '/etc/passwd',
  'metadata//timestamp.json',
  'metadata/./timestamp.json',
  'metadata/a%00b',
  'metadata/%ff',
  'metadata/%',
  '',
])('refuses a path that leads elsewhere than to its own name: %j', async (path) => {
  const folder = makeMirror()
  writeFileSync(join(folder, '..', 'secret'), 'secret')
  await expect(openFolderSource(folder).fetchTarget(path, 100)).rejects.toMatchObject({
    code: 'METADATA_UNAVAILABLE',
    message: `${folder} cannot hold a file that is called so`,
  })
})

test('refuses a link that leads out of the folder, and follows one within it', async () => {
  const folder = makeMirror()
  writeFileSync(join(folder, '..', 'secret'), 'secret')
  symlinkSync('../../secret', join(folder, 'metadata', 'out.json'))
  symlinkSync('timestamp.json', join(folder, 'metadata', 'in.json'))
  const source = openFolderSource(folder)
  await expect(source.fetchMetadata('metadata/out.json', 100)).rejects.toThrow(
    "leads out of the mirror's folder",
  )
  expect(await source.fetchMetadata('metadata/in.json', 100)).toMatchObject({
    etag: expect.stringContaining('-') as string,
  })
})

test('reads nothing that is larger than allowed, and does not wait for a FIFO', async () => {
  const folder = makeMirror()
  const source = openFolderSource(folder)
  await expect(source.fetchMetadata('metadata/timestamp.json', 1)).rejects.toMatchObject({
    code: 'TOO_LARGE',
    facts: { expected: 'at most 1 bytes', found: '2 bytes' },
  })
  spawnSync('mkfifo', [join(folder, 'metadata', 'pipe.json')])
  expect(await source.fetchMetadata('metadata/pipe.json', 100)).toBe('absent')
})

test('a folder that is gone is unreachable: nothing in it is "absent"', async () => {
  const folder = makeMirror()
  const source = openFolderSource(folder)
  rmSync(folder, { recursive: true })
  await expect(source.fetchMetadata('metadata/2.root.json', 100)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    facts: { found: 'ENOENT' },
  })
})
