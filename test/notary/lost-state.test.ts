/** What was seen first, where a part of it is lost, older, another's, or of another time. */

import { cp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { openMirror, readMirror } from '../../src/mirror/open-mirror.ts'
import { syncMirror } from '../../src/mirror/sync.ts'
import { importPins, listPins } from '../../src/notary/exchange-pins.ts'
import { findNotaryPlace, forgetNotary, requireNotary } from '../../src/notary/notary-folder.ts'
import { parsePins, renderPins } from '../../src/policy/pin-set.ts'
import { dayMs, failureOf, filesOf, FirstUseFixture } from './first-use-fixture.ts'
import { digestOf } from './test-index.ts'

const sdist = 'foo-1.0.tar.gz'
const newer = 'foo-1.1.tar.gz'
const other = 'bar-1.0.tar.gz'

let fixture: FirstUseFixture
beforeEach(async () => {
  fixture = await FirstUseFixture.create()
  fixture.index.put('foo', [sdist])
  fixture.index.put('bar', [other])
  await see('foo', 'bar')
})
afterEach(() => fixture.remove())

async function see(...projects: readonly string[]): Promise<void> {
  const proxy = await fixture.open()
  for (const project of projects) await proxy.findRecord(project, 'page')
  await fixture.close(proxy)
}

/** What the operator may be told, all of it. */
function said(): string {
  return [...fixture.lines, ...fixture.events.map(({ message = '' }) => message)].join('\n')
}

describe('a clock that was a year ahead, and is right again', () => {
  beforeEach(async () => {
    fixture.now += 400 * dayMs
    await see('foo')
    fixture.now -= 400 * dayMs
  })

  test('serves nothing, and names the commands that keep what was seen', async () => {
    const proxy = await fixture.open()
    const error = await failureOf(proxy.findRecord('foo', 'page'))
    expect(error.code).toBe('CLOCK_WRONG')
    for (const command of ['pins export', 'notary forget', 'pins import']) {
      expect(error.facts.next).toContain(`tufgate ${command}`)
    }
  })

  test('does not cost what was seen first, with these commands', async () => {
    const { place } = fixture
    const pins = await readMirror(place.path, (memory) => [...listPins(memory)])
    await forgetNotary(place, '2026-11-20T12:00:00Z')
    const context = { clock: () => fixture.now, report: () => undefined }
    await requireNotary(place, context.clock)
    const mirror = await openMirror(place.path, context)
    importPins(mirror, parsePins(renderPins(pins, { index: place.index }), 'pins.txt'))
    await mirror.close()
    fixture.index.put('foo', [{ filename: sdist, content: 'evil' }])
    const proxy = await fixture.open()
    expect((await filesOf(proxy, 'foo')).size).toBe(0)
    expect(said()).toContain(`expected: ${digestOf(sdist)}`)
    expect((await filesOf(proxy, 'bar')).get(other)?.sha256).toBe(digestOf(other))
  })
})

describe('what is lost of the folder', () => {
  test.each([
    ['the online keys', 'keys/timestamp.pem'],
    ['the database', 'mirror.db'],
    ['the published metadata, all of it', 'public'],
  ])('%s: it is not begun anew', async (_what, path) => {
    await rm(join(fixture.place.path, path), { recursive: true })
    const error = await failureOf(fixture.open())
    expect(error.code).toBe('STORAGE_FAILED')
    expect(error.message).toContain(
      `What was seen first of ${fixture.index.url} is lost or damaged`,
    )
    expect(error.facts.next).toContain('tufgate notary forget')
    expect(said()).not.toMatch(/\b(?:signed|verified)\b/i)
  })

  test('the newest list: it is made again from what is remembered', async () => {
    await rm(join(fixture.place.publicFolder, 'metadata', 'timestamp.json'))
    fixture.index.put('foo', [{ filename: sdist, content: 'evil' }])
    const proxy = await fixture.open()
    expect((await filesOf(proxy, 'foo')).get(sdist)?.sha256).toBe(digestOf(sdist))
  })

  test('one record: that project is refused, the others are served, and a command makes it again', async () => {
    const folder = join(fixture.place.publicFolder, 'targets', 'simple', 'foo')
    for (const name of await readdir(folder)) await rm(join(folder, name))
    const proxy = await fixture.open()
    const error = await failureOf(proxy.findRecord('foo', 'page'))
    expect(error.message).toBe('what was seen first of foo does not fit together any more')
    const { path: directory } = fixture.place
    expect(error.facts.next).toContain(`tufgate mirror sync ${directory} --project foo --full`)
    expect((await filesOf(proxy, 'bar')).get(other)?.sha256).toBe(digestOf(other))
    fixture.index.put('foo', [{ filename: sdist, content: 'evil' }, newer])
    const context = { directory, clock: () => fixture.now, report: () => undefined }
    await syncMirror({
      ...context,
      openIndex: openMirrorIndex,
      projects: ['foo'],
      full: true,
      acceptClock: true,
    })
    // The name stays bound, though the record is a new one.
    expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([newer])
  })
})

test('the folder of another index under this name is refused', async () => {
  const { place } = fixture
  const elsewhere = findNotaryPlace(place.stateHome, 'https://elsewhere.test/simple/')
  await rename(place.path, elsewhere.path)
  await cp(elsewhere.path, place.path, { recursive: true })
  const mirror = await openMirror(place.path, { clock: () => fixture.now, report: () => undefined })
  mirror.ledger.database.run(
    "UPDATE setting SET value = '\"https://elsewhere.test/simple/\"' WHERE name = 'index'",
  )
  await mirror.close()
  const error = await failureOf(fixture.open())
  expect(error.message).toContain('The mirror follows https://elsewhere.test/simple/')
})
