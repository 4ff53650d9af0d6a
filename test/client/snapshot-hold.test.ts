/** `tufgate run` holds one list; what takes away ends that, and what adds does not. */

import { beforeEach, describe, expect, test } from 'vitest'
import type { Repository } from '../../src/client/repository.ts'
import { denyTarget, renderDenials } from '../../src/simple/denial.ts'
import {
  createDeadSource,
  failureOf,
  findBin,
  open,
  path,
  simulator,
  time,
  useRepository,
} from './repository-fixture.ts'

useRepository()

interface File {
  readonly name: string
  readonly sha256?: string
  readonly more?: object
}

const one: File = { name: 'foo-1.0.tar.gz' }
const two: File = { name: 'foo-2.0.tar.gz' }

function publish(files: readonly File[], more: object = {}): void {
  const record = {
    files: files.map(({ name, sha256 = 'ab'.repeat(32), more: extra = {} }) => ({
      filename: name,
      hashes: { sha256 },
      size: 3,
      url: `https://files.example/${name}`,
      ...extra,
    })),
    meta: { 'api-version': '1.4' },
    name: 'foo',
    versions: [],
    ...more,
  }
  simulator.addTarget(path, JSON.stringify(record), findBin(simulator))
  simulator.publish()
}

async function namesOf(repository: Repository, project = 'foo'): Promise<string[]> {
  const found = await repository.findRecord(project)
  return found?.record.files.map(({ filename }) => filename) ?? []
}

let repository: Repository
beforeEach(async () => {
  const { delegations } = simulator.targets
  const others = delegations?.roles?.splice(0) ?? []
  simulator.delegate('deny', { paths: ['deny/*'], terminating: true })
  delegations?.roles?.push(...others)
  publish([one])
  repository = await open([simulator], simulator, { holdsSnapshot: true })
})

describe('while a list is held', () => {
  test('a new release is not seen, by pages or by files', async () => {
    const first = await repository.findRecord('foo')
    publish([one, two])
    await repository.refresh()
    const again = await repository.findRecord('foo')
    expect(again?.record).toBe(first?.record)
    expect(again?.trust).toEqual(first?.trust)
    expect(repository.trust.timestamp).toBe((first?.trust.timestamp ?? 0) + 1)
  })

  test('it is of the first answer, not of the start', async () => {
    await repository.refresh()
    publish([one, two])
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([one.name, two.name])
  })

  test('without it a new release is seen at once', async () => {
    const plain = await open()
    expect(await namesOf(plain)).toEqual([one.name])
    publish([one, two])
    await plain.refresh()
    expect(await namesOf(plain)).toEqual([one.name, two.name])
  })

  test('another project changes as it likes', async () => {
    expect(await namesOf(repository)).toEqual([one.name])
    expect(await repository.findRecord('bar')).toBeUndefined()
    publish([one, two])
    await repository.refresh()
    expect(await repository.findRecord('bar')).toBeUndefined()
    expect(await namesOf(repository)).toEqual([one.name])
  })

  test('a mirror that fails changes nothing', async () => {
    expect(await namesOf(repository)).toEqual([one.name])
    publish([two])
    simulator.faults.set('timestamp', new Error('gone'))
    await repository.refresh().catch(() => undefined)
    expect(await namesOf(repository)).toEqual([one.name])
  })
})

describe('the newest list is taken at once', () => {
  test.each([
    ['a file is gone', [two], {}],
    ['a file has another hash', [{ ...one, sha256: 'cd'.repeat(32) }, two], {}],
    ['a file was removed', [{ ...one, more: { _removed: '2026-06-01T11:00:00Z' } }, two], {}],
    ['a file is in conflict', [{ ...one, more: { _conflict: 'cd'.repeat(32) } }, two], {}],
    ['a file was yanked', [{ ...one, more: { yanked: 'broken' } }, two], {}],
    ['the project is in quarantine', [one, two], { 'project-status': { status: 'quarantined' } }],
  ])('where %s', async (_, files, more) => {
    expect(await namesOf(repository)).toEqual([one.name])
    publish(files, more)
    await repository.refresh()
    expect(await namesOf(repository)).toContain(two.name)
  })

  test('where a project is gone', async () => {
    await repository.findRecord('foo')
    delete simulator.role(findBin(simulator)).targets[path]
    simulator.role(findBin(simulator)).version += 1
    simulator.publish()
    await repository.refresh()
    expect(await repository.findRecord('foo')).toBeUndefined()
  })

  test('where something was denied, of a project that nobody has asked for too', async () => {
    expect(await namesOf(repository)).toEqual([one.name])
    publish([one, two])
    const denials = [{ reason: 'malware', since: simulator.now, files: 'all' as const }]
    simulator.addTarget(denyTarget('bar'), Buffer.from(renderDenials('bar', denials)), 'deny')
    simulator.publish()
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([one.name, two.name])
  })

  test('where the root is a new one', async () => {
    expect(await namesOf(repository)).toEqual([one.name])
    publish([one, two])
    simulator.renewRoot()
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([one.name, two.name])
  })

  test('where the mirror does not keep what the one that is held needs', async () => {
    await repository.requireFresh()
    publish([one, two])
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([one.name, two.name])
  })

  test('where the one that is held expires, while a newer one is there', async () => {
    simulator.timestamp.expires = '2026-06-02T12:00:00Z'
    simulator.publish()
    expect(await namesOf(repository)).toEqual([one.name])
    simulator.timestamp.expires = '2026-06-20T12:00:00Z'
    publish([one, two])
    await repository.refresh()
    time.now = Date.parse('2026-06-02T11:59:59Z')
    expect(await namesOf(repository)).toEqual([one.name])
    time.now = Date.parse('2026-06-02T12:00:00Z')
    expect(await namesOf(repository)).toEqual([one.name, two.name])
  })

  test('and that one is held from then on', async () => {
    await repository.findRecord('foo')
    publish([two])
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([two.name])
    publish([one, two])
    await repository.refresh()
    expect(await namesOf(repository)).toEqual([two.name])
  })
})

test('where the list that is held expires and no mirror answers, nothing is served', async () => {
  await repository.findRecord('foo')
  const lonely = await open([createDeadSource()], simulator, { holdsSnapshot: true })
  expect(await namesOf(lonely)).toEqual([one.name])
  time.now = Date.parse('2026-07-02T12:00:00Z')
  expect((await failureOf(lonely.findRecord('foo'))).code).toBe('EXPIRED')
})
