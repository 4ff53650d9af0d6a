/** What an index, or whoever stands in for it, may try against trust on first use. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findNotaryPlace } from '../../src/notary/notary-folder.ts'
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

function putWithoutDigest(project: string, filename: string): void {
  const file = { filename, url: `../../files/${filename}`, hashes: {} }
  const page = { meta: { 'api-version': '1.1' }, name: project, files: [file] }
  fixture.index.putRaw(project, JSON.stringify(page))
}

describe('a file without a sha256', () => {
  const endless = 'endless-1.0.tar.gz'
  beforeEach(() => {
    putWithoutDigest('endless', endless)
  })

  test('that never ends does not hold up other projects', async () => {
    fixture.index.silence(`/files/${endless}`)
    const waiting = failureOf(proxy.findRecord('endless', 'page'))
    await fixture.index.seen(`/files/${endless}`)
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel])
    await proxy.notary.renew()
    fixture.index.release()
    await waiting.catch(() => undefined)
  })

  test('is read once, and bound to what it was then', async () => {
    fixture.index.putFile(endless, 'first')
    expect((await filesOf(proxy, 'endless')).get(endless)?.sha256).toBe(digestOf('first'))
    fixture.index.putFile(endless, 'second')
    fixture.now += minuteMs
    expect((await filesOf(proxy, 'endless')).get(endless)?.sha256).toBe(digestOf('first'))
    expect(fixture.index.requests.filter((path) => path === `/files/${endless}`)).toHaveLength(1)
  })

  test('that cannot be read now is left out, and is there once it can', async () => {
    expect((await filesOf(proxy, 'endless')).size).toBe(0)
    fixture.index.putFile(endless, 'first')
    fixture.now += minuteMs
    expect((await filesOf(proxy, 'endless')).get(endless)?.sha256).toBe(digestOf('first'))
  })
})

describe('one project that the index answers badly', () => {
  test('with 500, for ever, leaves the others as they are', async () => {
    fixture.index.fail('broken', 500)
    expect((await failureOf(proxy.findRecord('broken', 'page'))).code).toBe('BAD_STATUS')
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel])
  })

  test('with 404 and then with 200 is seen for the first time then, and said so', async () => {
    expect(await proxy.findRecord('confused', 'page')).toBeUndefined()
    fixture.index.put('confused', ['confused-99.0.tar.gz'])
    expect(await proxy.findRecord('confused', 'page')).toBeDefined()
    expect(proxy.firstUse.counts).toEqual({ first: 1, compared: 0, unasked: 0 })
  })

  test('with a redirect to another port of this machine is refused, and nothing is asked there', async () => {
    const other = await FirstUseFixture.create()
    try {
      other.index.put('foo', [wheel])
      fixture.index.redirect('inside', `${other.index.url}foo/`)
      expect((await failureOf(proxy.findRecord('inside', 'page'))).code).toBe('HOST_REFUSED')
      expect(other.index.requests).toEqual([])
    } finally {
      await other.remove()
    }
  })

  test.each([304, 204, 206, 300, 451])(
    'with %i at first sight is refused, and not taken for seen',
    async (status) => {
      fixture.index.fail('odd', status)
      expect((await failureOf(proxy.findRecord('odd', 'page'))).code).toBe('BAD_STATUS')
      expect(proxy.notary.isKnown('odd')).toBe(false)
    },
  )

  test('with one 404 costs nobody what was seen; with a second one it counts', async () => {
    await proxy.findRecord('foo', 'page')
    fixture.index.drop('foo')
    fixture.now += minuteMs
    expect((await filesOf(proxy, 'foo')).get(wheel)?.removed).toBeUndefined()
    expect(fixture.lines.join('\n')).toContain('there is none any more (404); not proven')
    fixture.index.put('foo', [wheel])
    fixture.now += minuteMs
    expect((await filesOf(proxy, 'foo')).get(wheel)?.removed).toBeUndefined()
    expect(fixture.events.filter(({ code }) => code === 'HELD')).toEqual([])
    fixture.index.drop('foo')
    for (let look = 0; look < 2; look += 1) {
      fixture.now += minuteMs
      await proxy.findRecord('foo', 'page')
    }
    expect((await filesOf(proxy, 'foo')).get(wheel)?.removed).toBeDefined()
  })

  test('with the page of another project is refused', async () => {
    fixture.index.put('bar', ['bar-1.0.tar.gz'])
    fixture.index.redirect('mixed', `${fixture.index.url}bar/`)
    await failureOf(proxy.findRecord('mixed', 'page'))
    expect(proxy.notary.isKnown('mixed')).toBe(false)
  })
})

function show(...files: readonly object[]): void {
  const page = { meta: { 'api-version': '1.1' }, name: 'foo', files, versions: [] }
  fixture.index.putRaw('foo', JSON.stringify(page))
  fixture.now += minuteMs
}

describe('what is said of the same bytes later', () => {
  const sha256 = digestOf(wheel)
  const file = (more: object = {}): object => {
    return { filename: wheel, url: `../../files/${wheel}`, hashes: { sha256 }, ...more }
  }
  const find = async (): Promise<unknown> => (await filesOf(proxy, 'foo')).get(wheel)

  test('A23: another size than at first use denies nothing', async () => {
    expect(await find()).toMatchObject({ size: wheel.length })
    show(file({ size: 7 }))
    expect(await find()).not.toHaveProperty('size')
    expect(fixture.lines.join('\n')).toContain('foo: a file has another size than at first')
  })

  test('A12: another requires-python than at first use hides nothing', async () => {
    await find()
    show(file({ 'requires-python': '>=99' }))
    expect(await find()).not.toHaveProperty('requiresPython')
    expect(fixture.lines.join('\n')).toContain('another requires-python')
  })

  test('another spelling of its name, with another content, is never served', async () => {
    await find()
    const spelled = 'Foo-1.0.0-py3-none-any.whl'
    const hashes = { sha256: digestOf('evil') }
    show(file(), { filename: spelled, url: `../../files/${spelled}`, hashes })
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel])
    expect(fixture.lines.join('\n')).toContain(
      `${spelled} is another spelling of ${wheel}, and has another sha256; the one of first use stays`,
    )
    expect(fixture.events).toMatchObject([{ code: 'CONFLICT', file: spelled }])
  })
})

test('made-up names leave nothing behind, in memory, journal or on disk', async () => {
  const before = proxy.notary.timestamp
  const names = Array.from({ length: 300 }, (_, at) => `made-up-${at}`)
  const found = await Promise.all(names.map((name) => proxy.findRecord(name, 'page')))
  expect(found.every((one) => one === undefined)).toBe(true)
  expect(proxy.notary.timestamp).toBe(before)
  expect(proxy.notary.countProjects()).toBe(0)
})

test('a crowd of projects at once, never seen before, all come, in few publications', async () => {
  const names = Array.from({ length: 200 }, (_, at) => `crowd-${at}`)
  for (const name of names) fixture.index.put(name, [`${name.replace('-', '_')}-1.0.tar.gz`])
  const before = proxy.notary.timestamp
  const found = await Promise.all(names.map((name) => proxy.firstUse.findRecord(name, 'page')))
  expect(found.filter((one) => one !== undefined)).toHaveLength(200)
  expect(proxy.notary.timestamp - before).toBeLessThan(100)
})

describe('a lock file', () => {
  test('names a file that came after the last look: the index is asked again', async () => {
    await proxy.findRecord('foo', 'page')
    fixture.index.put('foo', [wheel, newer])
    fixture.now += dayMs / 2
    const kept = await proxy.findRecord('foo', 'file')
    expect(kept?.record.files).toHaveLength(1)
    // As the proxy does it where the file is not listed.
    expect((await proxy.findRecord('foo', 'page'))?.record.files).toHaveLength(2)
  })
})

function countHeld(): number {
  return fixture.events.filter(({ code }) => code === 'HELD').length
}

async function lookLater(ms: number): Promise<void> {
  fixture.now += ms
  await proxy.findRecord('foo', 'page')
}

describe('what waits for a person', () => {
  beforeEach(async () => {
    fixture.index.put('foo', [wheel, newer])
    await proxy.findRecord('foo', 'page')
    fixture.index.put('foo', [newer])
    await lookLater(minuteMs)
    fixture.index.put('foo', [wheel, newer])
    await lookLater(minuteMs)
  })

  test('is told once, and again after a day, however often it is asked for', async () => {
    expect(countHeld()).toBe(1)
    for (let look = 0; look < 5; look += 1) await lookLater(2 * minuteMs)
    expect(countHeld()).toBe(1)
    for (let look = 0; look < 25; look += 1) await lookLater(dayMs / 24)
    expect(countHeld()).toBe(2)
  })

  test('is told again when it had ended and comes back', async () => {
    fixture.index.put('foo', [newer])
    await lookLater(2 * minuteMs)
    fixture.index.put('foo', [wheel, newer])
    await lookLater(2 * minuteMs)
    expect(countHeld()).toBe(2)
  })

  test('does not have its page fetched again while others wait for the lock', async () => {
    const before = fixture.index.count('foo')
    await lookLater(2 * minuteMs)
    expect(fixture.index.count('foo')).toBe(before + 1)
  })
})

test('a conflict is told once a day where the index has no ETags', async () => {
  fixture.index.hasEtags = false
  await proxy.findRecord('foo', 'page')
  fixture.index.put('foo', [{ filename: wheel, content: 'evil' }])
  for (let look = 0; look < 5; look += 1) {
    fixture.now += minuteMs
    await proxy.findRecord('foo', 'page')
  }
  expect(fixture.events.filter(({ code }) => code === 'CONFLICT')).toHaveLength(1)
})

test('three hundred projects with files of other hosts do not silence a conflict', async () => {
  await proxy.findRecord('foo', 'page')
  const names = Array.from({ length: 300 }, (_, at) => `odd-${at}`)
  for (const name of names) {
    const filename = `${name.replace('-', '_')}-1.0.tar.gz`
    fixture.index.put(name, [{ filename, url: `https://elsewhere.test/${filename}` }])
  }
  fixture.now += minuteMs
  await Promise.all(names.map((name) => proxy.findRecord(name, 'page')))
  fixture.index.put('foo', [{ filename: wheel, content: 'evil' }])
  await proxy.findRecord('foo', 'page')
  expect(fixture.lines.join('\n')).toContain(`found:    ${digestOf('evil')}`)
})

test('the same index in other letters is the same notary', () => {
  const places = [
    'https://pypi.org/simple/',
    'https://pypi.org/simple',
    'HTTPS://PyPI.org:443/simple/',
    'https://pypi.org/simple/#x',
  ].map((url) => findNotaryPlace('/state', url).path)
  expect(new Set(places).size).toBe(1)
})

test('a record that was lost on disk is refused in words of first use, by the background too', async () => {
  const found = await proxy.findRecord('foo', 'page')
  await fixture.close(proxy)
  const path = `targets/simple/foo/${found?.digest}.index.json`
  await writeFile(join(fixture.place.publicFolder, path), '{}')
  fixture.index.put('foo', [wheel, newer])
  proxy = await fixture.open()
  await proxy.notary.look('foo')
  const said = [...fixture.lines, ...fixture.events.map(({ message = '' }) => message)]
  expect(said.join('\n')).toContain('missing or damaged')
  expect(said.filter((line) => /\b(?:signed|verified)\b/i.test(line))).toEqual([])
  expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([wheel, newer])
})
