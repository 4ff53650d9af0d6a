/**
 * What has to be replaced besides a key that was stolen.
 *
 * With the keys of snapshot and timestamp, or by feeding the mirror, a thief can have driven versions
 * up so far that clients would take everything honest for a rollback. Clients forget the versions
 * that they have seen when these keys are replaced (TUF 5.3.11): a returning one goes on by itself.
 */

import type { OnlineRole } from '../mirror/role-names.ts'
import type { ManagedRole } from './role-keys.ts'

/**
 * A timestamp names the version of its snapshot, so that whoever replaces the snapshot's key replaces
 * the timestamp's as well; snapshot names the versions of all the others.
 */
export function listRotations(stolen: readonly ManagedRole[]): OnlineRole[] {
  const rotated = new Set<OnlineRole>()
  for (const role of stolen) {
    // Versions of root go up one by one: nobody can drive them.
    if (role === 'root') continue
    rotated.add('timestamp')
    if (role === 'timestamp') continue
    rotated.add('snapshot')
    if (isOnline(role)) rotated.add(role)
  }
  return [...rotated]
}

function isOnline(role: ManagedRole): role is OnlineRole {
  return role !== 'root' && role !== 'targets' && role !== 'claimed' && role !== 'bins'
}
