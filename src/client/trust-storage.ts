/** The trusted state on disk: metadata files and the floors, changed together under one lock. */

import type { Bytes } from '../base/bytes.ts'
import type { StagedFile } from '../store/atomic-file.ts'
import type { FloorStore } from '../store/floors.ts'
import type { MetadataDirectory, TopRole } from '../store/metadata-directory.ts'
import type { RefreshLimits } from '../tuf/update.ts'
import type { TrustStorage } from './trusted-state.ts'

/** Timestamp last: what it names is in place when it appears. */
const topRoles: readonly TopRole[] = ['targets', 'snapshot', 'timestamp']

export function createTrustStorage(
  metadata: MetadataDirectory,
  floors: FloorStore,
  limits: RefreshLimits,
): TrustStorage {
  const maxBytes = {
    timestamp: limits.maxTimestampBytes,
    snapshot: limits.maxSnapshotBytes,
    targets: limits.maxTargetsBytes,
  }
  return {
    readFloors: () => floors.read(),
    readRoot: (version) => metadata.readRoot(version, limits.maxRootBytes),
    saveRoot: (version, bytes) => metadata.saveRoot(version, bytes),
    read: (role) =>
      isTopRole(role)
        ? metadata.readTop(role, maxBytes[role])
        : metadata.readDelegated(role, limits.maxTargetsBytes),
    save: (role, bytes) => metadata.writeDelegated(role, bytes),
    commit: async (raised, accepted) => {
      const staged = await stageAll(metadata, accepted)
      try {
        floors.raise(raised, () => {
          for (const file of staged) file.publish()
        })
      } finally {
        // Those that were not published; the others are not there any more under this name.
        for (const file of staged) file.discard()
      }
    },
    setAside: async (role, reason) => {
      const [, version] = /^(\d+)\.root$/.exec(role) ?? []
      if (version !== undefined) await metadata.setAsideRoot(Number(version), reason)
      else if (isTopRole(role)) await metadata.setAsideTop(role, reason)
      else await metadata.setAsideDelegated(role, reason)
    },
  }
}

function stageAll(
  metadata: MetadataDirectory,
  accepted: ReadonlyMap<string, Bytes>,
): Promise<StagedFile[]> {
  const present = topRoles.flatMap((role) => {
    const bytes = accepted.get(role)
    return bytes === undefined ? [] : [{ role, bytes }]
  })
  return Promise.all(present.map(({ role, bytes }) => metadata.stageTop(role, bytes)))
}

function isTopRole(role: string): role is TopRole {
  return role === 'timestamp' || role === 'snapshot' || role === 'targets'
}
