/**
 * What is new in a tree since a client was last there: roles by their versions, entries by what the
 * role said before. It only bounds the work of a check: where the earlier role is gone, all is new.
 */

import { VerifyError } from '../base/errors.ts'
import { metadataPath } from '../client/repository-path.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import type { Floors } from '../tuf/floors.ts'
import type { Snapshot, TargetFile, Targets } from '../tuf/metadata.ts'
import { parseTargets } from '../tuf/parse.ts'
import { clientLimits } from './check-client.ts'

/** Names of the roles of this snapshot that are newer than what was seen. */
export function findChangedRoles(snapshot: Snapshot, seen: Floors): ReadonlySet<string> {
  const changed = new Set<string>()
  for (const [file, { version }] of snapshot.meta) {
    const role = file.slice(0, -'.json'.length)
    if (version > (seen.versions.get(role) ?? 0)) changed.add(role)
  }
  return changed
}

/** Target paths of the role that are new, or other than in the version that was seen. */
export async function findChangedTargets(
  role: string,
  { targets }: Targets,
  seenVersion: number,
  source: RepositorySource,
): Promise<string[]> {
  const before = await readEarlier(role, seenVersion, source)
  return [...targets].flatMap(([path, target]) =>
    isSameTarget(before?.get(path), target) ? [] : [path],
  )
}

/** Not verified here: what it says is not used for anything but to leave work out. */
async function readEarlier(
  role: string,
  version: number,
  source: RepositorySource,
): Promise<ReadonlyMap<string, TargetFile> | undefined> {
  if (version === 0) return undefined
  const path = metadataPath(role, version)
  const fetched = await source.fetchMetadata(path, clientLimits.refresh.maxTargetsBytes)
  if (typeof fetched === 'string') return undefined
  try {
    return parseTargets(fetched.bytes, role).claimed.targets
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

function isSameTarget(before: TargetFile | undefined, after: TargetFile): boolean {
  if (before === undefined || before.length !== after.length) return false
  return (
    before.hashes.size === after.hashes.size &&
    [...after.hashes].every(([name, digest]) => before.hashes.get(name) === digest)
  )
}

/** At most so many, spread evenly over all of them. */
export function takeSample<T>(items: readonly T[], max: number): T[] {
  if (items.length <= max) return [...items]
  return Array.from(
    { length: max },
    (_, at) => items[Math.floor((at * items.length) / max)],
  ).filter((item): item is T => item !== undefined)
}
