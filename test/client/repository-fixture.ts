/** A repository in memory: a simulated mirror, a disk, a clock that the test moves. */

import { beforeEach } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError, VerifyError } from '../../src/base/errors.ts'
import {
  Repository,
  type RepositoryEvent,
  type RepositoryOptions,
} from '../../src/client/repository.ts'
import type { RepositorySource } from '../../src/client/repository-source.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'
import { MemoryStorage } from '../support/memory-storage.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

export const path = 'simple/foo/index.json'
export const record = `{"files":[{"filename":"foo-1.0.tar.gz","hashes":{"sha256":"${'ab'.repeat(32)}"},"size":3,"url":"https://files.example/foo-1.0.tar.gz"}],"meta":{"api-version":"1.4"},"name":"foo","versions":["1.0"]}`

export let simulator: TufSimulator
export let storage: MemoryStorage
/** Of the clock, ms. */
export const time = { now: 0 }
export let events: RepositoryEvent[]

export function open(
  sources: readonly RepositorySource[] = [simulator],
  pinned: TufSimulator = simulator,
  more: Partial<RepositoryOptions> = {},
): Promise<Repository> {
  return Repository.open({
    pinnedRoot: pinned.publishedRoots.get(1) ?? new Uint8Array(),
    pinnedRootName: 'pinned.root.json',
    sources,
    storage,
    content: storage,
    recordPath: 'simple/{project}/index.json',
    timing: { refreshMs: 60_000, recheckMs: 300_000, patienceMs: 20, retryMs: 5000 },
    maxUnseenMs: 48 * 3_600_000,
    limits: defaultRefreshLimits,
    maxRecordBytes: 1_000_000,
    maxDelegations: 32,
    clock: () => time.now,
    report: (event) => events.push(event),
    ...more,
  })
}

/** A mirror that cannot be reached. */
export function createDeadSource(name = 'dead'): RepositorySource {
  const fail = (): Promise<never> =>
    Promise.reject(new UpstreamError('UNREACHABLE', `${name} refused the connection`))
  return { name, fetchMetadata: fail, fetchTarget: fail }
}

export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string }> {
  const outcome = await promise.catch((error: unknown) => error)
  if (outcome instanceof VerifyError || outcome instanceof UpstreamError) return outcome
  throw new Error(`no coded error: ${String(outcome)}`)
}

export function buildMirror(): TufSimulator {
  const built = new TufSimulator({ hashes: true })
  built.delegate('bins', { paths: ['simple/*/*'], terminating: true })
  built.delegateBins({ from: 'bins', bitLength: 2 })
  const bin = findBin(built)
  built.addTarget(path, record, bin)
  built.publish()
  return built
}

/** The bin that a search for `path` ends in. */
export function findBin(of: TufSimulator): string {
  const digest = sha256Hex(encodeUtf8(path))
  const bin = `bins-${(Number.parseInt(digest.slice(0, 2), 16) >> 6).toString(16)}`
  if (!of.delegated.has(bin)) throw new Error(`no ${bin}`)
  return bin
}

/** To be called once at the top of a test file. */
export function useRepository(): void {
  beforeEach(() => {
    simulator = buildMirror()
    storage = new MemoryStorage()
    time.now = simulator.now
    events = []
  })
}
