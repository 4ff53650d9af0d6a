import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { createTrustStorage } from '../../src/client/trust-storage.ts'
import { loadTrustedState, type TrustStorage } from '../../src/client/trusted-state.ts'
import { FloorStore } from '../../src/store/floors.ts'
import { MetadataDirectory } from '../../src/store/metadata-directory.ts'
import { requireUnexpired } from '../../src/tuf/freshness.ts'
import type { TrustedSet } from '../../src/tuf/trusted-set.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

let folder: string
let floors: FloorStore
let storage: TrustStorage
let simulator: TufSimulator
let warnings: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-trust-'))
  simulator = new TufSimulator({ hashes: true })
  warnings = []
  const onWarning = (message: string): void => void warnings.push(message)
  const metadata = await MetadataDirectory.open(join(folder, 'metadata'), { onWarning })
  floors = FloorStore.open(join(folder, 'floors.db'))
  storage = createTrustStorage(metadata, floors, defaultRefreshLimits)
})
afterEach(() => {
  floors.close()
  rmSync(folder, { recursive: true })
})

async function load(): Promise<TrustedSet> {
  const root = simulator.publishedRoots.get(1) ?? new Uint8Array()
  return (await loadTrustedState(root, storage, simulator.now)).trusted
}

/** As a repository does it: from disk, by a refresh, to disk. */
async function refresh(): Promise<void> {
  const { trusted, accepted } = await simulator.refresh(await load())
  await storage.commit(trusted.floors, accepted)
}

/** The metadata files of snapshot, targets and timestamp. */
function listFiles(): string[] {
  return readdirSync(join(folder, 'metadata')).filter((name) => name.endsWith('.json'))
}

/** What a process that is killed leaves: some of the new files beside the old, the floors as before. */
async function refreshUntilCrash(files: readonly string[]): Promise<void> {
  const { accepted } = await simulator.refresh(await load())
  const metadata = await MetadataDirectory.open(join(folder, 'metadata'))
  for (const role of ['targets', 'snapshot'] as const) {
    if (!files.includes(`2.${role}.json`)) continue
    const staged = await metadata.stageTop(role, accepted.get(role) as Bytes, 2)
    staged.publish()
  }
}

describe('the trusted state on disk', () => {
  test('is whole after each refresh, and nothing older stays', async () => {
    await refresh()
    expect(listFiles()).toEqual(['1.snapshot.json', '1.targets.json', 'timestamp.json'])
    simulator.targets.version += 1
    simulator.publish()
    await refresh()
    expect(listFiles()).toEqual(['2.snapshot.json', '2.targets.json', 'timestamp.json'])
    requireUnexpired(await load(), simulator.now)
    expect(warnings).toEqual([])
  })

  // The files are replaced one after the other: a crash can come between any two.
  test.each([
    ['only targets are new', ['2.targets.json']],
    ['targets and snapshot are new', ['2.targets.json', '2.snapshot.json']],
  ])('is the one before, whole, where a crash left: %s', async (_, files) => {
    await refresh()
    simulator.targets.version += 1
    simulator.publish()
    await refreshUntilCrash(files)
    const trusted = await load()
    requireUnexpired(trusted, simulator.now)
    expect(trusted).toMatchObject({ timestamp: { version: 1 }, snapshot: { version: 1 } })
    expect(warnings).toEqual([])
    await refresh()
    expect(await load()).toMatchObject({ timestamp: { version: 2 }, targets: { version: 2 } })
    expect(listFiles()).toEqual(['2.snapshot.json', '2.targets.json', 'timestamp.json'])
  })
})
