/**
 * The thefts that matter for a mirror: nothing, each key alone, and what is stolen together because
 * it lies together. What each gives is not decided here (`theft-matrix.ts`).
 */

import { judgeTheft, type MatrixRole, type MirrorShape, type Verdict } from './theft-matrix.ts'

export interface TheftRow {
  /** In words: which keys. */
  readonly stolen: string
  /** With the mirror's files or the network to the clients as well. */
  readonly withPath: Verdict
  readonly withoutPath: Verdict
}

interface Loot {
  readonly stolen: string
  /** Enough keys of each. */
  readonly roles: readonly MatrixRole[]
  /** In place of them, where it is one key that is in question. */
  readonly keyid?: string
  readonly hasOwner?: boolean
}

const online: readonly MatrixRole[] = [
  'deny',
  'recently-claimed',
  'bins-nn',
  'snapshot',
  'timestamp',
]
const freshness: readonly MatrixRole[] = ['timestamp', 'snapshot']

const loot: readonly Loot[] = [
  { stolen: 'no key', roles: [] },
  ...[...online].toReversed().map((role) => ({ stolen: role, roles: [role] })),
  { stolen: 'timestamp, snapshot', roles: freshness },
  { stolen: 'timestamp, snapshot, deny', roles: [...freshness, 'deny'] },
  { stolen: 'timestamp, snapshot, bins-nn', roles: [...freshness, 'bins-nn'] },
  { stolen: 'timestamp, snapshot, recently-claimed', roles: [...freshness, 'recently-claimed'] },
  { stolen: 'every online key', roles: online },
  { stolen: 'bins', roles: ['bins'] },
  { stolen: 'claimed', roles: ['claimed'] },
  { stolen: 'targets', roles: ['targets'] },
  { stolen: 'every online key, bins', roles: [...online, 'bins'] },
  { stolen: 'every online key, claimed', roles: [...online, 'claimed'] },
  { stolen: 'every online key, targets', roles: [...online, 'targets'] },
  { stolen: "one owner's keys", roles: [], hasOwner: true },
  { stolen: "one owner's keys, timestamp, snapshot", roles: freshness, hasOwner: true },
  { stolen: 'enough keys of root', roles: ['root'] },
]

/** Rows without an owner where nobody signs for himself. */
export function listThefts(shape: MirrorShape): TheftRow[] {
  const { claimed, recentlyClaimed } = shape.projects
  const hasOwners = claimed + recentlyClaimed > 0
  const rows = loot.filter(({ hasOwner }) => hasOwner !== true || hasOwners)
  return [...rows, ...findShared(shape)].map((one) => judgeRow(shape, one))
}

/** A key that several roles have is stolen for all of them at once. */
function findShared(shape: MirrorShape): Loot[] {
  const rolesByKey = new Map<string, MatrixRole[]>()
  for (const [role, { keyids }] of shape.roles) {
    for (const keyid of keyids) rolesByKey.set(keyid, [...(rolesByKey.get(keyid) ?? []), role])
  }
  const found = new Map<string, Loot>()
  for (const [keyid, roles] of rolesByKey) {
    const stolen = `the one key of ${roles.join(', ')}`
    if (roles.length > 1) found.set(stolen, { stolen, roles, keyid })
  }
  return [...found.values()]
}

function judgeRow(shape: MirrorShape, { stolen, roles, keyid, hasOwner = false }: Loot): TheftRow {
  const keyids = new Set(
    keyid === undefined ? roles.flatMap((role) => takeThreshold(shape, role)) : [keyid],
  )
  const judge = (hasPath: boolean): Verdict => judgeTheft(shape, { keyids, hasOwner, hasPath })
  return { stolen, withPath: judge(true), withoutPath: judge(false) }
}

function takeThreshold({ roles }: MirrorShape, role: MatrixRole): readonly string[] {
  const held = roles.get(role)
  return held === undefined ? [] : held.keyids.slice(0, held.threshold)
}
