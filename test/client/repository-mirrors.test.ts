import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { digestHex, sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import type { RepositorySource } from '../../src/client/repository-source.ts'
import { createSigner } from '../support/tuf-signers.ts'
import {
  buildMirror,
  createDeadSource,
  events,
  failureOf,
  open,
  path,
  record,
  simulator,
  storage,
  time,
  useRepository,
} from './repository-fixture.ts'

useRepository()

describe('the list of projects', () => {
  const listPath = 'simple/index.json'
  const putList = (name: string): void => {
    const text = `{"meta":{"api-version":"1.4"},"projects":[{"name":"${name}"}]}`
    simulator.addTarget(listPath, text)
    // A mirror of somebody else may sign no sha256: pages are told apart by the digest all the same.
    const entry = simulator.targets.targets[listPath]
    if (entry === undefined) throw new Error('no list')
    entry.hashes = { sha512: digestHex('sha512', encodeUtf8(text)) }
    simulator.targets.version += 1
    simulator.publish()
  }

  test('has a digest of its own for each content, whatever it is signed with', async () => {
    simulator.renewRoot(() => (simulator.root.consistent_snapshot = false))
    putList('foo')
    const repository = await open()
    const before = await repository.findProjectList()
    putList('bar')
    await repository.refresh()
    const after = await repository.findProjectList()
    expect([before?.names, after?.names]).toEqual([['foo'], ['bar']])
    expect(after?.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(after?.digest).not.toBe(before?.digest)
  })
})

describe('bad mirrors', () => {
  test('A9: a dead, an empty and a lying mirror cost time, not updates', async () => {
    const empty: RepositorySource = {
      name: 'empty',
      fetchMetadata: async () => 'absent',
      fetchTarget: async () => undefined,
    }
    const garbage: RepositorySource = {
      name: 'garbage',
      fetchMetadata: async (name) =>
        name.includes('root') ? 'absent' : { bytes: encodeUtf8('<html>') },
      fetchTarget: async () => encodeUtf8('<html>'),
    }
    const repository = await open([createDeadSource(), empty, garbage, simulator])
    expect((await repository.findRecord('foo'))?.trust.timestamp).toBe(2)
    const failed = events.flatMap((event) => (event.kind === 'failed' ? [event.failure] : []))
    const byName = new Map(failed.toReversed().map(({ source, error }) => [source, error.code]))
    expect(Object.fromEntries(byName)).toEqual({
      dead: 'UNREACHABLE',
      empty: 'METADATA_UNAVAILABLE',
      garbage: 'MALFORMED',
    })
  })

  test('A9: a mirror that times out costs its time once a minute, not once for each file', async () => {
    const slow: string[] = []
    const timeOut = (name: string): Promise<never> => {
      slow.push(name)
      return Promise.reject(new UpstreamError('TIMED_OUT', `no answer for ${name}`))
    }
    // What a refresh needs comes at once; bins and records do not come at all.
    const first: RepositorySource = {
      name: 'slow',
      fetchMetadata: (name, maxBytes, etag) =>
        name.includes('bins') ? timeOut(name) : simulator.fetchMetadata(name, maxBytes, etag),
      fetchTarget: timeOut,
    }
    const repository = await open([first, simulator])
    expect((await repository.findRecord('foo'))?.record.name).toBe('foo')
    expect(slow).toHaveLength(1)
    storage.files.clear()
    storage.content.clear()
    time.now += 61_000
    const later = await open([first, simulator])
    await later.findRecord('foo')
    expect(slow).toHaveLength(2)
  })

  test('A2: a replayed old tree changes nothing, and is reported with both versions', async () => {
    const repository = await open()
    await repository.refresh()
    simulator.timestamp.version -= 1
    simulator.timestamp.meta['snapshot.json'] = { version: 1 }
    time.now += 61_000
    const { code } = await failureOf(repository.refresh())
    expect(code).toBe('VERSION_ROLLBACK')
    expect((await repository.findRecord('foo'))?.trust.timestamp).toBe(2)
    const [failed] = events.filter(({ kind }) => kind === 'failed')
    expect(failed).toMatchObject({
      failure: { error: { facts: { expected: 'at least 2', found: '1' } } },
      trust: { timestamp: 2 },
    })
  })

  test('A2: a replay after a restart with a lost metadata cache is refused by the floors', async () => {
    await (await open()).refresh()
    storage.files.clear()
    simulator.timestamp.version -= 1
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('VERSION_ROLLBACK')
  })

  test('A4: another record under the genuine list is refused, and a good mirror behind it helps', async () => {
    simulator.tampered.set(path, (genuine) => {
      const changed = new Uint8Array(genuine)
      changed[20] = (changed[20] ?? 0) ^ 1
      return changed
    })
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('DIGEST_MISMATCH')
    expect(storage.content.size).toBe(0)
    const good: RepositorySource = {
      name: 'good',
      fetchMetadata: (...args) => simulator.fetchMetadata(...args),
      fetchTarget: async (name) => (name.includes('foo') ? encodeUtf8(record) : undefined),
    }
    const repository = await open([simulator, good])
    expect((await repository.findRecord('foo'))?.record.name).toBe('foo')
  })

  test('A11: a new root ends the keys of the old one at once', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    const oldTimestamp = simulator.render('timestamp')
    simulator.renewRoot(() => simulator.setKeys('timestamp', [createSigner()]))
    simulator.tampered.set('timestamp', () => oldTimestamp)
    time.now += 61_000
    const { code } = await failureOf(repository.refresh())
    expect(code).toBe('SIGNATURE_THRESHOLD')
    expect(repository.trust).toEqual({ root: 2 })
    await failureOf(repository.findRecord('foo'))
    simulator.tampered.clear()
    simulator.timestamp.version += 1
    time.now += 6000
    expect((await repository.findRecord('foo'))?.trust.root).toBe(2)
  })

  test('A11: a new root holds though the one after it cannot be had, and is hidden again afterwards', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    const oldTimestamp = simulator.render('timestamp')
    simulator.renewRoot(() => simulator.setKeys('timestamp', [createSigner()]))
    simulator.faults.set('3.root', new UpstreamError('TIMED_OUT', 'no answer'))
    time.now += 61_000
    expect((await failureOf(repository.refresh())).code).toBe('METADATA_UNAVAILABLE')
    expect(repository.trust).toEqual({ root: 2 })
    // By a mirror, or a thief of the old key, who knows nothing of it.
    simulator.faults.clear()
    simulator.publishedRoots.delete(2)
    simulator.tampered.set('timestamp', () => oldTimestamp)
    time.now += 6000
    expect((await failureOf(repository.refresh())).code).toBe('SIGNATURE_THRESHOLD')
    expect(repository.trust).toEqual({ root: 2 })
  })

  test('of another root: said at the first contact, with the root that is pinned', async () => {
    simulator.tampered.set('timestamp', () => buildMirror().render('timestamp'))
    const repository = await open()
    const error = await repository.refresh().catch((thrown: unknown) => thrown)
    const digest = sha256Hex(simulator.publishedRoots.get(1) ?? new Uint8Array()).slice(0, 12)
    expect(error).toMatchObject({
      code: 'SIGNATURE_THRESHOLD',
      message: `The mirror's list is not signed by the keys of pinned.root.json (sha256 ${digest}...)`,
      facts: {
        role: 'timestamp',
        next: 'If this root is of another mirror, give the right one with --root. Otherwise ask whoever runs the mirror, and use nothing of it until then.',
      },
      cause: { facts: { found: '0 keys' } },
    })
    expect(repository.isUsable()).toBe(false)
  })

  test('of another root: never guessed once a list of the mirror was accepted', async () => {
    const repository = await open()
    await repository.refresh()
    simulator.tampered.set('timestamp', () => buildMirror().render('timestamp'))
    const { message } = await failureOf(repository.refresh())
    expect(message).toBe('timestamp is signed by 0 of the 1 keys that root demands')
    expect(repository.isUsable()).toBe(true)
  })

  test('that are down are named once', async () => {
    const gone = new UpstreamError('UNREACHABLE', 'http://a.test/metadata/2.root.json: no answer')
    const fail = (): Promise<never> => Promise.reject(gone)
    const named = { name: 'http://a.test/', fetchMetadata: fail, fetchTarget: fail }
    const { message } = await failureOf((await open([named, createDeadSource('b')])).refresh())
    expect(message).toBe(
      'No mirror could be read: http://a.test/metadata/2.root.json: no answer; b refused the connection',
    )
  })
})
