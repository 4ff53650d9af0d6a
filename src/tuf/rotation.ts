/**
 * Whether a new root takes trust away from a role: a key is gone, or more of them are needed. For
 * timestamp and snapshot this is what "rotated" means (TUF 5.3.11). Where no trust was taken away,
 * what was verified under the old root is verified under the new one as well.
 *
 * Keys are compared by what they are: a new key id alone is no rotation.
 */

import type { Root, TopRole } from './metadata.ts'

export function isTrustReduced(before: Root, after: Root, role: TopRole): boolean {
  if (after.roles[role].threshold > before.roles[role].threshold) return true
  const remaining = keyValues(after, role)
  return [...keyValues(before, role)].some((value) => !remaining.has(value))
}

function keyValues(root: Root, role: TopRole): Set<string> {
  const keys = root.roles[role].keyids.flatMap((keyid) => root.keys.get(keyid) ?? [])
  return new Set(keys.map(({ value }) => value))
}
