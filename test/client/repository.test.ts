import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import type { RepositorySource } from '../../src/client/repository-source.ts'
import { matching } from '../support/expecting.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import {
  createDeadSource,
  events,
  failureOf,
  findBin,
  open,
  record,
  simulator,
  storage,
  time,
  useRepository,
} from './repository-fixture.ts'

useRepository()

describe('a repository', () => {
  test('A3: says so in the last quarter of the life of a list that is not renewed', async () => {
    const hourMs = 3_600_000
    simulator.timestamp.expires = formatUtcSeconds(time.now + 24 * hourMs)
    simulator.timestamp['x-tufgate'] = { signed: formatUtcSeconds(time.now) }
    simulator.publish()
    const repository = await open()
    const told: (number | undefined)[] = []
    for (const hours of [0, 17, 19, 23]) {
      const start = time.now
      time.now += hours * hourMs
      events.length = 0
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await repository.refresh()
      told.push(...events.map((event) => (event.kind === 'refreshed' ? event.leftMs : NaN)))
      time.now = start
    }
    expect(told).toEqual([undefined, undefined, 5 * hourMs, hourMs])
  })

  test('finds the record of a project and says which list it rests on', async () => {
    const repository = await open()
    const found = await repository.findRecord('foo')
    expect(found?.record.files.map(({ filename }) => filename)).toEqual(['foo-1.0.tar.gz'])
    expect(found?.digest).toBe(sha256Hex(encodeUtf8(record)))
    expect(found?.trust).toEqual({ root: 1, timestamp: 2, snapshot: 2, role: findBin(simulator) })
  })

  test('proves that a project is not there, and does not guess when a bin cannot be had', async () => {
    const repository = await open()
    expect(await repository.findRecord('bar')).toBeUndefined()
    const other = await open()
    for (const bin of ['bins-0', 'bins-1', 'bins-2', 'bins-3']) {
      simulator.faults.set(`1.${bin}`, new UpstreamError('TIMED_OUT', 'no answer'))
    }
    storage.files.clear()
    const { code } = await failureOf(other.findRecord('bar'))
    expect(code).toBe('METADATA_UNAVAILABLE')
  })

  test('asks the mirror once however many ask at the same time', async () => {
    const repository = await open()
    await Promise.all(Array.from({ length: 50 }, () => repository.findRecord('foo')))
    const asked = simulator.requests.filter((name) => name !== '2.root')
    expect(new Set(asked).size).toBe(asked.length)
  })

  test('needs no request at all for what it has, until the list is due again', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    simulator.requests.length = 0
    time.now += 59_000
    await repository.findRecord('foo')
    expect(simulator.requests).toEqual([])
    time.now += 2000
    await repository.findRecord('foo')
    await repository.refresh()
    expect(simulator.requests).toContain('timestamp')
  })

  test('goes on from the disk after a restart without a mirror', async () => {
    await (await open()).findRecord('foo')
    const restarted = await open([createDeadSource()])
    const found = await restarted.findRecord('foo')
    expect(found?.trust.timestamp).toBe(2)
  })
})

