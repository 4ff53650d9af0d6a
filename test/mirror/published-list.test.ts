import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMirror, type Mirror } from '../../src/mirror/open-mirror.ts'
import { readProjectList, updateProjectList, walkNames } from '../../src/mirror/published-list.ts'
import { digestOf, hourMs, MirrorFixture } from './mirror-fixture.ts'

let fixture: MirrorFixture
let mirror: Mirror
beforeEach(async () => {
  fixture = await MirrorFixture.create()
  await fixture.init({ hasProjectList: true })
  mirror = await openMirror(fixture.directory, fixture.context)
})
afterEach(async () => {
  await mirror.close()
  await fixture.remove()
})

/** As after a sync that has signed so many more. */
function addProjects(from: number, count: number): void {
  const changes = Array.from({ length: count }, (_, at) => {
    const name = `project-${from + at}`
    const numbers = { bin: 0, length: 1, listed: 1, removed: 0, conflicts: 0 }
    return { project: { name, sha256: digestOf(name), ...numbers }, newPins: new Map() }
  })
  mirror.ledger.putProjects(changes)
}

async function updateAfter(ms: number): Promise<number | undefined> {
  fixture.now += ms
  await updateProjectList(mirror, fixture.now)
  return readProjectList(mirror)?.projects
}

test('a short list is written again for each project that is new', async () => {
  addProjects(0, 3)
  expect(await updateAfter(1000)).toBe(3)
  addProjects(3, 1)
  expect(await updateAfter(1000)).toBe(4)
})

test('a long list is written again once an hour at most, and then with all that are new', async () => {
  addProjects(0, 10_000)
  expect(await updateAfter(1000)).toBe(10_000)
  addProjects(10_000, 1)
  expect(await updateAfter(hourMs - 1)).toBe(10_000)
  addProjects(10_001, 1)
  expect(await updateAfter(1)).toBe(10_002)
})

test('a list that was written by a clock ahead of this one is no reason to wait', async () => {
  addProjects(0, 10_000)
  await updateAfter(24 * hourMs)
  addProjects(10_000, 1)
  expect(await updateAfter(-12 * hourMs)).toBe(10_001)
})

test('a walk over all names gives each of them once, in order', () => {
  addProjects(0, 10_250)
  const names = [...walkNames(mirror)]
  expect(new Set(names).size).toBe(10_250)
  expect(names).toEqual(names.toSorted())
})
