/**
 * The lowest versions that are still acceptable: the highest that were ever verified. They outlive
 * the metadata, which is only a cache, and carry all rollback protection (TUF 5.4.3, 5.5.5).
 */

import { toPrintable } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'

export interface Floors {
  /** By role: `root`, `timestamp`, `snapshot`, `targets`, `bins-0a`. */
  readonly versions: ReadonlyMap<string, number>
  /** The newest signed time that was seen, in milliseconds; 0 for none. */
  readonly signedAt: number
  /** The root version that last rotated the keys of timestamp or snapshot; 0 for none. */
  readonly epoch: number
}

export const noFloors: Floors = { versions: new Map(), signedAt: 0, epoch: 0 }

/** Gives the same value back where nothing rises. */
export function raiseFloors(floors: Floors, versions: Iterable<readonly [string, number]>): Floors {
  let raised: Map<string, number> | undefined
  for (const [role, version] of versions) {
    if (version <= (floors.versions.get(role) ?? 0)) continue
    raised ??= new Map(floors.versions)
    raised.set(role, version)
  }
  return raised === undefined ? floors : { ...floors, versions: raised }
}

/** What holds where both do: of the newer epoch what it says, but root and time from wherever they are newer. */
export function joinFloors(left: Floors, right: Floors): Floors {
  const [newer, older] = left.epoch >= right.epoch ? [left, right] : [right, left]
  const isSameEpoch = newer.epoch === older.epoch
  const binding = [...older.versions].filter(([role]) => isSameEpoch || role === 'root')
  const signedAt = Math.max(newer.signedAt, older.signedAt)
  return { ...raiseFloors(newer, binding), signedAt }
}

/** Throws VERSION_ROLLBACK. */
export function requireAtLeast(floors: Floors, role: string, version: number): void {
  const floor = floors.versions.get(role) ?? 0
  if (version >= floor) return
  throw new VerifyError(
    'VERSION_ROLLBACK',
    `${toPrintable(role)} went back from version ${floor} to ${version}`,
    {
      role,
      version,
      expected: `at least ${floor}`,
      found: String(version),
      next: rollbackAdvice,
    },
  )
}

/** TUF 5.5.5: no role that was ever listed may be missing now, or be older. */
export function requireListedRoles(floors: Floors, listed: ReadonlyMap<string, number>): void {
  for (const [role, floor] of floors.versions) {
    if (rolesOfOwnMetadata.has(role)) continue
    const version = listed.get(role)
    if (version === undefined) throw missingRole(role, floor)
    requireAtLeast(floors, role, version)
  }
}

const rolesOfOwnMetadata: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot'])

const rollbackAdvice =
  'The mirror offers an older state than was seen before: try again, or ask whoever runs it.'

function missingRole(role: string, floor: number): VerifyError {
  return new VerifyError(
    'VERSION_ROLLBACK',
    `${toPrintable(role)} is not listed any more, and was seen as version ${floor}`,
    { role, expected: `at least ${floor}`, found: 'not listed', next: rollbackAdvice },
  )
}
