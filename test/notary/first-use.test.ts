/** Trust on first use as serve has it: what was seen stays, what changes is noticed and said. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FirstUse } from '../../src/notary/first-use.ts'
import { recheckAll } from '../../src/notary/recheck.ts'
import {
  dayMs,
  failureOf,
  filesOf,
  FirstUseFixture,
  minuteMs,
  type Opened,
} from './first-use-fixture.ts'
import { digestOf } from './test-index.ts'

const wheel = 'foo-1.0-py3-none-any.whl'
const newer = 'foo-1.1-py3-none-any.whl'

let fixture: FirstUseFixture
let proxy: Opened
beforeEach(async () => {
  fixture = await FirstUseFixture.create()
  fixture.index.put('foo', [wheel])
  proxy = await fixture.open()
})
afterEach(() => fixture.remove())

/** Whether any sentence claims more than was done. */
function claimsTooMuch(): string[] {
  const sentences = [...fixture.lines, ...fixture.events.map(({ message = '' }) => message)]
  return sentences.filter((sentence) => /\b(?:signed|verified)\b/i.test(sentence))
}

describe('a project that was never seen', () => {
  test('is looked at when it is asked for, and says first-use', async () => {
    const found = await proxy.findRecord('foo', 'page')
    expect(found?.record.files.map(({ filename }) => filename)).toEqual([wheel])
    expect(found?.trust).toMatchObject({ firstUse: true })
    expect(proxy.firstUse.counts).toEqual({ first: 1, compared: 0, unasked: 0 })
  })

  test('is looked at for a file as well: a lock file names no page', async () => {
    expect((await proxy.findRecord('foo', 'file'))?.record.files).toHaveLength(1)
  })

  test('is looked at once however many ask', async () => {
    const found = await Promise.all(
      Array.from({ length: 20 }, () => proxy.findRecord('foo', 'page')),
    )
    expect(found.every((one) => one?.record.name === 'foo')).toBe(true)
    expect(fixture.index.count('foo')).toBe(1)
  })

  test('is published together with those that are asked for at the same time', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `many-${at}`)
    for (const name of names) fixture.index.put(name, [`${name.replace('-', '_')}-1.0.tar.gz`])
    const before = proxy.notary.timestamp
    const found = await Promise.all(names.map((name) => proxy.findRecord(name, 'page')))
    expect(found.filter((one) => one !== undefined)).toHaveLength(50)
    expect(proxy.notary.timestamp - before).toBeLessThan(25)
  })

  test('is absent where the index says so, and nothing is kept of that', async () => {
    expect(await proxy.findRecord('nothing', 'page')).toBeUndefined()
    expect(proxy.notary.isKnown('nothing')).toBe(false)
    expect(proxy.firstUse.counts.first).toBe(0)
    fixture.index.put('nothing', ['nothing-1.0.tar.gz'])
    expect(await proxy.findRecord('nothing', 'page')).toBeDefined()
  })

  test('cannot be served while the index is down', async () => {
    fixture.index.mode = 'down'
    const error = await failureOf(proxy.findRecord('foo', 'page'))
    expect(error).toMatchObject({ code: expect.stringMatching(/UNREACHABLE|BROKEN_OFF/) as string })
    fixture.index.mode = 'up'
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
  })

  test('is not waited for longer than an installer waits, and the look goes on', async () => {
    fixture.index.mode = 'silent'
    const hasty = new FirstUse({ ...partsOf(proxy), patience: { first: 1 } })
    const error = await failureOf(hasty.findRecord('foo', 'page'))
    expect(error).toMatchObject({ code: 'TIMED_OUT' })
    expect(error.message).toContain('has not answered for project foo yet')
    fixture.index.release()
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
    expect(fixture.index.count('foo')).toBe(1)
  })

  test('whose page cannot be read is refused, and read again with the next request', async () => {
    fixture.index.putRaw('foo', '{"meta": {"api-version": "1.0"}, "files": 7}')
    expect((await failureOf(proxy.findRecord('foo', 'page'))).code).toBe('MALFORMED')
    fixture.index.put('foo', [wheel])
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
  })

  test('has no files of hosts that are not the index', async () => {
    const foreign = { filename: newer, url: 'https://elsewhere.test/foo-1.1-py3-none-any.whl' }
    fixture.index.put('foo', [wheel, foreign])
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel])
    expect(fixture.lines.join('\n')).toContain('elsewhere.test is not in file-hosts')
  })
})

