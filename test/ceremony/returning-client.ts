/** The client of the proxy with its state on disk: opened, used, closed, as in one run after another. */

import { join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import { Repository } from '../../src/client/repository.ts'
import { createTrustStorage } from '../../src/client/trust-storage.ts'
import { openFolderSource } from '../../src/store/folder-source.ts'
import { FloorStore } from '../../src/store/floors.ts'
import { MetadataDirectory } from '../../src/store/metadata-directory.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'

export interface Seen {
  readonly root: number
  readonly timestamp: number | undefined
  readonly snapshot: number | undefined
  /** Files of each project that was asked for. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

export interface RunningClient {
  look(projects: readonly string[]): Promise<Seen>
  stop(): void
}

export class ReturningClient {
  readonly #folder: string
  readonly #readPinned: () => Promise<Bytes>

  constructor(folder: string, readPinned: () => Promise<Bytes>) {
    this.#folder = folder
    this.#readPinned = readPinned
  }

  /** One start of the proxy against this published folder. Throws what the client throws. */
  async visit(published: string, now: number, projects: readonly string[]): Promise<Seen> {
    const running = await this.start(published, () => now)
    try {
      return await running.look(projects)
    } finally {
      running.stop()
    }
  }

  /** A proxy that goes on running. */
  async start(published: string, clock: () => number): Promise<RunningClient> {
    const metadata = await MetadataDirectory.open(join(this.#folder, 'metadata'), {})
    const floors = FloorStore.open(join(this.#folder, 'floors.db'))
    const repository = await Repository.open({
      pinnedRoot: await this.#readPinned(),
      pinnedRootName: '1.root.json',
      sources: [openFolderSource(published)],
      storage: createTrustStorage(metadata, floors, defaultRefreshLimits),
      content: { read: () => Promise.resolve(undefined), put: () => undefined },
      recordPath: 'simple/{project}/index.json',
      timing: { refreshMs: 60_000, recheckMs: 300_000, patienceMs: 3000, retryMs: 5000 },
      maxUnseenMs: Infinity,
      limits: defaultRefreshLimits,
      maxRecordBytes: 64_000_000,
      maxDelegations: 32,
      clock,
      report: () => undefined,
    })
    return { look: (projects) => look(repository, projects), stop: () => floors.close() }
  }
}

/** What it sees after a refresh. */
async function look(repository: Repository, projects: readonly string[]): Promise<Seen> {
  await repository.refresh()
  const files: Record<string, readonly string[]> = {}
  for (const project of projects) {
    const found = await repository.findRecord(project)
    files[project] = found?.record.files.map(({ filename }) => filename) ?? []
  }
  const { root, timestamp, snapshot } = repository.trust
  return { root, timestamp, snapshot, files }
}
