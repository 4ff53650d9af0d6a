/** The client of the proxy with its state on disk: opened, used, closed, as in one run after another. */

import { readdir } from 'node:fs/promises'
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

export class ReturningClient {
  readonly #folder: string
  readonly #readPinned: () => Promise<Bytes>

  constructor(folder: string, readPinned: () => Promise<Bytes>) {
    this.#folder = folder
    this.#readPinned = readPinned
  }

  /** One start of the proxy against this published folder. Throws what the client throws. */
  async visit(published: string, now: number, projects: readonly string[]): Promise<Seen> {
    const metadata = await MetadataDirectory.open(join(this.#folder, 'metadata'), {})
    const floors = FloorStore.open(join(this.#folder, 'floors.db'))
    try {
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
        clock: () => now,
        report: () => undefined,
      })
      await repository.refresh()
      const files: Record<string, readonly string[]> = {}
      for (const project of projects) {
        const found = await repository.findRecord(project)
        files[project] = found?.record.files.map(({ filename }) => filename) ?? []
      }
      const { root, timestamp, snapshot } = repository.trust
      return { root, timestamp, snapshot, files }
    } finally {
      floors.close()
    }
  }

  /** What was put away because it did not verify: nothing, unless somebody attacked. */
  async listState(): Promise<string[]> {
    return readdir(join(this.#folder, 'metadata'))
  }
}