function partsOf({ notary, repository }: Opened): ConstructorParameters<typeof FirstUse>[0] {
  return {
    index: fixture.index.url,
    folder: fixture.place.path,
    notary,
    repository,
    clock: () => fixture.now,
  }
}

describe('a project that was seen', () => {
  beforeEach(async () => {
    await proxy.findRecord('foo', 'page')
  })

  test('is not looked at again within a minute', async () => {
    fixture.now += minuteMs - 1
    await proxy.findRecord('foo', 'page')
    expect(fixture.index.count('foo')).toBe(1)
  })

  test('shows a new release after a minute without delay', async () => {
    fixture.index.put('foo', [wheel, newer])
    fixture.now += minuteMs
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel, newer])
  })

  test('is not waited for when a file is asked for', async () => {
    fixture.now += minuteMs
    fixture.index.mode = 'silent'
    expect(await proxy.findRecord('foo', 'file')).toBeDefined()
  })

  test('is served as it was when the index takes too long', async () => {
    fixture.now += minuteMs
    fixture.index.mode = 'silent'
    const hasty = new FirstUse({ ...partsOf(proxy), patience: { known: 1 } })
    expect((await hasty.findRecord('foo', 'page'))?.record.files).toHaveLength(1)
  })

  test('is served while the index is down, after a restart too', async () => {
    fixture.index.mode = 'down'
    fixture.now += dayMs
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
    await fixture.close(proxy)
    proxy = await fixture.open()
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
    expect(proxy.firstUse.counts).toEqual({ first: 0, compared: 0, unasked: 1 })
  })

  test('is refused when the index has not answered for max-unseen, in words of first use', async () => {
    fixture.index.mode = 'down'
    fixture.now += 3 * dayMs
    const error = await failureOf(proxy.findRecord('foo', 'page'))
    expect(error).toMatchObject({ code: expect.stringMatching(/INDEX_UNSEEN|EXPIRED/) as string })
    expect(error.message).toContain('has not answered for too long')
    expect(error.message).not.toMatch(/signed|verified/)
    fixture.index.mode = 'up'
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
  })

  test('is compared after a restart', async () => {
    await fixture.close(proxy)
    proxy = await fixture.open()
    await proxy.findRecord('foo', 'page')
    expect(proxy.firstUse.counts).toEqual({ first: 0, compared: 1, unasked: 0 })
  })
})

