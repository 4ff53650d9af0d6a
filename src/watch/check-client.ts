/**
 * The client of the proxy over a folder, with the limits that it has by default: what it accepts,
 * every client accepts, and what it refuses must not be published.
 */

import type { Bytes } from '../base/bytes.ts'
import { Repository } from '../client/repository.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import type { TrustStorage } from '../client/trusted-state.ts'
import { defaultRefreshLimits } from '../tuf/update.ts'

/** The defaults of the proxy's settings; a test compares them. */
export const clientLimits = {
  refresh: { ...defaultRefreshLimits, maxTimestampBytes: 16_000 },
  maxRecordBytes: 64_000_000,
  maxDelegations: 32,
}

const recordPath = 'simple/{project}/index.json'

export interface CheckClientOptions {
  readonly pinnedRoot: Bytes
  readonly source: RepositorySource
  readonly storage: TrustStorage
  readonly now: number
  /** ms; left out, how long ago the index was seen does not count. */
  readonly maxUnseenMs?: number
}

/** One refresh and no more: nothing changes under a check. */
const timing = { refreshMs: Infinity, recheckMs: Infinity, patienceMs: 0, retryMs: Infinity }

/** Throws what the client throws where it refuses the tree. */
export async function openCheckClient(options: CheckClientOptions): Promise<Repository> {
  const { pinnedRoot, source, storage, now, maxUnseenMs = Infinity } = options
  const repository = await Repository.open({
    pinnedRoot,
    pinnedRootName: 'the pinned root',
    sources: [source],
    storage,
    content: { read: () => Promise.resolve(undefined), put: () => undefined },
    recordPath,
    timing,
    maxUnseenMs,
    limits: clientLimits.refresh,
    maxRecordBytes: clientLimits.maxRecordBytes,
    maxDelegations: clientLimits.maxDelegations,
    clock: () => now,
    report: () => undefined,
  })
  await repository.refresh()
  return repository
}
