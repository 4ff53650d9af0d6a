/** Pins of another machine, before and after this one has seen the same names. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMirror, readMirror } from '../../src/mirror/open-mirror.ts'
import { importPins, listPins, type ImportResult } from '../../src/notary/exchange-pins.ts'
import { requireNotary } from '../../src/notary/notary-folder.ts'
import { parsePins, renderPins, type Pin } from '../../src/policy/pin-set.ts'
import { filesOf, FirstUseFixture, minuteMs } from './first-use-fixture.ts'
import { digestOf } from './test-index.ts'

const [one, two] = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'] as const
const uploadTime = '2026-01-02T03:04:05Z'

let fixture: FirstUseFixture
beforeEach(async () => {
  fixture = await FirstUseFixture.create()
  fixture.index.put('foo', [
    { filename: one, uploadTime },
    { filename: two, uploadTime },
  ])
})
afterEach(() => fixture.remove())

function pin(file: string, content = file): Pin {
  return { project: 'foo', file, sha256: digestOf(content) }
}

async function bind(...pins: readonly Pin[]): Promise<ImportResult> {
  const clock = (): number => fixture.now
  await requireNotary(fixture.place, clock)
  const mirror = await openMirror(fixture.place.path, { clock, report: () => undefined })
  try {
    const text = renderPins(pins, { index: fixture.index.url })
    return importPins(mirror, parsePins(text, 'pins.txt'))
  } finally {
    await mirror.close()
  }
}

function readBack(): Promise<string[]> {
  return readMirror(fixture.place.path, (memory) =>
    [...listPins(memory)].map(({ file, sha256 }) => `${file} ${sha256}`).toSorted(),
  )
}

test('a file that the index shows with another digest is a conflict, and never served', async () => {
  expect(await bind(pin(one, 'seen elsewhere'))).toMatchObject({ added: 1, conflicts: [] })
  const proxy = await fixture.open()
  expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([two])
  expect(fixture.events).toContainEqual(
    expect.objectContaining({
      code: 'CONFLICT',
      file: one,
      expected: digestOf('seen elsewhere'),
      found: digestOf(one),
    }),
  )
  // Nor by a later look, or when the index shows it as it should be in between.
  fixture.now += minuteMs
  fixture.index.put('foo', [{ filename: one, content: 'seen elsewhere' }])
  expect((await filesOf(proxy, 'foo')).get(one)?.sha256).toBe(digestOf('seen elsewhere'))
})

test('files that agree are served, and are as old as they were without pins', async () => {
  await bind(pin(one), pin(two))
  const proxy = await fixture.open()
  const files = [...(await filesOf(proxy, 'foo')).values()]
  expect(files.map(({ firstSeen }) => firstSeen)).toEqual([undefined, undefined])
  expect(proxy.firstUse.counts.first).toBe(1)
})

test('what was seen here first is not overruled: all of it is refused', async () => {
  const proxy = await fixture.open()
  await proxy.findRecord('foo', 'page')
  const result = await bind(pin(one, 'seen elsewhere'), { ...pin('bar-1.0.zip'), project: 'bar' })
  expect(result).toMatchObject({ added: 0, known: 0 })
  expect(result.conflicts).toEqual([{ ...pin(one, 'seen elsewhere'), seenHere: digestOf(one) }])
  expect(await readBack()).toEqual([one, two].map((file) => `${file} ${digestOf(file)}`))
})

test('come out as they came in, with what was seen since', async () => {
  await bind(pin(one))
  expect(await bind(pin(one))).toMatchObject({ added: 0, known: 1 })
  expect(await readBack()).toEqual([`${one} ${digestOf(one)}`])
  const proxy = await fixture.open()
  await proxy.findRecord('foo', 'page')
  expect(await readBack()).toEqual([one, two].map((file) => `${file} ${digestOf(file)}`))
})

test('may be imported while a proxy runs, which minds them from then on', async () => {
  const proxy = await fixture.open()
  await bind(pin(one, 'seen elsewhere'))
  expect([...(await filesOf(proxy, 'foo')).keys()]).toEqual([two])
})
