/** The folder of a notary: made once, private, renewed by itself, and never begun anew without a word. */

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { forgetNotary, findNotaryPlace } from '../../src/notary/notary-folder.ts'
import { dayMs, failureOf, filesOf, FirstUseFixture } from './first-use-fixture.ts'
import { digestOf } from './test-index.ts'

const sdist = 'foo-1.0.tar.gz'

let fixture: FirstUseFixture
beforeEach(async () => {
  fixture = await FirstUseFixture.create()
  fixture.index.put('foo', [sdist])
})
afterEach(() => fixture.remove())

async function seeOnce(): Promise<void> {
  const proxy = await fixture.open()
  await proxy.findRecord('foo', 'page')
  await fixture.close(proxy)
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

test('keys and folder are for their owner alone', async () => {
  await seeOnce()
  const { path } = fixture.place
  const keys = join(path, 'keys')
  for (const folder of [dirname(path), path, keys, join(keys, 'offline')]) {
    expect(modeOf(folder), folder).toBe(0o700)
  }
  const names = readdirSync(keys, { recursive: true, encoding: 'utf8' })
  const secrets = names.filter((name) => name.endsWith('.pem'))
  expect(secrets).toHaveLength(9)
  for (const name of secrets) expect(modeOf(join(keys, name)), name).toBe(0o600)
  expect(modeOf(join(path, 'mirror.db'))).toBe(0o600)
})

test('is the same for an index with and without the slash at its end', () => {
  const one = findNotaryPlace('/state', 'https://pypi.org/simple')
  expect(one.path).toBe(findNotaryPlace('/state', 'https://pypi.org/simple/').path)
  expect(one.path).toMatch(/^\/state\/notary\/pypi\.org-[0-9a-f]{12}$/)
  expect(one.path).not.toBe(findNotaryPlace('/state', 'https://test.pypi.org/simple/').path)
})

test('two first starts at the same moment make one', async () => {
  const [one, other] = await Promise.all([fixture.open(), fixture.open()])
  expect(one.rootSha256).toBe(other.rootSha256)
})

test('what a start left that was killed while it made the keys is thrown away', async () => {
  const making = `${fixture.place.path}.making`
  mkdirSync(join(making, 'keys'), { recursive: true })
  writeFileSync(join(making, 'keys', 'root-1.pem'), 'half a key')
  await seeOnce()
  expect(existsSync(making)).toBe(false)
})

describe('what was seen first', () => {
  test.each(['', 'mirror.db', 'keys', 'public'])(
    'is not begun anew without a word where it is lost: %s',
    async (part) => {
      await seeOnce()
      await rm(join(fixture.place.path, part), { recursive: true })
      const error = await failureOf(fixture.open())
      expect(error.code).toBe('STORAGE_FAILED')
      expect(error.message).toContain(
        `What was seen first of ${fixture.index.url} is lost or damaged`,
      )
      expect(error.facts.next).toContain(`tufgate notary forget --index ${fixture.index.url}`)
      // Nor at the second try.
      expect((await failureOf(fixture.open())).code).toBe('STORAGE_FAILED')
    },
  )

  test('is not begun anew where its database is damaged', async () => {
    await seeOnce()
    writeFileSync(join(fixture.place.path, 'mirror.db'), 'x'.repeat(8192))
    expect((await failureOf(fixture.open())).message).toContain('lost or damaged')
    expect((await failureOf(fixture.open())).message).toContain('lost or damaged')
  })

  test('is not begun anew where its mark is lost with it', async () => {
    await seeOnce()
    await rm(dirname(fixture.place.path), { recursive: true })
    expect((await failureOf(fixture.open())).message).toContain('lost or damaged')
  })

  test('is forgotten by the deliberate command, and put aside', async () => {
    await seeOnce()
    const aside = await forgetNotary(fixture.place, '2026-11-20T12:00:00Z')
    expect(existsSync(join(aside ?? '', 'mirror.db'))).toBe(true)
    fixture.index.put('foo', [{ filename: sdist, content: 'another' }])
    const proxy = await fixture.open()
    expect((await filesOf(proxy, 'foo')).get(sdist)?.sha256).toBe(digestOf('another'))
    expect(proxy.firstUse.counts.first).toBe(1)
  })

  test('can be forgotten where only its mark is left', async () => {
    await seeOnce()
    await rm(fixture.place.path, { recursive: true })
    expect(await forgetNotary(fixture.place, '2026-11-20T12:00:00Z')).toBeUndefined()
    await seeOnce()
  })
})

test('goes on from an older copy that was put back, and says what that means', async () => {
  await seeOnce()
  const { path } = fixture.place
  const backup = join(fixture.folder, 'backup')
  await cp(path, backup, { recursive: true })
  for (const project of ['bar', 'baz', 'foo']) {
    fixture.index.put(project, [`${project}-2.0.tar.gz`, `${project}-1.0.tar.gz`])
    fixture.now += 400 * dayMs
    const proxy = await fixture.open()
    await proxy.findRecord(project, 'page')
    await fixture.close(proxy)
  }
  await rm(path, { recursive: true })
  await cp(backup, path, { recursive: true })
  const proxy = await fixture.open()
  expect((await filesOf(proxy, 'foo')).get(sdist)?.sha256).toBe(digestOf(sdist))
  expect(await proxy.findRecord('bar', 'page')).toBeDefined()
  expect(proxy.firstUse.counts).toMatchObject({ first: 1, compared: 1 })
  expect(fixture.lines.join('\n')).toContain('is an older copy')
})

describe('its roles', () => {
  test('renew themselves, those that a mirror signs offline too, over three years', async () => {
    await seeOnce()
    for (let months = 0; months < 36; months += 5) {
      fixture.now += 150 * dayMs
      const proxy = await fixture.open()
      expect((await filesOf(proxy, 'foo')).get(sdist)?.sha256).toBe(digestOf(sdist))
      await fixture.close(proxy)
    }
    const names = readdirSync(join(fixture.place.publicFolder, 'metadata'))
    expect(names).toEqual(expect.arrayContaining(['1.root.json', '2.root.json', '3.root.json']))
    expect(
      names.filter((name) => /^([3-9]|\d\d)\.(targets|bins|claimed)\.json$/.test(name)),
    ).not.toEqual([])
  })

  test('go on where the clock was set back by a little', async () => {
    await seeOnce()
    fixture.now -= 4000
    const proxy = await fixture.open()
    fixture.index.put('bar', ['bar-1.0.tar.gz'])
    expect(await proxy.findRecord('foo', 'page')).toBeDefined()
    expect(await proxy.findRecord('bar', 'page')).toBeDefined()
    expect(fixture.lines.join('\n')).not.toContain('clock')
  })

  test('are refused where the clock was set back by an hour, which is said at the start', async () => {
    await seeOnce()
    fixture.now -= 3_600_000
    const proxy = await fixture.open()
    expect(fixture.lines.join('\n')).toContain('The clock says')
    const error = await failureOf(proxy.findRecord('foo', 'page'))
    expect(error.code).toBe('CLOCK_WRONG')
    expect(error.message).toBe('the clock of this machine is behind what was written down before')
  })
})
