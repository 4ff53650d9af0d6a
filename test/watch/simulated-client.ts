/** The proxy's client over a published folder, with a disk in memory. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import { Repository } from '../../src/client/repository.ts'
import type { TrustStorage } from '../../src/client/trusted-state.ts'
import type { ProjectRecord } from '../../src/simple/record.ts'
import { openFolderSource } from '../../src/store/folder-source.ts'
import { noFloors } from '../../src/tuf/floors.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'

const hourMs = 3_600_000

export class SimulatedClient {
  readonly #folder: string
  readonly #storage = createMemoryStorage()
  readonly #known = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** As it starts: refreshes, and reads the record of every project. Throws what it refuses. */
  async read(
    projects: readonly string[],
    now: number,
  ): Promise<ReadonlyMap<string, ProjectRecord>> {
    const repository = await Repository.open({
      pinnedRoot: await readFile(join(this.#folder, 'metadata/1.root.json')),
      pinnedRootName: '1.root.json',
      sources: [openFolderSource(this.#folder)],
      storage: this.#storage,
      content: { read: () => Promise.resolve(undefined), put: () => undefined },
      recordPath: 'simple/{project}/index.json',
      timing: { refreshMs: Infinity, recheckMs: Infinity, patienceMs: 0, retryMs: Infinity },
      maxUnseenMs: 48 * hourMs,
      limits: defaultRefreshLimits,
      maxRecordBytes: 64_000_000,
      maxDelegations: 32,
      clock: () => now,
      report: () => undefined,
    })
    await repository.refresh()
    const records = new Map<string, ProjectRecord>()
    for (const project of projects) {
      const found = await repository.findRecord(project)
      if (found !== undefined) records.set(project, found.record)
      else if (this.#known.has(project)) throw new Error(`${project} is not signed any more`)
    }
    for (const project of records.keys()) this.#known.add(project)
    return records
  }
}

function createMemoryStorage(): TrustStorage {
  const files = new Map<string, Bytes>()
  let floors = noFloors
  return {
    readFloors: () => floors,
    readRoot: (version) => Promise.resolve(files.get(`${version}.root`)),
    saveRoot: (version, bytes) => Promise.resolve(void files.set(`${version}.root`, bytes)),
    read: (role) => Promise.resolve(files.get(role)),
    save: (role, bytes) => Promise.resolve(void files.set(role, bytes)),
    commit: (raised, accepted) => {
      floors = raised
      for (const [role, bytes] of accepted) files.set(role, bytes)
      return Promise.resolve()
    },
    setAside: (role, reason) => Promise.reject(new Error(`${role} is set aside: ${reason}`)),
  }
}
