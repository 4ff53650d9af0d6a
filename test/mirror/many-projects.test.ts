import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StorageError } from '../../src/base/errors.ts'
import type { IndexPort } from '../../src/mirror/index-port.ts'
import type { ParsedPage } from '../../src/simple/parse-json.ts'
import { digestOf, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(async () => {
  await mirror.remove()
})

const count = 300

/** An index in memory, so that the test is about the mirror alone. */
function openMany(generations: Map<string, number>, asked: string[]): IndexPort {
  return {
    name: 'many',
    fileHosts: ['files.test'],
    fetchPage: (project, etag) => {
      asked.push(project)
      const generation = generations.get(project) ?? 1
      if (etag === String(generation)) return Promise.resolve('unchanged' as const)
      return Promise.resolve({ page: buildPage(project, generation), etag: String(generation) })
    },
    fetchProjectList: () =>
      Promise.resolve({
        serials: new Map(Array.from({ length: count }, (_, at) => [`project-${at}`, undefined])),
      }),
    findSize: () => Promise.resolve(undefined),
    hashFile: () => Promise.reject(new Error('every file has a digest')),
    fetchFile: () => Promise.reject(new Error('no file is read')),
    close: () => Promise.resolve(),
  }
}

function buildPage(name: string, files: number): ParsedPage {
  const filenames = Array.from({ length: files }, (_, at) => `${name}-1.${at}.tar.gz`)
  return {
    name,
    versions: [],
    extra: new Map(),
    skipped: [],
    files: filenames.map((filename) => ({
      filename,
      url: `https://files.test/${filename}`,
      hashes: new Map([['sha256', digestOf(filename)]]),
      extra: new Map(),
    })),
  }
}

test('one change among many projects costs one request, one bin, snapshot and timestamp', async () => {
  const generations = new Map<string, number>()
  const asked: string[] = []
  const openIndex = () => Promise.resolve(openMany(generations, asked))
  await mirror.init({ bins: 32 })
  expect(await mirror.sync({ index: 'many', openIndex, all: true })).toMatchObject({
    changed: count,
    published: { bins: 32 },
  })
  // One short line a project, however many files it has.
  const told = await readFile(join(mirror.public, `journal/1-${count}.jsonl`), 'utf8')
  expect(told.split('\n')).toHaveLength(count + 1)
  expect(told.length).toBeLessThan(count * 400)
  const before = new Set(await readdir(mirror.public, { recursive: true }))
  generations.set('project-7', 2)
  asked.length = 0
  expect(await mirror.sync({ openIndex, projects: ['project-7'] })).toMatchObject({
    lookedAt: 1,
    changed: 1,
    published: { bins: 1 },
  })
  expect(asked).toEqual(['project-7'])
  const written = (await readdir(mirror.public, { recursive: true })).filter(
    (name) => !before.has(name),
  )
  expect(written.map((name) => name.replaceAll(/[0-9a-f]{64}|bins-\w+/g, '*')).toSorted()).toEqual([
    // Of the last thousand entries at most, and only of those.
    join('journal', `1-${count + 1}.jsonl`),
    'metadata/3.*.json',
    'metadata/3.*.json.gz',
    'metadata/3.snapshot.json',
    'metadata/3.snapshot.json.gz',
    join('targets/simple/project-7', '*.index.json'),
    join('targets/simple/project-7', '*.index.json.gz'),
  ])
  expect(await mirror.findRecord('project-7')).toMatchObject({ files: { length: 2 } })
})

test('a long first sync that breaks off has published what it had, and goes on from there', async () => {
  const asked: string[] = []
  const generations = new Map<string, number>()
  const broken = new StorageError('DISK_FULL', 'cannot write', { next: 'free space' })
  const openSlowly = (limit: number) => (): Promise<IndexPort> => {
    const port = openMany(generations, asked)
    return Promise.resolve({
      ...port,
      fetchPage: (project, etag) => {
        // Ten seconds for each page: five minutes have passed long before the end.
        mirror.now += 10_000
        return asked.length >= limit ? Promise.reject(broken) : port.fetchPage(project, etag)
      },
    })
  }
  await mirror.init({ bins: 8 })
  const choice = { index: 'many', all: true, parallel: 1 }
  await expect(mirror.sync({ ...choice, openIndex: openSlowly(200) })).rejects.toBe(broken)
  const { version } = await mirror.readMetadata('timestamp')
  expect(version).toBeGreaterThan(1)
  const found = await Promise.all(asked.map((name) => mirror.findRecord(name)))
  const published = found.filter((record) => record !== undefined).length
  expect(published).toBeGreaterThanOrEqual(64)
  asked.length = 0
  const result = await mirror.sync({ ...choice, openIndex: openSlowly(Infinity) })
  // What was written is not read again, published or not.
  expect(result).toMatchObject({ lookedAt: count, failed: 0 })
  expect(result.changed).toBeLessThanOrEqual(count - published)
  expect(await mirror.findRecord('project-299')).toBeDefined()
})