describe('freshness', () => {
  test('an indefinite freeze ends when the list expires, and the reason names both facts', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    time.now = simulator.now + 30 * 86_400_000 + 3 * 3_600_000
    for (const role of ['timestamp', '2.root']) {
      simulator.faults.set(role, new UpstreamError('UNREACHABLE', 'connection refused'))
    }
    const { code, message } = await failureOf(repository.findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toMatch(/root version 1 expired 3 h ago; no mirror could be reached for 30 d/)
  })

  test('an expired list on disk is the reason after a restart too', async () => {
    await (await open()).findRecord('foo')
    simulator.root.expires = formatUtcSeconds(time.now + 90 * 86_400_000)
    simulator.renewRoot()
    await (await open()).refresh()
    time.now += 31 * 86_400_000
    const { code, message } = await failureOf((await open([createDeadSource()])).findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toContain('timestamp version 2 expired 1 d ago')
  })

  test('a frozen bin is refused although everything above it is renewed', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    time.now += 29 * 86_400_000
    simulator.root.expires = formatUtcSeconds(time.now + 90 * 86_400_000)
    simulator.renewRoot()
    for (const role of ['targets', 'bins']) {
      simulator.role(role).expires = formatUtcSeconds(time.now + 90 * 86_400_000)
      simulator.role(role).version += 1
    }
    simulator.snapshot.expires = formatUtcSeconds(time.now + 90 * 86_400_000)
    simulator.timestamp.expires = formatUtcSeconds(time.now + 90 * 86_400_000)
    simulator.publish()
    time.now += 2 * 86_400_000
    const { code, message } = await failureOf(repository.findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toContain(findBin(simulator))
  })

  test('a mirror that no longer sees its index cannot hide behind a fresh timestamp', async () => {
    simulator.timestamp['x-tufgate'] = {
      signed: formatUtcSeconds(time.now),
      'index-seen': formatUtcSeconds(time.now - 49 * 3_600_000),
    }
    simulator.timestamp.version += 1
    const { code, message } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('INDEX_UNSEEN')
    expect(message).toContain('has not seen its index for 2 d')
  })

  test('a request waits for a check that is long due, but not for ever', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    time.now += 301_000
    simulator.addTarget('simple/bar/index.json', record.replaceAll('foo', 'bar'), 'targets')
    simulator.publish()
    expect((await repository.findRecord('foo'))?.trust.timestamp).toBe(3)
    time.now += 301_000
    const hanging: RepositorySource = {
      name: 'hanging',
      fetchMetadata: () => new Promise(() => undefined),
      fetchTarget: () => new Promise(() => undefined),
    }
    const stuck = await open([hanging])
    expect((await stuck.findRecord('foo'))?.trust.timestamp).toBe(3)
  })
})

describe('state on disk', () => {
  test('a damaged file is set aside and fetched again', async () => {
    await (await open()).findRecord('foo')
    storage.files.set('snapshot', encodeUtf8('{}'))
    const repository = await open()
    expect(storage.setAsides).toEqual(['snapshot'])
    expect((await repository.findRecord('foo'))?.trust.snapshot).toBe(2)
  })

  test('a poisoned cached root is no anchor', async () => {
    const evil = new TufSimulator()
    evil.root.version = 2
    storage.files.set('2.root', evil.publishRoot())
    const repository = await open()
    expect(storage.setAsides).toEqual(['2.root'])
    expect(repository.trust).toEqual({ root: 1 })
  })

  test('A2: roots that were lost on disk do not bring an older root back into force', async () => {
    await (await open()).findRecord('foo')
    simulator.renewRoot()
    await (await open()).refresh()
    storage.files.delete('2.root')
    const restarted = await open([createDeadSource()])
    expect(await failureOf(restarted.findRecord('foo'))).toMatchObject({
      code: 'VERSION_ROLLBACK',
      message: matching(/^root went back from version 2 to 1; no mirror could be reached/),
    })
    const healed = await open()
    expect((await healed.findRecord('foo'))?.trust.root).toBe(2)
  })

  test('a process that fell behind goes on from where another one is', async () => {
    const behind = await open()
    await behind.refresh()
    const frozen = {
      timestamp: simulator.render('timestamp'),
      snapshot: simulator.render('snapshot'),
    }
    simulator.publish()
    await (await open()).refresh()
    // The mirror shows the other process's past to this one.
    simulator.tampered.set('timestamp', () => frozen.timestamp)
    simulator.tampered.set('snapshot', () => frozen.snapshot)
    await behind.refresh()
    const restarted = await open([createDeadSource()])
    expect(restarted.trust.timestamp).toBe(3)
  })
})

test('a check that is under way when everything is closed is waited for, and its failure not told', async () => {
  let fail: ((error: Error) => void) | undefined
  const slow = createDeadSource('slow')
  const source = {
    ...slow,
    fetchMetadata: (): Promise<never> => new Promise((_, reject) => (fail = reject)),
  }
  const repository = await open([source])
  const refreshed = repository.refresh().catch((error: unknown) => error)
  const settled = repository.settle()
  await expect(Promise.race([settled, Promise.resolve('waits')])).resolves.toBe('waits')
  fail?.(new UpstreamError('UNREACHABLE', 'closed'))
  await settled
  expect(await refreshed).toBeInstanceOf(Error)
  expect(events).toEqual([])
})
