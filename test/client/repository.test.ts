import { beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { digestHex, sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import type { ContentStore } from '../../src/client/record-loader.ts'
import { Repository, type RepositoryEvent } from '../../src/client/repository.ts'
import type { RepositorySource } from '../../src/client/repository-source.ts'
import type { TrustStorage } from '../../src/client/trusted-state.ts'
import { noFloors, type Floors } from '../../src/tuf/floors.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'
import { matching } from '../support/expecting.ts'
import { createSigner } from '../support/tuf-signers.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

const path = 'simple/foo/index.json'
const record = `{"files":[{"filename":"foo-1.0.tar.gz","hashes":{"sha256":"${'ab'.repeat(32)}"},"size":3,"url":"https://files.example/foo-1.0.tar.gz"}],"meta":{"api-version":"1.4"},"name":"foo","versions":["1.0"]}`

/** What a disk does, in memory: the production port, for faults and restarts. */
class MemoryStorage implements TrustStorage, ContentStore {
  floors: Floors = noFloors
  readonly files = new Map<string, Bytes>()
  readonly content = new Map<string, Bytes>()
  readonly setAsides: string[] = []

  readFloors(): Floors {
    return this.floors
  }
  async readRoot(version: number): Promise<Bytes | undefined> {
    return this.files.get(`${version}.root`)
  }
  async saveRoot(version: number, bytes: Bytes): Promise<void> {
    this.files.set(`${version}.root`, bytes)
  }
  async save(role: string, bytes: Bytes): Promise<void> {
    this.files.set(role, bytes)
  }
  async commit(floors: Floors, accepted: ReadonlyMap<string, Bytes>): Promise<void> {
    for (const [role, version] of this.floors.versions) {
      if (floors.epoch === this.floors.epoch && (floors.versions.get(role) ?? 0) < version) {
        throw new VerifyError('VERSION_ROLLBACK', `${role} went back`)
      }
    }
    this.floors = floors
    for (const [role, bytes] of accepted) this.files.set(role, bytes)
  }
  async setAside(role: string): Promise<void> {
    this.setAsides.push(role)
    this.files.delete(role)
  }
  async read(name: string): Promise<Bytes | undefined> {
    return this.files.get(name) ?? this.content.get(name)
  }
  async put(bytes: Bytes): Promise<void> {
    this.content.set(sha256Hex(bytes), bytes)
  }
}

let simulator: TufSimulator
let storage: MemoryStorage
let now: number
let events: RepositoryEvent[]

function open(sources: readonly RepositorySource[] = [simulator]): Promise<Repository> {
  return Repository.open({
    pinnedRoot: simulator.publishedRoots.get(1) ?? new Uint8Array(),
    sources,
    storage,
    content: storage,
    recordPath: 'simple/{project}/index.json',
    timing: { refreshMs: 60_000, recheckMs: 300_000, patienceMs: 20, retryMs: 5000 },
    maxUnseenMs: 48 * 3_600_000,
    limits: defaultRefreshLimits,
    maxRecordBytes: 1_000_000,
    maxDelegations: 32,
    clock: () => now,
    report: (event) => events.push(event),
  })
}

/** A mirror that cannot be reached. */
function createDeadSource(name = 'dead'): RepositorySource {
  const fail = (): Promise<never> =>
    Promise.reject(new UpstreamError('UNREACHABLE', `${name} refused the connection`))
  return { name, fetchMetadata: fail, fetchTarget: fail }
}

async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const outcome = await promise.catch((error: unknown) => error)
  if (outcome instanceof VerifyError || outcome instanceof UpstreamError) return outcome
  throw new Error(`no coded error: ${String(outcome)}`)
}

function buildMirror(): TufSimulator {
  const built = new TufSimulator({ hashes: true })
  built.delegate('bins', { paths: ['simple/*/*'], terminating: true })
  built.delegateBins({ from: 'bins', bitLength: 2 })
  const bin = findBin(built)
  built.addTarget(path, record, bin)
  built.publish()
  return built
}

/** The bin that a search for `path` ends in. */
function findBin(of: TufSimulator): string {
  const digest = sha256Hex(encodeUtf8(path))
  const bin = `bins-${(Number.parseInt(digest.slice(0, 2), 16) >> 6).toString(16)}`
  if (!of.delegated.has(bin)) throw new Error(`no ${bin}`)
  return bin
}

beforeEach(() => {
  simulator = buildMirror()
  storage = new MemoryStorage()
  now = simulator.now
  events = []
})

describe('a repository', () => {
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
    now += 59_000
    await repository.findRecord('foo')
    expect(simulator.requests).toEqual([])
    now += 2000
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

describe('freshness', () => {
  test('an indefinite freeze ends when the list expires, and the reason names both facts', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    now = simulator.now + 30 * 86_400_000 + 3 * 3_600_000
    for (const role of ['timestamp', '2.root']) {
      simulator.faults.set(role, new UpstreamError('UNREACHABLE', 'connection refused'))
    }
    const { code, message } = await failureOf(repository.findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toMatch(/root version 1 expired 3 h ago; no mirror could be reached for 30 d/)
  })

  test('an expired list on disk is the reason after a restart too', async () => {
    await (await open()).findRecord('foo')
    simulator.root.expires = formatUtcSeconds(now + 90 * 86_400_000)
    simulator.renewRoot()
    await (await open()).refresh()
    now += 31 * 86_400_000
    const { code, message } = await failureOf((await open([createDeadSource()])).findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toContain('timestamp version 2 expired 1 d ago')
  })

  test('a frozen bin is refused although everything above it is renewed', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    now += 29 * 86_400_000
    simulator.root.expires = formatUtcSeconds(now + 90 * 86_400_000)
    simulator.renewRoot()
    for (const role of ['targets', 'bins']) {
      simulator.role(role).expires = formatUtcSeconds(now + 90 * 86_400_000)
      simulator.role(role).version += 1
    }
    simulator.snapshot.expires = formatUtcSeconds(now + 90 * 86_400_000)
    simulator.timestamp.expires = formatUtcSeconds(now + 90 * 86_400_000)
    simulator.publish()
    now += 2 * 86_400_000
    const { code, message } = await failureOf(repository.findRecord('foo'))
    expect(code).toBe('EXPIRED')
    expect(message).toContain(findBin(simulator))
  })

  test('a mirror that no longer sees its index cannot hide behind a fresh timestamp', async () => {
    simulator.timestamp['x-tufgate'] = {
      signed: formatUtcSeconds(now),
      'index-seen': formatUtcSeconds(now - 49 * 3_600_000),
    }
    simulator.timestamp.version += 1
    const { code, message } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('INDEX_UNSEEN')
    expect(message).toContain('has not seen its index for 2 d')
  })

  test('a request waits for a check that is long due, but not for ever', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    now += 301_000
    simulator.addTarget('simple/bar/index.json', record.replaceAll('foo', 'bar'), 'targets')
    simulator.publish()
    expect((await repository.findRecord('foo'))?.trust.timestamp).toBe(3)
    now += 301_000
    const hanging: RepositorySource = {
      name: 'hanging',
      fetchMetadata: () => new Promise(() => undefined),
      fetchTarget: () => new Promise(() => undefined),
    }
    const stuck = await open([hanging])
    expect((await stuck.findRecord('foo'))?.trust.timestamp).toBe(3)
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

  test('A2: a replayed old tree changes nothing, and is reported with both versions', async () => {
    const repository = await open()
    await repository.refresh()
    simulator.timestamp.version -= 1
    simulator.timestamp.meta['snapshot.json'] = { version: 1 }
    now += 61_000
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
    now += 61_000
    const { code } = await failureOf(repository.refresh())
    expect(code).toBe('SIGNATURE_THRESHOLD')
    expect(repository.trust).toEqual({ root: 2 })
    await failureOf(repository.findRecord('foo'))
    simulator.tampered.clear()
    simulator.timestamp.version += 1
    now += 6000
    expect((await repository.findRecord('foo'))?.trust.root).toBe(2)
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
