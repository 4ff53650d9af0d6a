/** The trusted state on disk: metadata files and the floors, changed together under one lock. */

import type { Bytes } from '../base/bytes.ts'
import type { StagedFile } from '../store/atomic-file.ts'
import type { FloorStore } from '../store/floors.ts'
import type { MetadataDirectory, TopRole } from '../store/metadata-directory.ts'
import type { Floors } from '../tuf/floors.ts'
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
    read: (role, version) =>
      isTopRole(role)
        ? metadata.readTop(role, maxBytes[role], version)
        : metadata.readDelegated(role, limits.maxTargetsBytes),
    save: (role, bytes) => metadata.writeDelegated(role, bytes),
    commit: async (raised, accepted) => {
      const staged = await stageAll(metadata, raised, accepted)
      try {
        floors.raise(raised, () => {
          for (const { file } of staged) file.publish()
          // Until the new timestamp is in place, what the old one names must not go.
          for (const { role, version } of staged) metadata.dropOtherVersions(role, version)
        })
      } finally {
        // Those that were not published; the others are not there any more under this name.
        for (const { file } of staged) file.discard()
      }
    },
    setAside: async (role, reason, wanted) => {
      const [, version] = /^(\d+)\.root$/.exec(role) ?? []
      if (version !== undefined) await metadata.setAsideRoot(Number(version), reason)
      else if (isTopRole(role)) await metadata.setAsideTop(role, reason, wanted)
      else await metadata.setAsideDelegated(role, reason)
    },
  }
}

interface StagedRole {
  readonly role: TopRole
  readonly version: number | undefined
  readonly file: StagedFile
}

function stageAll(
  metadata: MetadataDirectory,
  { versions }: Floors,
  accepted: ReadonlyMap<string, Bytes>,
): Promise<StagedRole[]> {
  const staged = topRoles.flatMap((role) => {
    const bytes = accepted.get(role)
    // The floor of what has just been accepted is its version.
    const version = role === 'timestamp' ? undefined : versions.get(role)
    if (bytes === undefined) return []
    return [metadata.stageTop(role, bytes, version).then((file) => ({ role, version, file }))]
  })
  return Promise.all(staged)
}

function isTopRole(role: string): role is TopRole {
  return role === 'timestamp' || role === 'snapshot' || role === 'targets'
}