describe('what an index changes later', () => {
  beforeEach(async () => {
    fixture.index.put('foo', [wheel, newer])
    await proxy.findRecord('foo', 'page')
    fixture.now += minuteMs
  })

  test('a hash that moved: the one of first use stays, both are told', async () => {
    fixture.index.put('foo', [{ filename: wheel, content: 'evil' }, newer])
    expect((await filesOf(proxy, 'foo')).get(wheel)?.sha256).toBe(digestOf(wheel))
    expect(fixture.events).toContainEqual(
      expect.objectContaining({
        kind: 'warning',
        code: 'CONFLICT',
        project: 'foo',
        file: wheel,
        expected: digestOf(wheel),
        found: digestOf('evil'),
        message: expect.stringContaining('first-use') as string,
      }),
    )
    expect(fixture.lines.join('\n')).toContain(`expected: ${digestOf(wheel)}`)
    expect(claimsTooMuch()).toEqual([])
  })

  test('a hash that moved is not forgotten by a restart', async () => {
    await fixture.close(proxy)
    fixture.index.put('foo', [{ filename: wheel, content: 'evil' }, newer])
    proxy = await fixture.open()
    expect((await filesOf(proxy, 'foo')).get(wheel)?.sha256).toBe(digestOf(wheel))
  })

  test('a release that vanished stays as a tombstone', async () => {
    fixture.index.put('foo', [newer])
    const files = await filesOf(proxy, 'foo')
    expect(files.get(wheel)).toMatchObject({ removed: '2026-11-20T12:01:00Z' })
    expect(files.get(newer)?.removed).toBeUndefined()
  })

  test('a release that is revived is held for a person, with the command that accepts it', async () => {
    fixture.index.put('foo', [newer])
    await proxy.findRecord('foo', 'page')
    fixture.index.put('foo', [wheel, newer])
    fixture.now += minuteMs
    expect((await filesOf(proxy, 'foo')).get(wheel)?.removed).toBeDefined()
    expect(fixture.lines.join('\n')).toContain(`tufgate mirror approve ${fixture.place.path} foo`)
    expect(fixture.events).toContainEqual(expect.objectContaining({ code: 'HELD', project: 'foo' }))
    expect(claimsTooMuch()).toEqual([])
  })

  test('is noticed in the background, although nobody asks', async () => {
    fixture.index.put('foo', [{ filename: wheel, content: 'evil' }, newer])
    await recheckAll(proxy.notary, minuteMs, new AbortController().signal)
    expect(fixture.events).toContainEqual(expect.objectContaining({ code: 'CONFLICT' }))
  })

  test('projects that vanish one by one are held like those that vanish at once', async () => {
    const names = Array.from({ length: 14 }, (_, at) => `many-${at}`)
    for (const name of names) fixture.index.put(name, [`${name.replace('-', '_')}-1.0.tar.gz`])
    await Promise.all(names.map((name) => proxy.findRecord(name, 'page')))
    for (const name of names) fixture.index.drop(name)
    fixture.now += minuteMs
    // A first 404 does not count yet.
    for (const name of names) await proxy.findRecord(name, 'page')
    fixture.now += minuteMs
    let gone = 0
    for (const name of names) {
      const [file] = (await filesOf(proxy, name)).values()
      if (file?.removed !== undefined) gone += 1
    }
    expect(gone).toBeLessThan(10)
    expect(fixture.events.some(({ code }) => code === 'HELD')).toBe(true)
  })
})

describe('two proxies on one state', () => {
  test('both serve, and what one has seen the other compares with', async () => {
    const other = await fixture.open()
    const [here, there] = await Promise.all([
      proxy.findRecord('foo', 'page'),
      other.findRecord('foo', 'page'),
    ])
    expect(here?.digest).toBe(there?.digest)
    fixture.index.put('bar', ['bar-1.0.tar.gz'])
    await proxy.findRecord('bar', 'page')
    fixture.index.put('bar', [{ filename: 'bar-1.0.tar.gz', content: 'evil' }])
    expect((await filesOf(other, 'bar')).get('bar-1.0.tar.gz')?.sha256).toBe(
      digestOf('bar-1.0.tar.gz'),
    )
  })

  test('that look at many projects at once lose none', async () => {
    const other = await fixture.open()
    const names = Array.from({ length: 20 }, (_, at) => `many-${at}`)
    for (const name of names) fixture.index.put(name, [`${name.replace('-', '_')}-1.0.tar.gz`])
    const found = await Promise.all(
      names.flatMap((name) => [proxy.findRecord(name, 'page'), other.findRecord(name, 'page')]),
    )
    expect(found.filter((one) => one === undefined)).toEqual([])
  })
})

test('a record that was changed on disk is refused, in words of first use', async () => {
  const found = await proxy.findRecord('foo', 'page')
  await fixture.close(proxy)
  const path = `targets/simple/foo/${found?.digest}.index.json`
  await writeFile(join(fixture.place.publicFolder, path), '{}')
  proxy = await fixture.open()
  const error = await failureOf(proxy.findRecord('foo', 'page'))
  expect(error.message).toBe('what was seen first of foo does not fit together any more')
  expect(error.facts.next).toContain(
    `tufgate mirror sync ${fixture.place.path} --project foo --full`,
  )
})
