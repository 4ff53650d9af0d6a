import { expect, test } from 'vitest'
import { PageCache, type CachedPage } from '../../src/proxy/page-cache.ts'

const page = (bytes: number): CachedPage => ({
  body: new Uint8Array(bytes),
  etag: '""',
  headers: [],
})

const failing = async (): Promise<CachedPage> => Promise.reject(new Error('no'))

test('what many ask for at once is built once', async () => {
  const cache = new PageCache(1_000_000)
  let builds = 0
  const build = async (): Promise<CachedPage> => {
    builds += 1
    return page(10)
  }
  await Promise.all(Array.from({ length: 50 }, () => cache.findOrBuild('a', build)))
  expect(builds).toBe(1)
})

test('a build that fails is told to all who wait, and tried again by the next', async () => {
  const cache = new PageCache(1_000_000)
  const waiting = [cache.findOrBuild('a', failing), cache.findOrBuild('a', failing)]
  const outcomes = await Promise.allSettled(waiting)
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect((await cache.findOrBuild('a', async () => page(1))).body.length).toBe(1)
})

test('holds no more bytes than it may, and drops what was used longest ago', async () => {
  const cache = new PageCache(3 * 11_024)
  for (const key of ['a', 'b', 'c']) {
    // oxlint-disable-next-line no-await-in-loop -- the order is the point
    await cache.findOrBuild(key, async () => page(10_000))
  }
  cache.find('a')
  await cache.findOrBuild('d', async () => page(10_000))
  expect(['a', 'b', 'c', 'd'].map((key) => cache.find(key) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ])
})

test('a page larger than the cache is served and not kept', async () => {
  const cache = new PageCache(5000)
  expect((await cache.findOrBuild('a', async () => page(10_000))).body.length).toBe(10_000)
  expect(cache.find('a')).toBeUndefined()
})
